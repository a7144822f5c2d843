"""What a run leaves behind: folder, journal, observations, machine, result."""
