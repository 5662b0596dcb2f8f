"""A process whose loop is kept by reading a line from its parent, which stops it meanwhile.

Prints ``blocked``, and when it goes on, the culprits of all stalls that were told, one a line.
"""

import asyncio
import sys

from asyncsched.engine.stall import StallWatch


def say(*lines: str) -> None:
    sys.stdout.write("\n".join((*lines, "")))
    sys.stdout.flush()


async def main() -> None:
    culprits: list[str] = []
    watch = StallWatch(0.5)
    watch.start(lambda stall: culprits.append(stall.culprit))
    await asyncio.sleep(0.1)
    say("blocked")
    sys.stdin.readline()
    await asyncio.sleep(0.1)
    watch.stop()
    say("told:", *culprits)


asyncio.run(main())
