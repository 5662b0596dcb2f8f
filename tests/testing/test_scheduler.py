"""The scheduler fixture: real functions, real engine, virtual time."""

import asyncio
import logging
import sys
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.sessions.models import Session
from django.utils import timezone

from asyncsched import CatchUp, DailyAt, Every, Retry, current_run
from asyncsched.engine.runs import RunStatus, SkipReason, Trigger
from asyncsched.errors import UnknownTask
from asyncsched.testing import VirtualRun, VirtualScheduler
from tests.engine.conftest import make_task

MIDNIGHT = datetime(2026, 7, 1, tzinfo=UTC)


def at(**length: float) -> datetime:
    return MIDNIGHT + timedelta(**length)


def starts(runs: object) -> list[datetime]:
    return [run.started_at for run in runs]  # type: ignore[attr-defined]


def add_session(key: str, *, expired_at: datetime) -> None:
    Session.objects.create(session_key=key, session_data="", expire_date=expired_at)


# What runs


def test_a_registered_task_really_runs_at_its_time(scheduler: VirtualScheduler, db: None) -> None:
    scheduler.start("cleanup_expired_sessions", at=MIDNIGHT)
    add_session("old", expired_at=at(hours=1))
    add_session("young", expired_at=at(hours=5))
    (run,) = scheduler.run(hours=6)
    assert (run.started_at, run.status, run.value) == (at(hours=4), RunStatus.SUCCEEDED, "1")
    assert [session.session_key for session in Session.objects.all()] == ["young"]


def test_all_registered_tasks_take_part_if_none_are_named(scheduler: VirtualScheduler, db: None) -> None:
    scheduler.start(at=MIDNIGHT + timedelta(hours=3, minutes=59))
    tasks = {run.task for run in scheduler.run(minutes=32)}
    assert {"broadcast_system_status", "cleanup_expired_sessions", "cleanup_orphan_rule_entity_refs"} <= tasks


def test_a_schedule_without_a_zone_is_read_in_the_projects(
    scheduler: VirtualScheduler, settings: pytest.FixtureRequest
) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"  # type: ignore[attr-defined]
    scheduler.start(make_task(schedule=DailyAt(9)), at=MIDNIGHT - timedelta(minutes=1))
    assert starts(scheduler.run(minutes=2)) == [MIDNIGHT]


def test_runs_tell_what_a_function_returned_or_raised(scheduler: VirtualScheduler) -> None:
    def fail() -> None:
        raise OSError("no route")

    scheduler.start(make_task(fail, Every(60), is_async=False), at=MIDNIGHT)
    (run,) = scheduler.run(minutes=1)
    assert (run.status, run.error) == (RunStatus.FAILED, "OSError: no route")


def test_failed_runs_are_tried_again_after_their_delay(scheduler: VirtualScheduler) -> None:
    async def fail() -> None:
        raise OSError

    scheduler.start(make_task(fail, DailyAt(1), retry=Retry(attempts=3, delay=10)), at=MIDNIGHT)
    runs = scheduler.run(hours=2)
    assert [(run.attempt, run.started_at - at(hours=1)) for run in runs] == [
        (1, timedelta(0)),
        (2, timedelta(seconds=10)),
        (3, timedelta(seconds=30)),
    ]


def test_a_plain_function_that_hands_out_a_coroutine_is_a_failure(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(lambda: asyncio.sleep(0), Every(60), is_async=False), at=MIDNIGHT)
    (run,) = scheduler.run(minutes=1)
    assert run.error == "TypeError: a plain function returned a coroutine: register the 'async def' itself"


@pytest.mark.parametrize(
    "error", [StopIteration("x"), asyncio.CancelledError(), SystemExit(3), pytest.fail.Exception("x")]
)
def test_whatever_a_plain_function_raises_is_a_failed_run(scheduler: VirtualScheduler, error: BaseException) -> None:
    def fail() -> None:
        raise error

    scheduler.start(make_task(fail, Every(60), is_async=False), at=MIDNIGHT)
    assert [run.status for run in scheduler.run(minutes=2)] == [RunStatus.FAILED] * 2


def test_a_predicate_that_says_no_is_a_skip_with_its_reason(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(schedule=Every(60), is_async=False, enabled_when=lambda: False), at=MIDNIGHT)
    runs = scheduler.run(minutes=1)
    assert [skip.reason for skip in runs.skips] == [SkipReason.PREDICATE]


