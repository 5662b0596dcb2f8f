"""A process of its own that executes what is due, once it is told to go, and prints how many it completed."""

import sys
from itertools import takewhile

import django

django.setup()

from asgiref.sync import async_to_sync  # noqa: E402

from rules.tasks import process_due_rule_runtimes  # noqa: E402


def main():
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    done = sum(takewhile(bool, iter(async_to_sync(process_due_rule_runtimes), None)))
    sys.stdout.write(f"{done}\n")


if __name__ == "__main__":
    main()
