"""What each paper printed in tables and figures, and which runs answer it."""
