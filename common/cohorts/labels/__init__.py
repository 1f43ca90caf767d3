"""What is predicted: a class for each patient or image, and what a class means."""
