"""Products on shelves."""
