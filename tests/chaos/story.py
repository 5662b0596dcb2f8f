"""Evidence made by hand, so that the checker can be shown what it must see.

A story begins well: two processes, 1 and 2, are at work from 0 on; 1 leads term 1 and starts ``tick`` every second
until 100, and history has a row of each start. What is told afterwards changes that.
"""

from dataclasses import dataclass, field, replace

from tests.chaos.project.jobs import PULSE, Job
from tests.chaos.records import Deed, Evidence, Lead, Row, Start, What

END = 100
TICK = Job(name="tick", period=1.0)
CLAIMED = Job(name="claimed", period=10.0, catch_up="all")
FLAKY = Job(name="flaky", period=1.0, fails=True)


@dataclass(slots=True)
class Story:
    """Starts are due at the second in which they are made; process 1 is replica r1, 2 is r2."""

    starts: list[Start] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    leads: list[Lead] = field(default_factory=list)
    jobs: tuple[Job, ...] = (TICK, CLAIMED, PULSE)

    def start(
        self, task: str, at: float, *, due: int | None = None, pid: int = 1, term: int | None = 1, **more
    ) -> Start:
        """A task starts, and history says so."""
        start = Start(
            task=task,
            due=(int(at) if due is None else due) * 1_000_000,
            attempt=more.pop("attempt", 1),
            trigger="schedule",
            term=term,
            run_id=f"{task} {at} {pid} {len(self.starts)}",
            replica=f"r{pid}",
            pid=pid,
            at=at,
        )
        self.starts.append(start)
        self.rows.append(row_of(start))
        return start

    def happens(self, what: What, at: float, pid: int | None = None) -> None:
        """Something is done to process *pid*, or to the database."""
        self.deeds.append(Deed(at=at, what=what, pid=pid, replica=f"r{pid}" if pid else None))

    def leads_from(self, at: float, pid: int | None, term: int) -> None:
        """The lease's row changes."""
        self.leads.append(Lead(at=at, term=term, pid=pid))

    def loses(self, task: str, begin: float, end: float) -> None:
        """Nobody starts *task* after *begin* and before *end*."""
        lost = {start.run_id for start in self.starts if start.task == task and begin < start.at < end}
        self.starts = [start for start in self.starts if start.run_id not in lost]
        self.rows = [row for row in self.rows if row.run_id not in lost]

    def is_led_by(self, pid: int, term: int, *, since: float) -> None:
        """What is started from *since* on is started by *pid*, in *term*."""
        self.leads_from(since, pid, term)
        for index, start in enumerate(self.starts):
            if start.task != PULSE.name and start.at >= since:
                self.starts[index] = replace(start, pid=pid, replica=f"r{pid}", term=term)
                self.rows[index] = row_of(self.starts[index])

    def forgets(self, *starts: Start) -> None:
        """History has no row of these."""
        lost = {start.run_id for start in starts}
        self.rows = [row for row in self.rows if row.run_id not in lost]

    def evidence(self) -> Evidence:
        """Return it all, in order of time."""
        return Evidence(
            jobs=self.jobs,
            starts=tuple(sorted(self.starts, key=lambda start: start.at)),
            deeds=tuple(sorted(self.deeds, key=lambda deed: deed.at)),
            rows=tuple(self.rows),
            leads=tuple(sorted(self.leads, key=lambda lead: lead.at)),
            began=0.0,
            ended=float(END),
        )


def a_good_one(*jobs: Job) -> Story:
    """Return a story in which nothing goes wrong; *jobs* are done every second besides."""
    story = Story(jobs=(TICK, CLAIMED, *jobs, PULSE))
    for pid in (1, 2):
        story.happens(What.STARTED, -5.0, pid)
        story.start(PULSE.name, -1.0, pid=pid, term=None)
    story.leads_from(-1.0, 1, 1)
    for second in range(END):
        for job in (TICK, *jobs):
            story.start(job.name, second + 0.5)
        if second % CLAIMED.period == 0:
            story.start(CLAIMED.name, second + 0.5)
    return story


def row_of(start: Start, **changes) -> Row:
    """Return the row that history should have of *start*."""
    row = Row(
        run_id=start.run_id,
        task=start.task,
        due=start.due,
        attempt=start.attempt,
        status="succeeded",
        pid=start.pid,
        count=1,
        term=start.term,
    )
    return replace(row, **changes)
