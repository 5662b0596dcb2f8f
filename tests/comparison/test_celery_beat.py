"""What the comparison says of Celery's beat, and of django-celery-beat, which keeps its schedules in tables."""

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery import Celery
from celery.beat import Scheduler
from celery.schedules import BaseSchedule, crontab, schedule

from tests.comparison.findings import findings_of

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def app() -> Celery:
    """An app of Berlin's time whose broker is in memory."""
    made = Celery(broker="memory://", set_as_current=False)
    made.conf.timezone = "Europe/Berlin"
    return made


class Beat(Scheduler):
    """A beat with one entry, which it believes to have sent *last*. In place of sending a message it counts."""

    def __init__(self, app: Celery, when: BaseSchedule, last: datetime) -> None:
        super().__init__(app, lazy=True)
        self.update_from_dict({"job": {"task": "job", "schedule": when, "last_run_at": last}})
        self.sent = 0

    def send_task(self, *arguments: Any, **options: Any) -> None:
        self.sent += 1


def test_two_beats_send_everything_twice(app):
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    beats = [Beat(app, schedule(1800, app=app), an_hour_ago) for _ in range(2)]
    for beat in beats:
        beat.tick()
    assert [beat.sent for beat in beats] == [1, 1]


def test_what_was_missed_is_sent_once_at_once_however_long_ago(app):
    beat = Beat(app, crontab(minute=30, hour=2, app=app), datetime.now(UTC) - timedelta(days=3))
    beat.tick()
    beat.tick()
    assert beat.sent == 1


def test_an_interval_counts_from_the_last_sending_so_that_what_is_late_once_stays_so(app):
    now = datetime.now(UTC)
    every_half_minute = schedule(30, app=app, nowfun=lambda: now)
    assert every_half_minute.is_due(now - timedelta(seconds=34)) == (True, 30)  # four seconds late, then 30 more


def test_the_next_message_is_sent_whether_or_not_the_last_was_worked_off(app):
    beat = Beat(app, schedule(0, app=app), datetime.now(UTC))
    for _ in range(3):
        beat.tick()
    assert beat.sent == 3


def sent_on(app: Celery, day: datetime) -> list[str]:
    """Look every ten minutes from *day* on for 30 hours; return when a job of 02:30 was sent, on Berlin's clocks."""
    now = day
    nightly = crontab(minute=30, hour=2, app=app, nowfun=lambda: now)
    last, found = now, []
    for _ in range(30 * 6):
        if nightly.is_due(last).is_due:
            found.append(f"{now.astimezone(BERLIN):%d %H:%M %Z}")
            last = now
        now += timedelta(minutes=10)
    return found


def test_a_time_that_spring_leaves_out_is_sent_an_hour_late(app):
    assert sent_on(app, datetime(2026, 3, 28, 22, tzinfo=UTC)) == ["29 03:30 CEST", "30 02:30 CEST"]


def test_a_time_that_comes_twice_in_autumn_is_sent_once(app):
    assert sent_on(app, datetime(2026, 10, 24, 22, tzinfo=UTC)) == ["25 02:30 CEST", "26 02:30 CET"]


def test_an_async_function_is_never_awaited_and_counts_as_a_success(app):
    @app.task
    async def job() -> None:
        """Nothing."""

    ended = job.apply()
    assert ended.state == "SUCCESS"
    assert inspect.getcoroutinestate(ended.result) == inspect.CORO_CREATED
    ended.result.close()


@pytest.fixture(scope="module")
def of_rows() -> dict[str, Any]:
    """What django-celery-beat's own scheduler does."""
    pytest.importorskip("django_celery_beat", reason="django-celery-beat asks for a Django below 6.1")
    return findings_of("django_celery_beat_rows")


def test_rows_are_looked_at_every_five_seconds(of_rows):
    assert of_rows["looks_every"] == 5


def test_two_beats_on_the_same_rows_send_everything_twice(of_rows):
    assert of_rows["two_beats"] == [["row 10 12:00"], ["row 10 12:00"]]


def test_a_row_remembers_when_it_was_sent_last_and_how_often(of_rows):
    assert of_rows["remembers"] == {"last": "10 12:00", "runs": 1}


def test_a_row_that_is_disabled_is_not_sent(of_rows):
    assert of_rows["disabled"] == []


def test_a_night_that_was_missed_is_made_up_for_in_the_next_one_beside_its_own(of_rows):
    assert [sent[:6] for sent in of_rows["a_night_was_missed"]] == ["row 11", "row 11"]
    assert of_rows["a_night_was_missed"][1] == "row 11 02:30"
