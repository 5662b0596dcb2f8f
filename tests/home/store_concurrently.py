"""Run as a process: several writers store the same messages at the same time, each in another order.

Prints how many rows there are, how many of them have everything that was said about them, of how
many that was told, and how many changes were told twice.
"""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import django

django.setup()

from django.db import connections  # noqa: E402

from home.changes import detections_changed  # noqa: E402
from home.frigate.events import Detection, read_event  # noqa: E402
from home.frigate.store import store  # noqa: E402
from home.models import FrigateDetection  # noqa: E402
from tests.home.frigate_messages import event  # noqa: E402

EVENTS = 60
WRITERS = 4


told: Counter[Detection] = Counter()


def note(detections: list[Detection], **_: object) -> None:
    """Hear of changes."""
    told.update(detections)


def messages(number: int) -> list[Detection]:
    """Return what is said about one event: a beginning, its best moment, its end."""
    name = f"event-{number:03}"
    return [
        read_event(event("new", id=name)),
        read_event(event("update", id=name, seconds=1, top_score=0.99, sub_label="Anna", zones=["door"])),
        read_event(event("end", id=name, seconds=2)),
    ]


def write(seed: int) -> None:
    """Store all messages in an order of one's own, in batches of different events."""
    order = random.Random(seed)
    queues = [order.sample(said, len(said)) for said in map(messages, range(EVENTS))]
    for turn in range(3):
        batch = [queue[turn] for queue in order.sample(queues, EVENTS)]
        for start in range(0, EVENTS, 20):
            store(batch[start : start + 20])
    connections.close_all()


detections_changed.connect(note)
with ThreadPoolExecutor(WRITERS) as pool:
    for result in [pool.submit(write, seed) for seed in range(WRITERS)]:
        result.result()
complete = FrigateDetection.objects.filter(ended_at__isnull=False, top_score=0.99, sub_label="Anna", zones=["door"])
told_complete = sum(
    detection.ended_at is not None
    and (detection.top_score, detection.sub_label, detection.zones) == (0.99, "Anna", ("door",))
    for detection in told
)
twice = sum(times > 1 for times in told.values())
print(FrigateDetection.objects.count(), complete.count(), told_complete, twice)  # noqa: T201 - the answer to the test
connections.close_all()
