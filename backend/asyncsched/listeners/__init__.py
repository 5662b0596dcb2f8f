"""Room 2', beside storage: who is told of runs."""
