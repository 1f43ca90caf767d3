"""The targets: a class for each patient or image, and the meaning of each class."""
