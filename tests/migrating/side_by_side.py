"""The other scheduler and ours, each for the same months of virtual time: when ran what, and does the table say why?"""

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from asyncsched.migrating.found import Topic

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
DAY = timedelta(days=1)
LATE = timedelta(minutes=1)  # after the end of a month: what began at it
MOVING = (
    Topic.TIME_ZONE,
    Topic.CLOCK_CHANGES,
    Topic.FIRST_RUN,
    Topic.INTERVAL,
    Topic.STEPS,
    Topic.END,
    Topic.MISSED,
    Topic.AFTER_FAILURE,
)
"""What moves instants. The other topics are about what happens beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """A span of time in *zone*, and spans in which nothing is up; written as local time."""

    span: tuple[str, str]
    outages: tuple[tuple[str, str], ...] = ()
    zone: str = "Europe/Berlin"

    def as_json(self) -> dict[str, Any]:
        """Return it with offsets."""
        return {
            "span": [moment.isoformat() for moment in self.moments(self.span)],
            "outages": [[moment.isoformat() for moment in self.moments(outage)] for outage in self.outages],
        }

    def has(self, moment: datetime) -> bool:
        """True if *moment* lies in it."""
        start, end = self.moments(self.span)
        return start <= moment <= end + LATE

    def moments(self, span: tuple[str, str]) -> list[datetime]:
        """Return both ends of *span*, aware."""
        return [datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(self.zone)) for text in span]


def in_process(site: str, script: Path, *arguments: str, months: Sequence[Month], python: str = sys.executable) -> Any:
    """Run *script* in the project *site*, and return what it printed as JSON; fail with what it said if it fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTHON"))}
    ours = [str(ROOT / "backend")] if python == sys.executable else []
    done = subprocess.run(
        [python, str(script), *arguments],
        env=inherited
        | {
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": os.pathsep.join([str(HERE / site), *ours]),
            "SCHEDULER": "asyncsched" if ours else "django_cron",
            "COLUMNS": "80",
        },
        input=json.dumps([month.as_json() for month in months]),
        capture_output=True,
        text=True,
        check=False,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@dataclass(frozen=True, kw_only=True)
class SideBySide:
    """What both did in *months*. What a function notes is its label, with `` fails`` if it fails.

    *step* is how late the other scheduler may be by its way of working, and *failures_matter_for* how long
    its times may be others after a failure.
    """

    months: Sequence[Month]
    theirs: list[tuple[str, str]]
    ours: dict[str, Any]
    tasks_of: Callable[[str], set[str]]
    """Which tasks of ours call the function with that label."""
    step: timedelta
    failures_matter_for: timedelta = DAY

    @cached_property
    def labels(self) -> list[str]:
        """The labels of all functions that ran there or here."""
        return sorted({label.removesuffix(" fails") for label, _ in [*self.theirs, *self.ours["runs"]]})

    def instants(self, label: str) -> tuple[set[datetime], set[datetime]]:
        """Return when the function ran there, and here."""
        there, here = self._by_label
        return there[label], here[label]

    @cached_property
    def _by_label(self) -> tuple[dict[str, set[datetime]], dict[str, set[datetime]]]:
        there: dict[str, set[datetime]] = defaultdict(set)
        here: dict[str, set[datetime]] = defaultdict(set)
        for by_label, runs in ((there, self.theirs), (here, self.ours["runs"])):
            for label, at in runs:
                by_label[label.removesuffix(" fails")].add(datetime.fromisoformat(at))
        return there, here

    def differing(self, label: str) -> set[datetime]:
        """Return when it ran on one side only."""
        there, here = self.instants(label)
        return there ^ here

    def unexplained(self, label: str) -> list[datetime]:
        """Return when it ran on one side only, and no difference that the table has for it says why."""
        topics = [topic for topic, tasks in self._told() if tasks & self.tasks_of(label)]
        return sorted(
            moment
            for moment in self.differing(label)
            if not any(self._explains(topic, moment, label) for topic in topics)
        )

    def idle(self) -> list[Topic]:
        """Return the topics of differences in the table that explain nothing that was seen."""
        return [
            topic
            for topic, tasks in self._told()
            if topic in MOVING
            and not any(
                self._explains(topic, moment, label)
                for label in self.labels
                if tasks & self.tasks_of(label)
                for moment in self.differing(label)
            )
        ]

    def _told(self) -> list[tuple[Topic, set[str]]]:
        return [(Topic(one["topic"]), set(one["tasks"])) for one in self.ours["told"]["differences"]]

    def _explains(self, topic: Topic, moment: datetime, label: str) -> bool:
        """True if a difference in *topic* can be why the function ran on one side only at *moment*."""
        there, here = self.instants(label)
        other = here if moment in there else there
        (month,) = [month for month in self.months if month.has(moment)]
        counts = [sum(abs(moment - at) < DAY for at in side) for side in (there, here)]
        failures = [datetime.fromisoformat(at) for name, at in self.theirs if name == f"{label} fails"]
        outages = map(month.moments, month.outages)
        return {
            Topic.STEPS: any(abs(moment - at) < self.step for at in other),
            Topic.FIRST_RUN: not any(month.has(at) and at <= moment for at in other),
            Topic.INTERVAL: max(counts) <= 2 * min(counts),
            Topic.CLOCK_CHANGES: _is_near_a_change(moment, ZoneInfo(month.zone)),
            Topic.MISSED: any(down <= moment <= up + self.step for down, up in outages),
            Topic.AFTER_FAILURE: any(at <= moment < at + self.failures_matter_for for at in failures),
        }.get(topic, False)


def _is_near_a_change(moment: datetime, zone: ZoneInfo) -> bool:
    around = [(moment + hours * timedelta(hours=1)).astimezone(zone).utcoffset() for hours in range(-27, 28)]
    return any(before != after for before, after in pairwise(around))
