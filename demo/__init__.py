"""The simulated home of `make demo`: what stands around the alarm backend, over real sockets."""
