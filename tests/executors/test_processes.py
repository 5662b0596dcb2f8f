"""Runs that are handed to processes of this machine."""

import asyncio
import os
import select
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from asyncsched import Every
from asyncsched.engine.clock import SystemClock
from asyncsched.engine.runner import Runner
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus, new_run_id
from asyncsched.errors import ConfigurationError
from asyncsched.executors.child import PROGRAM
from asyncsched.executors.configured import Setup
from asyncsched.executors.processes import ProcessExecutor
from tests.engine.conftest import make_task
from tests.support.deadline import eventually
from tests.support.servers import DAPHNE, ROOT, Server

PROJECT = Path(__file__).parent / "crunching"
SETTINGS = "tests.executors.crunching.settings"


class Processes:
    """An executor of processes, and what the runs that were handed to it have said of their progress."""

    def __init__(self, **options: Any) -> None:
        self.executor = ProcessExecutor(Setup(name="processes", replica="r", log_lines=10, options=options))
        self.runner = Runner(SystemClock(), self.executor, on_progress=lambda run: self.said.append(run.done_of_total))
        self.said: list[tuple[int, int | None]] = []
        self._running: list[asyncio.Task[None]] = []

    async def run(self, name: str, **options: Any) -> RunResult:
        """Run the task *name* of the project and return how it ended."""
        ended: list[RunResult] = []
        now = datetime.now(UTC)
        claim = Claim(run_id=new_run_id(), occurrence=Occurrence(task=name, scheduled_for=now))
        task = make_task(name=name, schedule=Every(3600), **options)
        run = asyncio.create_task(self.runner.run(task, claim, due_at=now, report=ended.append))
        self._running.append(run)
        await asyncio.wait([run])
        return ended[0]

    async def begin(self, name: str) -> tuple[asyncio.Task[RunResult], tuple[int, int | None]]:
        """Begin to run it; return the run and the ids of its processes once the function has said them."""
        run = asyncio.create_task(self.run(name))
        await eventually(lambda: self.said or run.done())
        return run, self.said[-1]

    def cut_off(self) -> None:
        """End what is running, as a drain or a timeout does."""
        for run in self._running:
            run.cancel()

    async def close(self) -> None:
        """End what is running, and all processes."""
        self.cut_off()
        await asyncio.gather(*self._running, return_exceptions=True)
        await self.executor.close(5)


@pytest.fixture
async def make(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable[..., Processes]]:
    """A factory of executors of processes that have the project's settings."""
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", SETTINGS)
    made: list[Processes] = []

    def make_one(**options: Any) -> Processes:
        made.append(Processes(**options))
        return made[-1]

    yield make_one
    for one in made:
        await one.close()
    assert not _watched()


@pytest.fixture
def processes(make: Callable[..., Processes]) -> Processes:
    return make(max_workers=1)


def _watched() -> list[asyncio.Task[Any]]:
    """Return what waits in this loop for the end of processes."""
    return [task for task in asyncio.all_tasks() if task.get_name() == "asyncsched process"]


def is_alive(process_id: int) -> bool:
    """False also of one that has ended and that nobody has asked for its exit code."""
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


async def test_a_process_performs_one_run_after_the_other(processes: Processes) -> None:
    ids = {(await processes.run("process_id")).value for _ in range(3)}
    assert len(ids) == 1
    assert str(os.getpid()) not in ids


async def test_runs_at_the_same_time_have_processes_of_their_own(make: Callable[..., Processes]) -> None:
    processes = make(max_workers=2)
    _, (first, _) = await processes.begin("cleans_up")
    assert (await processes.run("process_id")).value not in (str(first), None)


async def test_while_all_processes_are_busy_a_run_waits(processes: Processes) -> None:
    await processes.begin("cleans_up")
    result = await processes.run("process_id", timeout=0.1)
    assert (result.status, result.error) == (RunStatus.TIMED_OUT, "found no free process within 0.1 s")


async def test_one_that_has_had_nothing_to_do_for_long_enough_ends(make: Callable[..., Processes]) -> None:
    process_id = int((await make(idle_seconds=0).run("process_id")).value or 0)
    await eventually(lambda: not is_alive(process_id))


async def test_one_that_dies_while_it_has_nothing_to_do_is_replaced(processes: Processes) -> None:
    before = (await processes.run("process_id")).value or ""
    os.kill(int(before), signal.SIGKILL)
    await eventually(lambda: not _watched())
    after = await processes.run("process_id")
    assert after.status is RunStatus.SUCCEEDED
    assert after.value != before


async def test_a_run_whose_process_is_killed_is_abandoned_and_the_next_has_another(processes: Processes) -> None:
    run, (process_id, _) = await processes.begin("cleans_up")
    os.kill(process_id, signal.SIGKILL)
    result = await run
    assert (result.status, result.error) == (RunStatus.ABANDONED, "its process was ended by SIGKILL")
    assert (await processes.run("process_id")).status is RunStatus.SUCCEEDED


async def test_so_is_one_whose_function_ends_the_process(processes: Processes) -> None:
    result = await processes.run("exits_with_3")
    assert (result.status, result.error) == (RunStatus.ABANDONED, "its process ended with exit code 3")


