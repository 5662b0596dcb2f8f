"""What is asked of the project, by the environment."""

import os

EXECUTOR = os.environ.get("BENCH_EXECUTOR", "nothing")  # of the task that computes; "nothing": there is none
BROKER = os.environ.get("BENCH_BROKER", "")  # its address, where there is one
COMPUTING = 5.0  # seconds of processor that a run takes
PERIOD = 10.0  # seconds between two of its starts, which are at whole multiples of it
