"""What is asked of the project, by the environment."""

import os

IS_INSTALLED = os.environ.get("BENCH_INSTALLED", "1") == "1"  # the scheduler, in INSTALLED_APPS and asgi.py
IS_ENABLED = os.environ.get("BENCH_ENABLED", "1") == "1"
TASKS = int(os.environ.get("BENCH_TASKS", "0"))  # how many tasks run every second
IS_SPREAD = os.environ.get("BENCH_SPREAD") == "1"  # over the second, instead of all at its beginning
LEDGER = os.environ.get("BENCH_LEDGER", "")  # if there are none: where one, every half second, notes that it ran