async def test_that_a_process_has_died_is_seen_though_what_it_forked_lives_on(processes: Processes) -> None:
    run, (process_id, fork) = await processes.begin("forks")
    os.kill(process_id, signal.SIGKILL)
    assert (await run).status is RunStatus.ABANDONED
    assert fork
    os.kill(fork, signal.SIGKILL)


@pytest.mark.parametrize("name", ["cleans_up", "cleans_up_async"])
async def test_a_function_that_is_cut_off_cleans_up_and_its_log_is_kept(processes: Processes, name: str) -> None:
    run, (process_id, _) = await processes.begin(name)
    processes.cut_off()
    result = await run
    assert result.status is RunStatus.CANCELLED
    assert "cleaned up" in (result.log or "")
    assert not is_alive(process_id)


async def test_one_that_does_not_let_go_is_killed_with_what_it_has_started(processes: Processes) -> None:
    run, (process_id, started) = await processes.begin("does_not_let_go")
    processes.cut_off()
    await run
    assert started
    await eventually(lambda: not is_alive(started))
    assert not is_alive(process_id)


async def test_a_run_is_told_when_it_is_to_stop_early(processes: Processes) -> None:
    run, _ = await processes.begin("stops_when_told")
    processes.runner.ask_to_stop()
    assert (await run).value == "stopped"


async def test_of_much_progress_little_is_told_but_always_the_last(processes: Processes) -> None:
    await processes.run("counts")
    assert processes.said[-1] == (20_000, 20_000)
    assert len(processes.said) < 1_000


async def test_a_function_finds_its_standard_input_empty(processes: Processes) -> None:
    assert (await processes.run("reads_standard_input")).value == ""


async def test_where_django_cannot_be_set_up_the_run_fails_and_says_why(
    make: Callable[..., Processes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "nowhere.settings")
    result = await make().run("process_id")
    assert (result.status, result.error) == (RunStatus.FAILED, "ModuleNotFoundError: No module named 'nowhere'")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"max_workers": 0}, "OPTIONS['max_workers'] must be a whole number above 0, but is 0"),
        ({"max_workers": True}, "OPTIONS['max_workers'] must be a whole number above 0, but is True"),
        ({"idle_seconds": -1}, "OPTIONS['idle_seconds'] must be a number of seconds, but is -1"),
        ({"workers": 2}, "OPTIONS has 'workers'; known are 'max_workers' and 'idle_seconds'"),
    ],
)
def test_a_bad_option_is_named(options: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Processes(**options)
    assert str(raised.value) == complaint


def test_settings_that_no_other_process_could_find_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    with pytest.raises(ConfigurationError, match="DJANGO_SETTINGS_MODULE"):
        Processes()


def test_a_process_ends_with_its_executor_also_if_that_has_not_heard_it_out() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, *sys.path], stdin=theirs, start_new_session=True)
    with ours:
        select.select([ours], [], [])  # it has said that it is ready
    assert process.wait(60) == 0


UNGUARDED = """
import asyncio, os

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.executors.crunching.settings"
print("serves")

from tests.executors.test_processes import Processes

async def main():
    processes = Processes()
    print((await processes.run("process_id")).status)
    await processes.close()

asyncio.run(main())
"""


@pytest.mark.e2e
def test_nothing_of_the_program_that_serves_is_run_again(tmp_path: Path) -> None:
    script = tmp_path / "serve.py"
    script.write_text(UNGUARDED)
    path = os.pathsep.join([str(ROOT), str(ROOT / "backend")])
    done = subprocess.run(
        [sys.executable, str(script)], env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["serves", "succeeded"]


class Site:
    """The project under Daphne, which begins to run ``stops_when_told`` when it starts."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "db.sqlite3"
        environment = {
            "PYTHONPATH": os.pathsep.join([str(PROJECT), str(ROOT), str(ROOT / "backend")]),
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            "CRUNCHING_DATABASE": str(self.database),
            "CRUNCHING_ON_START": "stops_when_told",
        }
        subprocess.run([sys.executable, "-m", "django", "migrate", "-v", "0"], env=os.environ | environment, check=True)
        self.server = Server(DAPHNE, folder=folder, project=PROJECT, environment=environment)

    def process_id(self) -> int:
        """Return the id of the process in which the function runs, as soon as it does."""
        self.server.wait_until_logged("runs in ")
        return int(self.server.log.partition("runs in ")[2].split()[0])

    def runs(self) -> list[tuple[str, str]]:
        """Return status and value of the runs of the function."""
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(
                "SELECT status, result FROM asyncsched_taskrun WHERE task = 'stops_when_told'"
            ).fetchall()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    with site.server:
        yield site


@pytest.mark.e2e
async def test_a_server_that_is_killed_takes_its_processes_with_it(site: Site) -> None:
    process_id = site.process_id()
    site.server.stop(signal.SIGKILL)
    await eventually(lambda: not is_alive(process_id))


@pytest.mark.e2e
def test_a_signal_that_reaches_every_process_lets_the_server_drain(site: Site) -> None:
    process_id = site.process_id()
    os.kill(process_id, signal.SIGTERM)
    os.kill(process_id, signal.SIGINT)
    assert site.server.stop(signal.SIGTERM) == 0
    assert site.runs() == [("succeeded", "stopped")]
    assert not is_alive(process_id)
    assert site.server.leaks == []
