"""What a run writes to the log is kept with it, and with no other; it costs others nothing and never fails."""

import asyncio
import logging
import re
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from asyncsched import Every
from asyncsched.engine import run_lines, run_log
from asyncsched.engine.executor import LocalExecutor
from asyncsched.engine.run_log import LogKeeping
from asyncsched.engine.runner import Runner
from asyncsched.engine.runs import Claim, Occurrence, RunResult, RunStatus
from asyncsched.testing import VirtualClock
from tests.engine.conftest import make_task

logger = logging.getLogger("shop")


@pytest.fixture(autouse=True)
def everything_is_logged() -> Iterator[None]:
    logger.setLevel(logging.DEBUG)
    yield
    logger.setLevel(logging.NOTSET)


class Runs:
    """Runs functions as a scheduler does, and keeps the results."""

    def __init__(self, lines: int = 200) -> None:
        self.runner = Runner(VirtualClock(), LocalExecutor(4, during=LogKeeping(lines)))

    async def run(self, function: Callable[[], Any], *, is_async: bool = True, **options: Any) -> RunResult:
        task = make_task(function, Every(60), is_async=is_async, **options)
        now = datetime.now(UTC)
        claim = Claim(run_id="1", occurrence=Occurrence(task=task.name, scheduled_for=now))
        results: list[RunResult] = []
        await self.runner.run(task, claim, due_at=now, report=results.append)
        return results[0]

    async def log(self, function: Callable[[], Any], *, is_async: bool = True, **options: Any) -> str | None:
        return (await self.run(function, is_async=is_async, **options)).log


def without_times(log: str | None) -> list[str]:
    return [re.sub(r"^\d\d:\d\d:\d\d\.\d\d\d ", "", line) for line in (log or "").splitlines()]


class TestWhatIsKept:
    async def test_a_line_has_time_level_and_logger(self) -> None:
        async def work() -> None:
            logger.info("%d orders", 3)

        log = await Runs().log(work)
        assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d\d\d INFO shop: 3 orders", log or "")

    async def test_a_sync_task_writes_from_its_thread(self) -> None:
        assert without_times(await Runs().log(lambda: logger.warning("slow"), is_async=False)) == ["WARNING shop: slow"]

    async def test_so_do_tasks_and_threads_that_the_run_starts(self) -> None:
        async def work() -> None:
            await asyncio.create_task(child())
            await asyncio.to_thread(logger.info, "in a thread")

        async def child() -> None:
            logger.info("in a task")

        assert without_times(await Runs().log(work)) == ["INFO shop: in a task", "INFO shop: in a thread"]

    async def test_an_exception_is_part_of_its_line(self) -> None:
        def work() -> None:
            try:
                {}["order 7"]
            except KeyError:
                logger.exception("one is skipped")

        log = without_times(await Runs().log(work, is_async=False))
        assert log[:2] == ["ERROR shop: one is skipped", "Traceback (most recent call last):"]
        assert log[-1] == "KeyError: 'order 7'"

    async def test_a_run_that_fails_keeps_its_lines(self) -> None:
        async def work() -> None:
            logger.info("before")
            raise ValueError

        result = await Runs().run(work)
        assert (result.status, without_times(result.log)) == (RunStatus.FAILED, ["INFO shop: before"])

    @pytest.mark.looptime
    async def test_so_does_one_that_takes_too_long(self) -> None:
        async def work() -> None:
            logger.info("waiting")
            await asyncio.sleep(60)

        result = await Runs().run(work, timeout=5.0)
        assert (result.status, without_times(result.log)) == (RunStatus.TIMED_OUT, ["INFO shop: waiting"])

    async def test_a_run_that_writes_nothing_has_none(self) -> None:
        assert await Runs().log(lambda: None, is_async=False) is None

    async def test_what_the_project_does_not_log_is_not_kept(self) -> None:
        logger.setLevel(logging.WARNING)
        assert await Runs().log(lambda: logger.info("too quiet"), is_async=False) is None


class TestWhose:
    async def test_runs_side_by_side_have_each_their_own(self) -> None:
        runs = Runs()
        both = asyncio.Barrier(2)

        def work(name: str) -> Callable[[], Any]:
            async def write() -> None:
                await both.wait()
                logger.info("%s begins", name)
                await both.wait()
                logger.info("%s ends", name)

            return write

        logs = await asyncio.gather(runs.log(work("a")), runs.log(work("b")))
        assert [without_times(log) for log in logs] == [
            [f"INFO shop: {name} begins", f"INFO shop: {name} ends"] for name in "ab"
        ]

    async def test_lines_of_others_belong_to_none(self) -> None:
        begun, go_on = asyncio.Event(), asyncio.Event()

        async def work() -> None:
            begun.set()
            await go_on.wait()

        run = asyncio.create_task(Runs().log(work))
        await begun.wait()
        logger.warning("a request")
        go_on.set()
        assert await run is None

    async def test_what_comes_after_the_end_is_not_kept(self) -> None:
        left: list[asyncio.Task[None]] = []
        runs = Runs()
        over = asyncio.Event()

        async def straggler() -> None:
            await over.wait()
            logger.info("late")

        async def start() -> None:
            left.append(asyncio.create_task(straggler()))

        async def next_run() -> None:
            over.set()
            await left[0]
            logger.info("mine")

        assert await runs.log(start) is None
        assert without_times(await runs.log(next_run)) == ["INFO shop: mine"]


