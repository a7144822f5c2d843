"""What a delivery costs and how long it takes, asked of a carrier whose answers are slow."""
