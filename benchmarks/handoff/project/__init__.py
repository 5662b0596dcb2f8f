"""The project of the web benchmarks, with a task that computes."""
