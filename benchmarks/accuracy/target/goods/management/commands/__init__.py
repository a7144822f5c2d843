"""Commands of the goods."""
