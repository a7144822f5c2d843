"""Commands for work in the background."""
