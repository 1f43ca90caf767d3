"""What each paper printed in tables and figures, and the runs that repeat it."""
