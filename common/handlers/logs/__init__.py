"""What a run shows while it trains: a progress bar, TensorBoard, and a table of its epochs."""
