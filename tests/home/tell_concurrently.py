"""Run as a process: several writers hear the same changes at the same time, each in batches of another size.

Prints how many changes were told, how many different ones, and of how many entities every step was.
"""

import random
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import django

django.setup()

from django.db import connections, transaction  # noqa: E402

from home.changes import entities_changed  # noqa: E402
from home.home_assistant.entities import Step, read_change  # noqa: E402
from home.home_assistant.store import store  # noqa: E402

ENTITIES = 20
STEPS = 12
WRITERS = 4
START = datetime(2026, 11, 23, tzinfo=UTC)

told: dict[str, list[tuple[str | None, str | None]]] = defaultdict(list)


def tell(changes, **_: object) -> None:
    """Note *changes* once they are committed."""

    def note() -> None:
        for change in changes:
            told[change.entity_id].append((change.before and change.before.state, change.after and change.after.state))

    transaction.on_commit(note)


def steps() -> list[Step]:
    """Return all steps: each entity counts up, and the last step is that it goes."""
    found = []
    for number in range(1, STEPS + 1):
        moment = (START + timedelta(seconds=number)).isoformat()
        for entity in range(ENTITIES):
            entity_id = f"counter.c{entity:02}"
            new_state = {"entity_id": entity_id, "state": str(number), "last_updated": moment}
            data = {"entity_id": entity_id, "new_state": new_state if number < STEPS else None}
            found.append(read_change({"data": data, "time_fired": moment}, now=START))
    return found


def write(seed: int) -> None:
    """Store all steps, in order, in batches of chance."""
    chance = random.Random(seed)
    left = steps()
    while left:
        size = chance.randint(1, 60)
        store(left[:size])
        left = left[size:]
    connections.close_all()


entities_changed.connect(tell)
with ThreadPoolExecutor(WRITERS) as pool:
    for result in [pool.submit(write, seed) for seed in range(WRITERS)]:
        result.result()
everything = [(entity_id, change) for entity_id, changes in told.items() for change in changes]
expected = [
    (None if number == 1 else str(number - 1), None if number == STEPS else str(number))
    for number in range(1, STEPS + 1)
]
complete = sum(sorted(changes, key=expected.index) == expected for changes in told.values())
print(len(everything), len(set(everything)), complete)  # noqa: T201 - the answer to the test
connections.close_all()
