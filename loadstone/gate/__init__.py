"""What must hold: thresholds on a run, and what happens when they break."""
