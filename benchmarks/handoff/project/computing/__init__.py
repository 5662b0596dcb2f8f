"""The app of the task that computes, and of those beside it."""
