"""Room 2: the project's own database as the scheduler's memory, off the loop."""
