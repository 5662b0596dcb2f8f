"""Benchmarks: this scheduler beside its peers, on one machine, in one run. `make bench` runs them all."""
