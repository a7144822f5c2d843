"""Ways to observe: each lane turns an experiment into observations."""