# Time


def test_the_wall_clock_shows_virtual_time_inside_a_task_and_goes_on_while_it_waits(
    scheduler: VirtualScheduler,
) -> None:
    seen = []

    async def look() -> None:
        seen.append(timezone.now())
        await asyncio.sleep(90)
        seen.append(datetime.now(UTC))
        await asyncio.to_thread(lambda: seen.append(datetime.fromtimestamp(time.time(), UTC)))

    scheduler.start(make_task(look, Every(3600)), at=MIDNIGHT)
    (run,) = scheduler.run(minutes=70)
    assert seen == [at(minutes=60), at(minutes=61.5), at(minutes=61.5)]
    assert (run.started_at, run.finished_at) == (at(minutes=60), at(minutes=61.5))


def test_time_stands_still_between_runs_and_while_a_plain_function_runs(scheduler: VirtualScheduler) -> None:
    seen = []

    def look() -> None:
        seen.append(timezone.now())
        time.sleep(0.01)
        seen.append(timezone.now())

    scheduler.start(make_task(look, Every(60), is_async=False), at=MIDNIGHT)
    scheduler.run(minutes=1)
    assert seen == [at(minutes=1)] * 2
    assert timezone.now() == scheduler.now == at(minutes=1)


def test_what_is_due_at_the_very_end_is_done_and_done_once(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(schedule=Every(60)), at=MIDNIGHT)
    assert starts(scheduler.run(minutes=2)) == [at(minutes=1), at(minutes=2)]
    assert starts(scheduler.run(until=at(minutes=3))) == [at(minutes=3)]
    assert len(scheduler.runs) == 3


def test_starts_are_exact_to_the_microsecond_after_years(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(schedule=Every(86_400.000_001)), at=MIDNIGHT)
    runs = scheduler.run(days=1500)
    assert len(runs) > 1400
    assert all(run.started_at == run.scheduled_for for run in runs)


def test_the_night_clocks_go_back_has_one_daily_run(scheduler: VirtualScheduler) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    scheduler.start(make_task(schedule=DailyAt(2, 30, tz="Europe/Berlin")), at=datetime(2026, 10, 24, tzinfo=berlin))
    runs = scheduler.run(days=3)
    assert [run.started_at.astimezone(berlin).strftime("%d %H:%M %Z") for run in runs] == [
        "24 02:30 CEST",
        "25 02:30 CEST",
        "26 02:30 CET",
    ]


def test_centuries_in_which_nothing_is_due_cost_nothing(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(schedule=Every(60)), at=MIDNIGHT)
    scheduler.pause("task")
    began = time.process_time()
    assert not scheduler.run(days=500 * 365)
    assert time.process_time() - began < 0.5


def test_real_time_is_back_afterwards() -> None:
    before = timezone.now()
    with VirtualScheduler() as scheduler:
        scheduler.start(make_task(), at=MIDNIGHT)
    assert before <= timezone.now() < before + timedelta(minutes=1)


# The database and threads


def test_plain_functions_share_the_transaction_of_the_test(scheduler: VirtualScheduler, db: None) -> None:
    def delete() -> int:
        return Session.objects.all().delete()[0]

    scheduler.start(make_task(delete, Every(60), is_async=False), at=MIDNIGHT)
    add_session("a", expired_at=MIDNIGHT)
    (run,) = scheduler.run(minutes=1)
    assert (run.value, Session.objects.count()) == ("1", 0)


def test_the_async_orm_shares_the_transaction_of_the_test(scheduler: VirtualScheduler, db: None) -> None:
    async def count() -> int:
        await Session.objects.acreate(session_key="b", session_data="", expire_date=timezone.now())
        return await Session.objects.acount()

    scheduler.start(make_task(count, Every(60)), at=MIDNIGHT)
    add_session("a", expired_at=MIDNIGHT)
    (run,) = scheduler.run(minutes=1)
    assert (run.value, Session.objects.count()) == ("2", 2)


def test_plain_functions_may_run_loops_of_their_own(scheduler: VirtualScheduler) -> None:
    async def answer() -> int:
        await asyncio.sleep(0)
        return 42

    def ask() -> tuple[int, int]:
        return async_to_sync(answer)(), asyncio.run(answer())

    async def ask_from_async() -> tuple[int, int]:
        return await sync_to_async(ask)()

    scheduler.start(make_task(ask, is_async=False, name="a"), make_task(ask_from_async, name="b"), at=MIDNIGHT)
    runs = scheduler.run(seconds=6)
    assert [run.value for run in runs] == ["(42, 42)"] * 6


