"""What every executor keeps, wherever it lets functions run. Its tests are run for each: see ``test_*_contract.py``."""

import asyncio
import json
import os
from datetime import UTC
from functools import partial

from asyncsched import Overlap
from asyncsched.engine.runs import RunStatus
from tests.executors.stage import Stage, errand
from tests.support.deadline import eventually

SUCCEEDED, FAILED, SKIPPED = RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.SKIPPED


class Contract:
    """The modules that subclass it have a fixture ``stage``, with the executor on it."""

    async def test_what_a_function_returns_is_the_value_of_its_run(self, stage: Stage) -> None:
        result = await stage.run("answers")
        assert (result.status, result.value, result.error) == (SUCCEEDED, "42", None)

    async def test_an_async_function_runs_on_a_loop(self, stage: Stage) -> None:
        result = await stage.run("answers_async")
        assert (result.status, result.value) == (SUCCEEDED, "from a loop")

    async def test_who_returns_nothing_has_no_value(self, stage: Stage) -> None:
        result = await stage.run("says_nothing")
        assert (result.status, result.value) == (SUCCEEDED, None)

    async def test_a_value_that_cannot_be_put_into_words_is_no_failure(self, stage: Stage) -> None:
        result = await stage.run("answers_unprintably")
        assert (result.status, result.value) == (SUCCEEDED, "<unprintable Unprintable: ValueError: no words>")

    async def test_what_a_function_raises_fails_the_run_and_the_traceback_ends_in_the_function(
        self, stage: Stage
    ) -> None:
        for name in ("fails", "fails_async"):
            result = await stage.run(name)
            assert (result.status, result.error) == (FAILED, "ValueError: no such thing")
            *_, place, line, error = (result.traceback or "").rstrip().splitlines()
            assert f"in {name}" in place
            assert (line.strip(), error) == ('raise ValueError("no such thing")', "ValueError: no such thing")

    async def test_a_function_that_exits_fails_and_the_next_run_finds_somebody_to_run_it(self, stage: Stage) -> None:
        result = await stage.run("exits")
        assert (result.status, result.error) == (FAILED, "SystemExit: enough")
        assert (await stage.run("answers")).status is SUCCEEDED

    async def test_a_plain_function_that_returns_a_coroutine_fails(self, stage: Stage) -> None:
        result = await stage.run("returns_a_coroutine")
        assert result.status is FAILED
        assert str(result.error).startswith("TypeError: a plain function returned a coroutine")

    async def test_a_task_that_is_not_enabled_is_skipped_and_its_function_not_called(self, stage: Stage) -> None:
        for name in ("is_not_enabled", "is_not_enabled_async"):
            run = await stage.begin(name)
            assert (await run.result()).status is SKIPPED
            assert run.notes == []

    async def test_who_runs_a_task_by_force_does_not_ask_whether_it_is_enabled(self, stage: Stage) -> None:
        for name in ("is_not_enabled", "is_not_enabled_async"):
            run = await stage.begin(errand(name, enabled_when=None))
            assert (await run.result()).status is SUCCEEDED
            assert run.notes == ["ran"]

    async def test_a_function_knows_its_run(self, stage: Stage) -> None:
        run = await stage.begin("tells_its_run")
        result = await run.result()
        occurrence = run.claim.occurrence
        due = occurrence.scheduled_for.astimezone(UTC).isoformat()
        assert json.loads(result.value or "") == [run.id, "tells_its_run", due, "schedule", 1, run.claim.term]

    async def test_how_far_a_run_is_is_known_while_it_goes_on_and_in_the_end(self, stage: Stage) -> None:
        run = await stage.begin("progresses")
        await eventually(lambda: (run.id, 1, 3) in stage.progressed)
        run.let_go_on()
        await run.result()
        assert stage.progressed[-1] == (run.id, 3, 3)

    async def test_what_a_run_writes_to_the_log_is_kept_with_it(self, stage: Stage) -> None:
        assert (await stage.run("logs")).log.endswith("WARNING errands: the tide is out")
        assert (await stage.run("logs_async")).log.endswith("WARNING errands: the tide is in")
        assert (await stage.run("answers")).log is None

    async def test_a_run_that_is_over_its_time_is_told_or_ended(self, stage: Stage) -> None:
        for name in ("heeds", "heeds_async"):
            for limit in (1, 5, 25):  # on a busy machine it may take long until somebody comes to run it
                run = await stage.begin(errand(name, timeout=limit))
                result = await run.result()
                assert result.status is RunStatus.TIMED_OUT
                if not (result.error or "").startswith("found no free "):
                    break
            assert result.error == f"did not finish within {limit} s"
            await eventually(partial(_is_over, run))

    async def test_a_run_that_is_cut_off_is_told_or_ended(self, stage: Stage) -> None:
        for name in ("heeds", "heeds_async"):
            run = await stage.begin(name)
            await run.noted("began")
            await run.picked_up()
            run.performing.cancel()
            result = await run.result()
            assert (result.status, result.error) == (RunStatus.CANCELLED, "cut off before it had finished")
            await eventually(partial(_is_over, run))

    async def test_every_run_finds_its_database_connection_fresh(self, stage: Stage) -> None:
        assert [(await stage.run("meets_a_fresh_connection")).value for _ in range(3)] == ["True"] * 3

    async def test_two_runs_go_on_at_once(self, stage: Stage) -> None:
        held = errand("holds", overlap=Overlap.ALLOW)
        runs = [await stage.begin(held) for _ in range(2)]
        await asyncio.gather(*(run.noted("began") for run in runs))
        for run in runs:
            run.let_go_on()
        assert [(await run.result()).value for run in runs] == ["held", "held"]


def _is_over(run) -> bool:
    """Return whether the function has ended, in whatever way, or its process has."""
    return {"cut off", "stopped"} & set(run.notes) or not os.path.exists(f"/proc/{run.process}")  # noqa: PTH110
