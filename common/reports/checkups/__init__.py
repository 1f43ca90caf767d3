"""What is told of a data set before anybody trains on it: volumes, series, images."""