def test_current_run_is_known_in_plain_functions(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(lambda: current_run().scheduled_for, Every(60), is_async=False), at=MIDNIGHT)
    (run,) = scheduler.run(minutes=1)
    assert run.value == str(at(minutes=1))


# What happens to a scheduler


def test_after_an_outage_the_latest_missed_occurrence_is_caught_up_on(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(schedule=Every(3600), catch_up=CatchUp.ONCE), at=MIDNIGHT)
    scheduler.run(hours=1)
    scheduler.stop()
    assert not scheduler.run(hours=3.5)
    scheduler.start()
    (late,) = scheduler.run(minutes=1)
    assert (late.trigger, late.scheduled_for, late.started_at) == (Trigger.CATCH_UP, at(hours=4), at(hours=4.5))
    assert [(skip.reason, skip.count) for skip in scheduler.runs.skips] == [(SkipReason.COALESCED, 2)]


async def two_hours() -> str:
    await asyncio.sleep(7200)
    return "done"


def test_a_stop_waits_for_what_runs_and_cuts_it_off_after_the_grace(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(two_hours, DailyAt(1)), at=MIDNIGHT)
    scheduler.run(hours=2)
    scheduler.stop(grace=100)
    (run,) = scheduler.runs
    assert run.status is RunStatus.CANCELLED
    assert at(hours=2, seconds=50) < scheduler.now <= at(hours=2, seconds=100)


def test_a_run_that_a_power_cut_ends_is_abandoned_and_not_run_again(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(two_hours, DailyAt(1)), at=MIDNIGHT)
    scheduler.run(hours=2)
    scheduler.kill()
    scheduler.run(hours=1)
    scheduler.start()
    runs = scheduler.run(days=1, hours=2)
    assert [(run.status, run.started_at) for run in scheduler.runs] == [
        (RunStatus.ABANDONED, at(hours=1)),
        (RunStatus.SUCCEEDED, at(days=1, hours=1)),
    ]
    assert not runs.skips


def test_unless_the_task_wants_it_to_be(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(two_hours, DailyAt(1), rerun_abandoned=True), at=MIDNIGHT)
    scheduler.run(hours=2)
    scheduler.kill()
    scheduler.start()
    scheduler.run(hours=12)
    assert [(run.attempt, run.status) for run in scheduler.runs] == [(1, "abandoned"), (2, "succeeded")]
    assert starts(scheduler.runs) == [at(hours=1), at(hours=2)]


def test_a_kill_takes_no_time_and_says_nothing(scheduler: VirtualScheduler, caplog: pytest.LogCaptureFixture) -> None:
    scheduler.start(make_task(two_hours, DailyAt(1)), make_task(name="idle"), at=MIDNIGHT)
    scheduler.run(hours=2)
    scheduler.kill()
    assert scheduler.now == at(hours=2)
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_paused_task_is_left_out_until_it_is_resumed(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(schedule=Every(60)), at=MIDNIGHT)
    scheduler.pause("task")
    assert not scheduler.run(minutes=10)
    scheduler.resume("task")
    runs = scheduler.run(minutes=1)
    assert starts(runs) == [at(minutes=11)]
    assert [(skip.reason, skip.count) for skip in runs.skips] == [(SkipReason.PAUSED, 10)]


def test_a_pause_outlives_a_restart(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(), at=MIDNIGHT)
    scheduler.pause("task")
    scheduler.run(minutes=1)
    scheduler.stop()
    scheduler.start()
    assert not scheduler.run(minutes=1)


def test_a_task_can_be_asked_for_a_run_now(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(schedule=DailyAt(3)), at=MIDNIGHT)
    scheduler.run(hours=1)
    scheduler.trigger("task")
    (run,) = scheduler.run(hours=1)
    assert (run.trigger, run.started_at) == (Trigger.MANUAL, at(hours=1))


def test_what_is_asked_for_while_it_is_stopped_begins_with_the_next_start(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(schedule=DailyAt(3)), at=MIDNIGHT)
    scheduler.stop()
    scheduler.trigger("task")
    scheduler.start()
    (run,) = scheduler.run(seconds=2)
    assert run.trigger is Trigger.MANUAL


