"""What was bought, and what sells best."""
