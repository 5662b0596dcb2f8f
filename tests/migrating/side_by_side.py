"""The other scheduler and ours, each for the same months of virtual time: when ran what, and does the table say why?"""

import json
import os
import subprocess
import sys
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
    Topic.CLOCK_CHANGES,
    Topic.FIRST_RUN,
    Topic.INTERVAL,
    Topic.STEPS,
    Topic.MISSED,
    Topic.AFTER_FAILURE,
)
"""What moves instants. The other topics are about what happens beside them."""


@dataclass(frozen=True, kw_only=True)
class Month:
    """A span of time in *zone*, and spans in which nothing is up; written as local time."""

    span: tuple[str, str]
    outages: tuple[tuple[str, str], ...] = ()
    zone: str = "Europe/Berlin"

    def as_json(self) -> dict[str, Any]:
        """Return it with offsets."""
        return {
            "span": [moment.isoformat() for moment in self.bounds],
            "outages": [[moment.isoformat() for moment in outage] for outage in self.downs],
        }

    def has(self, moment: datetime) -> bool:
        """True if *moment* lies in it."""
        return self.bounds[0] <= moment <= self.bounds[1] + LATE

    @cached_property
    def bounds(self) -> tuple[datetime, datetime]:
        """When it begins and ends, in UTC."""
        return self._moments(self.span)

    @cached_property
    def downs(self) -> list[tuple[datetime, datetime]]:
        """The outages, in UTC."""
        return [self._moments(outage) for outage in self.outages]

    def _moments(self, span: tuple[str, str]) -> tuple[datetime, datetime]:
        begin, end = (datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(self.zone)).astimezone(UTC) for text in span)
        return begin, end


def in_process(site: str, script: Path, *arguments: str, months: Sequence[Month], python: str = sys.executable) -> Any:
    """Run *script* in the project *site*, and return what it printed as JSON; fail with what it said if it fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "PYTHON"))}
    ours = [str(ROOT / "backend")] if python == sys.executable else []
    done = subprocess.run(
        [python, str(script), *arguments],
        env=inherited
        | {
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": os.pathsep.join([str(HERE / site), str(HERE / "every_site"), *ours]),
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
    def there(self) -> dict[str, list[datetime]]:
        """When each function ran there, by its label."""
        return _by_label(self.theirs)

    @cached_property
    def here(self) -> dict[str, list[datetime]]:
        """When each function ran here, by its label."""
        return _by_label(self.ours["runs"])

    @property
    def labels(self) -> list[str]:
        """The labels of all functions that ran there or here."""
        return sorted(self.there.keys() | self.here.keys())

    def unexplained(self, label: str) -> list[datetime]:
        """Return when it ran on one side only, and no difference that the table has for it says why."""
        return sorted(at for at in self._differing(label) if not self._why(at, label))

    def idle(self) -> list[Topic]:
        """Return the topics of differences in the table that explain nothing that was seen."""
        return [
            topic
            for topic, tasks in self._told
            if topic in MOVING
            and not any(
                self._explains(topic, moment, label)
                for label in self.labels
                if tasks & self.tasks_of(label)
                for moment in self._differing(label)
            )
        ]

    @cached_property
    def _told(self) -> list[tuple[Topic, set[str]]]:
        return [(Topic(one["topic"]), set(one["tasks"])) for one in self.ours["told"]["differences"]]

    def _differing(self, label: str) -> set[datetime]:
        return set(self.there.get(label, ())) ^ set(self.here.get(label, ()))

    def _why(self, moment: datetime, label: str) -> bool:
        tasks = self.tasks_of(label)
        return any(self._explains(topic, moment, label) for topic, of in self._told if of & tasks)

    def _explains(self, topic: Topic, moment: datetime, label: str) -> bool:
        """True if a difference in *topic* can be why the function ran on one side only at *moment*."""
        there, here = self.there.get(label, []), self.here.get(label, [])
        other = here if moment in there else there
        (month,) = [month for month in self.months if month.has(moment)]
        match topic:
            case Topic.STEPS:
                late = self.step if moment in here else -self.step  # it is there that runs are late
                return _between(other, *sorted((moment, moment + late))) > 0
            case Topic.FIRST_RUN:
                return not any(month.has(at) and at <= moment for at in other)
            case Topic.INTERVAL:
                counts = [_between(side, moment - DAY, moment + DAY) for side in (there, here)]
                return max(counts) <= 2 * min(counts)
            case Topic.MISSED:
                return any(down <= moment <= up + self.step for down, up in month.downs)
        if topic is Topic.CLOCK_CHANGES:
            return _is_near_a_change(moment, ZoneInfo(month.zone))
        failures = [datetime.fromisoformat(at) for name, at in self.theirs if name == f"{label} fails"]
        return topic is Topic.AFTER_FAILURE and any(at <= moment < at + self.failures_matter_for for at in failures)


def _by_label(runs: list[tuple[str, str]]) -> dict[str, list[datetime]]:
    found: dict[str, list[datetime]] = {}
    for name, at in runs:
        found.setdefault(name.removesuffix(" fails"), []).append(datetime.fromisoformat(at))
    return {label: sorted(moments) for label, moments in found.items()}


def _between(moments: list[datetime], first: datetime, last: datetime) -> int:
    """Return how many of *moments*, which are in order, lie from *first* to *last*."""
    return bisect_right(moments, last) - bisect_left(moments, first)


def _is_near_a_change(moment: datetime, zone: ZoneInfo) -> bool:
    around = [(moment + hours * timedelta(hours=1)).astimezone(zone).utcoffset() for hours in range(-27, 28)]
    return any(before != after for before, after in pairwise(around))
