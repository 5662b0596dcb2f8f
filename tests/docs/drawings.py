"""The drawings of time in the documentation, from what schedules and simulations answer.

``python -m tests.docs.drawings`` writes them; a test says when one is out of date.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from asyncsched import CatchUp, Cron, DailyAt, Every, Overlap
from asyncsched.engine.planner import due_at
from asyncsched.engine.simulation import simulate
from asyncsched.engine.virtual import Runs
from asyncsched.policy import Options
from asyncsched.registry import Task
from asyncsched.schedules import Schedule
from tests.docs.pages import DOCS
from tests.docs.svg import Band, Chart, Mark, Row

FOLDER = DOCS / "img"
BERLIN = "Europe/Berlin"
NIGHT: Mapping[str, Schedule] = {
    "DailyAt(2, 30)": DailyAt(2, 30, tz=BERLIN),
    'DailyAt(2, 30, gap="skip")': DailyAt(2, 30, tz=BERLIN, gap="skip"),
    'DailyAt(2, 30, fold="second")': DailyAt(2, 30, tz=BERLIN, fold="second"),
    'DailyAt(2, 30, fold="both")': DailyAt(2, 30, tz=BERLIN, fold="both"),
    'Cron("30 2 * * *")': Cron("30 2 * * *", tz=BERLIN),
    'Cron("*/30 * * * *")': Cron("*/30 * * * *", tz=BERLIN),
    "Every(1800)": Every(1800),
}
MORNING = datetime(2026, 7, 1, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def spring() -> Chart:
    """The night in which an hour of the clock is missing."""
    change = datetime(2026, 3, 29, 1, tzinfo=UTC)
    title = "29 March 2026 in Berlin: at 02:00 the clocks go forward to 03:00"
    return night(title, "gap", Band(start=change, end=change), "02:00 to 03:00 is left out")


def autumn() -> Chart:
    """The night in which an hour of the clock comes twice."""
    back = datetime(2026, 10, 25, 1, tzinfo=UTC)
    title = "25 October 2026 in Berlin: at 03:00 the clocks go back to 02:00"
    return night(title, "fold", Band(start=back, end=back + timedelta(hours=1)), "02:00 to 03:00 comes again")


def night(title: str, option: str, band: Band, words: str) -> Chart:
    """Draw the night around *band*, with the schedules that differ by *option*."""
    start, end = band.start - 75 * MINUTE, band.start + 75 * MINUTE
    halves = [start + 15 * MINUTE + 30 * MINUTE * number for number in range(5)]
    return Chart(
        title=title,
        start=start,
        end=end,
        ticks=[(at, (f"{at.astimezone(ZoneInfo(BERLIN)):%H:%M}", f"{at:%H:%M} UTC")) for at in halves],
        bands=[band],
        rows=[
            Row(label=label, marks=[Mark(at=at) for at in schedule.between(start, end)])
            for label, schedule in NIGHT.items()
            if "=" not in label or option in label
        ],
        legend=[("run", "runs"), ("band", words)],
    )


def grid() -> Chart:
    """A fixed rate, as it is and with jitter."""
    start, end = MORNING - timedelta(seconds=5), MORNING + timedelta(seconds=65)
    exact, spread = task("prices", Every(10)), task("prices", Every(10, jitter=3))
    instants = list(Every(10).between(start, end))
    return Chart(
        title="Every(10): a grid that every process and every restart shares",
        start=start,
        end=end,
        ticks=[(at, (f"{at:%M:%S}",)) for at in instants],
        rows=[
            Row(label="Every(10)", marks=[Mark(at=due_at(exact, at)) for at in instants]),
            Row(label="Every(10, jitter=3)", marks=[Mark(at=due_at(spread, at)) for at in instants]),
            Row(
                label="the same, a restart at 09:00:27",
                marks=[Mark(at=due_at(spread, at)) for at in instants if at > MORNING + timedelta(seconds=27)],
            ),
        ],
    )


def catch_up() -> Chart:
    """Fifty minutes without a process, and what each policy makes of them."""
    start, end, length = MORNING - 5 * MINUTE, MORNING + 95 * MINUTE, 0.95 * MINUTE
    outage = (MORNING + 15 * MINUTE, MORNING + 65 * MINUTE)
    ticks = [MORNING + 20 * MINUTE * number for number in range(5)]
    return Chart(
        title="Every(600) and an outage of fifty minutes",
        start=start,
        end=end,
        ticks=[(at, (f"{at:%H:%M}",)) for at in ticks],
        bands=[Band(start=outage[0], end=outage[1])],
        rows=[
            runs_of(
                f'catch_up="{policy}"',
                simulate([work(policy)], start, end, outages=[outage], takes={"work": length}),
                length,
            )
            for policy in CatchUp
        ],
        legend=[("run", "on time"), ("late", "catches up"), ("band", "no process is running")],
    )


def overlap() -> Chart:
    """Runs of fourteen minutes on a schedule of ten."""
    start, end, length = MORNING - 5 * MINUTE, MORNING + 75 * MINUTE, 14 * MINUTE
    return Chart(
        title="Every(600), and each run takes fourteen minutes",
        start=start,
        end=end,
        ticks=[(at, (f"{at:%H:%M}",)) for at in Every(600).between(start, end)],
        rows=[
            runs_of(f'overlap="{policy}"', simulate([work(policy)], start, end, takes={"work": length}), length)
            for policy in Overlap
        ],
        legend=[("run", "on time"), ("late", "late by more than a minute")],
    )


def work(policy: CatchUp | Overlap) -> Task:
    """Return a task of ten minutes with *policy*."""
    option = "catch_up" if isinstance(policy, CatchUp) else "overlap"
    return task("work", Every(600), Options(**{option: policy}))


def task(name: str, schedule: Schedule, options: Options | None = None) -> Task:
    """Return a task that is not registered."""
    return Task(name=name, function=list, schedule=schedule, options=options or Options(), is_async=False)


def runs_of(label: str, runs: Runs, length: timedelta) -> Row:
    """Show *runs* as bars, the late ones in another colour, and how many did not run."""
    left_out = sum(skip.count for skip in runs.skips)
    marks = [
        Mark(at=run.started_at, until=run.started_at + length, kind="late" if run.trigger == "catch_up" else "run")
        for run in runs
    ]
    return Row(label=label, marks=marks, note=f"{len(runs)} runs" + (f", {left_out} left out" if left_out else ""))


DRAWINGS = {"spring": spring, "autumn": autumn, "grid": grid, "catch-up": catch_up, "overlap": overlap}

if __name__ == "__main__":
    for name, draw in DRAWINGS.items():
        (FOLDER / f"{name}.svg").write_text(draw().svg())
