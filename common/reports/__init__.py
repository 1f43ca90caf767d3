"""What a person reads afterwards: pages, tables and pictures."""
