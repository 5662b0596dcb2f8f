"""A child of a benchmark that says what it is told to: `python -m tests.benchmarks.says LINE`."""

import sys

print(sys.argv[1])  # noqa: T201