class TestBounds:
    async def test_of_many_lines_the_latest_are_kept_and_the_others_counted(self) -> None:
        def work() -> None:
            for number in range(1_250):
                logger.info("%d", number)

        log = without_times(await Runs(lines=3).log(work, is_async=False))
        assert log == [
            "(1,247 earlier lines are left out)",
            "INFO shop: 1247",
            "INFO shop: 1248",
            "INFO shop: 1249",
        ]

    async def test_their_length_is_bounded_too(self) -> None:
        def work() -> None:
            for number in range(100):
                logger.info("%03d %s", number, "x" * 1_000)

        log = await Runs().log(work, is_async=False)
        assert log is not None
        assert 18_000 < len(log) < run_lines.MOST_CHARACTERS + 100
        assert without_times(log)[0] == f"({100 - log.count('INFO')} earlier lines are left out)"
        assert "099 x" in log.splitlines()[-1]

    async def test_a_line_without_end_keeps_its_beginning_and_its_end(self) -> None:
        log = await Runs().log(lambda: logger.info("begin %s end", "x" * 1_000_000), is_async=False)
        assert log is not None
        assert len(log) < run_log.LONGEST_LINE + 10
        assert "begin xxx" in log
        assert log.endswith("xxx end")

    async def test_what_nobody_can_print_is_replaced_and_lines_and_tabs_stay(self) -> None:
        log = await Runs().log(lambda: logger.info("a\x1b[31m\0b\n\tc\x85"), is_async=False)
        assert without_times(log) == ["INFO shop: a\ufffd[31m\ufffdb", "\tc\ufffd"]


class TestNeverInTheWay:
    async def test_nothing_listens_while_nothing_runs(self) -> None:
        before = list(logging.getLogger().handlers)
        during: list[int] = []
        await Runs().log(lambda: during.append(len(logging.getLogger().handlers)), is_async=False)
        assert during == [len(before) + 1]
        await asyncio.sleep(0)
        assert logging.getLogger().handlers == before

    def test_nothing_listens_after_a_run_that_outlived_its_loop(self) -> None:
        before = list(logging.getLogger().handlers)
        with LogKeeping(10):
            assert len(logging.getLogger().handlers) == len(before) + 1
        assert logging.getLogger().handlers == before

    async def test_a_value_that_cannot_be_put_into_words_fails_nothing(self) -> None:
        class Unspeakable:
            def __str__(self) -> str:
                raise RuntimeError("no")

        with quiet():
            result = await Runs().run(lambda: logger.info("%s", Unspeakable()), is_async=False)
        assert result.status is RunStatus.SUCCEEDED
        assert result.log == "(a line of shop cannot be put into words: RuntimeError)"

    async def test_a_value_that_logs_when_it_is_put_into_words_does_not_go_round_in_circles(self) -> None:
        class Chatty:
            def __str__(self) -> str:
                logger.info("asked again: %s", self)
                return "chatty"

        with quiet():
            log = await Runs().log(lambda: logger.info("%s", Chatty()), is_async=False)
        assert without_times(log) == ["INFO shop: chatty"]

    async def test_a_thread_that_takes_long_over_its_line_does_not_keep_the_loop_waiting(self) -> None:
        asked, answer = threading.Event(), threading.Event()

        class Slow:
            def __str__(self) -> str:
                asked.set()
                answer.wait(30)
                return "slow"

        async def quick() -> None:
            await asyncio.to_thread(asked.wait, 30)
            logger.info("quick")
            answer.set()

        runs = Runs()
        with quiet():
            logs = await asyncio.gather(runs.log(lambda: logger.info("%s", Slow()), is_async=False), runs.log(quick))
        assert [without_times(log) for log in logs] == [["INFO shop: slow"], ["INFO shop: quick"]]


class quiet:  # noqa: N801 - reads as a statement
    """No handler but ours: pytest's own would put everything into words as well, under a lock."""

    def __enter__(self) -> None:
        self.before = logging.getLogger().handlers
        logging.getLogger().handlers = []

    def __exit__(self, *exc_info: object) -> None:
        logging.getLogger().handlers = self.before


@pytest.mark.parametrize("is_alone", [True, False], ids=["nobody listens", "somebody listens"])
async def test_without_any_handler_warnings_still_go_to_standard_error(
    capsys: pytest.CaptureFixture[str], is_alone: bool
) -> None:
    handler = logging.NullHandler()

    def work() -> None:
        logger.warning("look")
        logger.info("never mind")

    with quiet():
        if not is_alone:
            logger.addHandler(handler)
        try:
            await Runs().log(work, is_async=False)
        finally:
            logger.removeHandler(handler)
    assert capsys.readouterr().err == ("look\n" if is_alone else "")
