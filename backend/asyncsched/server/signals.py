"""The signals that come after the first: whoever sends them does not want to wait any longer.

The first SIGTERM or SIGINT is the server's, and drains. A second one cuts off what is still running,
a third one ends the process as if nobody listened. Seen in ``tests/e2e`` with daphne, ``runserver``,
uvicorn, and hypercorn without workers. The main processes of hypercorn and granian keep a second
SIGTERM to themselves; Ctrl-C reaches their workers, because a terminal sends it to all processes.
"""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

NUMBERS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def next_signal(hurry: Callable[[], object]) -> Iterator[None]:
    """Call *hurry* on the running loop at the next signal inside the block; one more ends the process.

    Servers ignore the signals that come while they shut down. Outside of the main thread, where
    Python hears none, and where a server handles signals beneath Python, nothing changes.
    """
    loop = asyncio.get_running_loop()
    before = {number: handler for number in NUMBERS if (handler := signal.getsignal(number)) is not None}
    if threading.current_thread() is not threading.main_thread():
        before = {}

    def hear(*_: object) -> None:
        for number in before:
            signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(hurry)

    for number in before:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