def test_a_clock_set_forward_is_seen_by_tasks_and_by_the_schedule(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(schedule=DailyAt(3)), at=MIDNIGHT)
    scheduler.step_clock(timedelta(hours=2, minutes=59))
    assert timezone.now() == at(hours=2, minutes=59)
    assert starts(scheduler.run(minutes=1)) == [at(hours=3)]


def test_a_restart_may_be_an_update_with_other_tasks(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(name="old"), at=MIDNIGHT)
    scheduler.run(seconds=2)
    scheduler.stop()
    scheduler.start(make_task(name="new"))
    assert [run.task for run in scheduler.run(seconds=2)] == ["new"]


def test_a_month_is_simulated_without_calling_anything(scheduler: VirtualScheduler) -> None:
    end = MIDNIGHT + timedelta(days=31)
    outage = at(days=10), at(days=11, hours=5)
    runs = scheduler.simulate(start=MIDNIGHT, end=end, outages=[outage])
    assert len(runs) > 2_300_000
    assert [run.trigger for run in runs.of("cleanup_old_events")].count(Trigger.CATCH_UP) == 1


# Mistakes


async def test_an_async_test_is_told_to_be_a_plain_one(scheduler: VirtualScheduler) -> None:
    with pytest.raises(RuntimeError, match="make the test a plain 'def'"):
        scheduler.start(make_task())


def test_an_unknown_name_is_refused_with_a_suggestion(scheduler: VirtualScheduler) -> None:
    with pytest.raises(UnknownTask, match="did you mean 'cleanup_old_events'"):
        scheduler.start("cleanup_old_event")
    scheduler.start("cleanup_old_events")
    with pytest.raises(UnknownTask, match="no task 'cleanup' takes part; those that do: cleanup_old_events"):
        scheduler.pause("cleanup")


def test_naive_times_are_refused(scheduler: VirtualScheduler) -> None:
    naive = MIDNIGHT.replace(tzinfo=None)
    with pytest.raises(ValueError, match="no time zone"):
        scheduler.start(make_task(), at=naive)
    scheduler.start(make_task())
    with pytest.raises(ValueError, match="no time zone"):
        scheduler.run(until=naive)


def test_calls_in_the_wrong_order_say_what_is_missing(scheduler: VirtualScheduler) -> None:
    with pytest.raises(RuntimeError, match="time has not begun"):
        scheduler.run(hours=1)
    with pytest.raises(RuntimeError, match="not running: start"):
        scheduler.stop()
    scheduler.start(make_task(), at=MIDNIGHT)
    with pytest.raises(RuntimeError, match=r"stop\(\) or kill\(\) it"):
        scheduler.start()
    scheduler.stop()
    with pytest.raises(RuntimeError, match="let it pass"):
        scheduler.start(at=at(days=1))


def test_time_does_not_pass_backwards(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(), at=MIDNIGHT)
    with pytest.raises(ValueError, match=r"step_clock\(\)"):
        scheduler.run(until=at(hours=-1))
    with pytest.raises(ValueError, match="not both"):
        scheduler.run(hours=1, until=at(hours=1))


def test_a_missing_library_is_named_with_the_fix(scheduler: VirtualScheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "time_machine", None)
    with pytest.raises(ImportError, match=r"pip install asyncsched\[testing\]"):
        scheduler.start(make_task())


# The results


def test_runs_are_in_the_order_of_their_starts_and_can_be_narrowed_to_a_task(scheduler: VirtualScheduler) -> None:
    scheduler.start(make_task(name="b"), make_task(name="a", schedule=Every(3)), at=MIDNIGHT)
    runs = scheduler.run(seconds=6)
    assert [(run.task, run.started_at) for run in runs] == [
        ("b", at(seconds=2)),
        ("a", at(seconds=3)),
        ("b", at(seconds=4)),
        ("a", at(seconds=6)),
        ("b", at(seconds=6)),
    ]
    assert [runs[index] for index in range(len(runs))] == list(runs)
    assert runs[-2:] == list(runs)[-2:]
    assert starts(runs.of("a")) == [at(seconds=3), at(seconds=6)]
    assert not runs.of("unknown")
    assert repr(runs) == "<Runs a: 2, b: 3; 0 skipped>"


def test_a_run_is_a_value() -> None:
    moment = at(hours=1)
    assert VirtualRun(task="a", scheduled_for=moment, started_at=moment, finished_at=moment) == VirtualRun(
        task="a", scheduled_for=moment, started_at=moment, finished_at=moment
    )
