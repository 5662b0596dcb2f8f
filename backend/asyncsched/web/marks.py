"""What the timeline draws, each mark as a piece of SVG: pure.

Across, places are per cent of the width, so that a row is as wide as there is room and nothing is
distorted; down, they are pixels of a row that is HEIGHT high. How a run ended shows in its height and
outline, not in colour alone; colours are in timeline.css.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from asyncsched.engine.runs import RunStatus
from asyncsched.storage.history import PastSkip
from asyncsched.storage.timeline import Ran, Stalled
from asyncsched.web.words import status_word, took

HEIGHT = 20
LEAST = 0.3  # per cent: about three pixels, or a run of a millisecond would not be seen
SECOND = timedelta(seconds=1)
SHORT, MIDDLE, TALL = (6, 8), (4, 12), (1, 18)  # top and height
SHAPES: dict[str, tuple[int, int]] = {
    RunStatus.RUNNING: MIDDLE,
    RunStatus.FAILED: TALL,
    RunStatus.TIMED_OUT: TALL,
    RunStatus.ABANDONED: TALL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The stretch of time that is shown, in UTC."""

    start: datetime
    now: datetime
    end: datetime

    def place(self, moment: datetime) -> float:
        """Return where *moment* is, in per cent of the width; at the edge if it is beyond."""
        return min(100.0, max(0.0, (moment - self.start) / (self.end - self.start) * 100))

    def stretch(self, start: datetime, end: datetime) -> tuple[str, str]:
        """Return where what lasts from *start* to *end* begins, and how wide it is, with the sign."""
        left = self.place(start)
        return f"{left:.2f}%", f"{max(LEAST, self.place(end) - left):.2f}%"


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """The process that ran something: what people call it, and the number of its colour, None if there is but one."""

    name: str
    colour: int | None = None


def bar(run: Ran, window: Window, who: Who, *, is_stop: bool) -> SafeString:
    """Draw *run* as a link to its page; *is_stop* if the tabulator key stops at it."""
    x, width = window.stretch(run.started_at, run.finished_at or window.now)
    return format_html(
        '<a href="{}" tabindex="{}"><title>{}</title>{}{}</a>',
        reverse("asyncsched:run", args=[run.run_id]),
        0 if is_stop else -1,
        of_run(run, who),
        shape(run.status, x, width),
        "" if who.colour is None else _rect(f"who-{who.colour}", x, width, (16, 4)),
    )


def shape(status: str, x: str, width: str) -> SafeString:
    """Draw how a run ended, without any words."""
    if status == RunStatus.SKIPPED:
        return format_html('<circle class="skipped" cx="{}" cy="10" r="4"/>', x)
    return _rect(status, x, width, SHAPES.get(status, SHORT))


def skip(skipped: PastSkip, window: Window) -> SafeString:
    """Draw occurrences that did not run, hollow."""
    x, width = window.stretch(skipped.first, skipped.last)
    drawn = shape(RunStatus.SKIPPED, x, width) if skipped.count == 1 else _rect("skipped", x, width, SHORT)
    return format_html('<g class="hit"><title>{}</title>{}</g>', of_skip(skipped), drawn)


def stall(stalled: Stalled, window: Window, name: str) -> SafeString:
    """Draw a time for which nothing could run, as a column over all rows."""
    x, width = window.stretch(stalled.began_at, stalled.began_at + stalled.seconds * SECOND)
    return format_html(
        '<rect class="stall" x="{}" y="0" width="{}" height="100%"><title>{}</title></rect>',
        x,
        width,
        of_stall(stalled, name),
    )


def ticks(occurrences: Sequence[datetime], window: Window) -> SafeString:
    """Draw each of the coming *occurrences* as a tick: one path, whose unit across is a second from now on."""
    if not occurrences:
        return SafeString()
    path = "".join(f"M{(moment - window.now) / SECOND:.0f} 5v10" for moment in occurrences)
    left = window.place(window.now)
    return format_html(
        '<svg x="{}" width="{}" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none">'
        '<path class="due" d="{}" vector-effect="non-scaling-stroke"/></svg>',
        f"{left:.2f}%",
        f"{100 - left:.2f}%",
        HEIGHT,
        round((window.end - window.now) / SECOND),
        HEIGHT,
        path,
    )


def bands(stretches: Iterable[tuple[datetime, datetime]], window: Window) -> SafeString:
    """Draw times with an occurrence in every minute, where ticks would be thousands."""
    return joined(_rect("often", *window.stretch(start, end), (8, 4)) for start, end in stretches)


def joined(drawn: Iterable[SafeString]) -> SafeString:
    """Put what is drawn one after the other: what comes later lies on top."""
    return format_html_join("", "{}", ((one,) for one in drawn))


def of_run(run: Ran, who: Who) -> str:
    """Say what a bar shows, in the project's time zone."""
    began = clock(run.started_at)
    if run.count > 1:
        until = clock(run.finished_at or run.started_at)
        what = f"{began} to {until}, {run.count} runs {status_word(run.status)}"
        length = f"the longest in {took(run.duration)}" if run.duration is not None else ""
    else:
        what = f"{began}, {status_word(run.status)}"
        length = f"after {took(run.duration)}" if run.duration is not None else ""
    return ", ".join(part for part in (what, length, who.name, run.error_start) if part)


def of_skip(skipped: PastSkip) -> str:
    """Say what a hollow mark shows."""
    if skipped.count == 1:
        return f"{clock(skipped.last)}, skipped: {skipped.why}"
    return f"{clock(skipped.first)} to {clock(skipped.last)}, {skipped.count} skipped: {skipped.why}"


def of_stall(stalled: Stalled, name: str) -> str:
    """Say what a shaded column shows."""
    length = took(stalled.seconds)
    return f"{clock(stalled.began_at)}, the event loop of {name} stood still for {length}: {stalled.culprit}"


def clock(moment: datetime) -> str:
    """Return the time of day in the project's zone."""
    return localtime(moment).strftime("%H:%M:%S")


def _rect(kind: str, x: str, width: str, vertical: tuple[int, int]) -> SafeString:
    return format_html(
        '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', kind, x, vertical[0], width, vertical[1]
    )
