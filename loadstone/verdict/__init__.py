"""From sealed data to a result: a pure function of plan and chunks, so that anyone can recompute it."""
