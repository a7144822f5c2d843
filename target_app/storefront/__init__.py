"""Pages for people, rendered here: the shop's home and its categories."""
