"""Who is asking: logging in, and what a customer sees of itself."""
