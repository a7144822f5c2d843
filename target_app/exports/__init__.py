"""Reports about sales, as files."""
