"""The schedulers themselves: lateness, bursts, saturation, cost of a run, memory, start-up and drain."""
