"""What a child process of a benchmark says to the runner: figures, or why there are none."""

import json
import sys
from collections.abc import Callable, Mapping

NOT_HERE = 3  # exit code


class NotHere(Exception):
    """It cannot be measured on this machine: a library or a service is missing. Says which."""


def report(measure: Callable[[], Mapping[str, float]]) -> None:
    """Print what *measure* returns as the last line, or exit with NOT_HERE and the reason on stderr."""
    try:
        figures = measure()
    except ModuleNotFoundError as error:
        _give_up(f"the library {error.name} is not installed")
    except NotHere as error:
        _give_up(str(error))
    else:
        sys.stdout.write(json.dumps(dict(figures)) + "\n")


def _give_up(reason: str) -> None:
    sys.stderr.write(reason + "\n")
    sys.exit(NOT_HERE)
