"""What becomes of the classes of django-cron, which is not installed."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from asyncsched.migrating import django_cron
from asyncsched.migrating.code import text_of
from asyncsched.migrating.found import Found, LeftOut, NotThere, Topic
from tests.migrating.side_by_side import HERE, ROOT
from tests.support.programs import python_of

CLASSES = "tests.migrating.cron_classes"


def read(name: str) -> list[Any]:
    return django_cron.read([f"{CLASSES}.{name}"])


def schedules(name: str) -> Mapping[str, str]:
    """Return the schedules of the tasks that a class becomes, by their names."""
    return {one.name: text_of(one.schedule) for one in read(name)}


@pytest.mark.parametrize(
    ("name", "becomes"),
    [
        ("HalfHourly", {"shop.half_hourly": "Every(seconds=1800)"}),
        ("Twice", {"shop.twice": 'Cron("30 6,18 * * *")'}),
        (
            "Unlike",
            {"shop.unlike_at_0630": "DailyAt(hour=6, minute=30)", "shop.unlike_at_1830": 'Cron("30,45 18 * * *")'},
        ),
        ("Both", {"shop.both_interval": "Every(seconds=7200)", "shop.both_at_0630": "DailyAt(hour=6, minute=30)"}),
        ("OnWorkingDays", {"shop.working": 'Cron("30 6 * * MON-FRI")'}),
        ("OnDays", {"shop.days": 'Cron("30 6 1,31 * *")'}),
        ("Constants", {"shop.constants": 'Cron("15 23 28 * *")'}),
        ("Nameless", {f"{CLASSES}.Nameless": "Every(seconds=3600)"}),
    ],
)
def test_a_class_becomes_as_few_tasks_as_can_say_it(name: str, becomes: Mapping[str, str]) -> None:
    assert schedules(name) == becomes


@pytest.mark.parametrize(
    ("name", "asks"),
    [
        ("OnDays", []),
        ("OnFridayThe13th", ["only on FRI"]),
        ("HourlyOnFridayThe13th", ["only on FRI", "only on day 13 of the month"]),
    ],
)
def test_days_that_a_schedule_cannot_say_are_conditions(name: str, asks: list[str]) -> None:
    (found,) = read(name)
    assert [condition.words for condition in found.conditions] == asks


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("HalfHourly", {"retry": "Retry(attempts=6, delay=300, factor=1)"}),
        ("Patient", {"retry": "Retry(attempts=3, delay=600, factor=1, max_delay=600)"}),
        ("Impatient", {}),
        ("Constants", {"retry": "Retry(attempts=24, delay=3600, factor=1, max_delay=3600)"}),
        ("Parallel", {"overlap": '"allow"'}),
    ],
)
def test_it_is_tried_again_until_its_next_time_and_overlaps_as_it_did(name: str, options: Mapping[str, str]) -> None:
    (found,) = read(name)
    assert {option: text_of(value) for option, value in found.options.items()} == options


@pytest.mark.parametrize(
    ("name", "here"),
    [
        ("Patient", "it is tried again as `retry` says"),
        ("HalfHourly", "it is tried again every 5 minutes"),
        ("Resting", "its next time comes as ever"),
        ("Impatient", None),
    ],
)
def test_what_comes_after_a_failure_is_told_where_it_differs(name: str, here: str | None) -> None:
    (found,) = read(name)
    told = [
        one.here.partition(",")[0].partition(";")[0] for one in found.differences if one.topic is Topic.AFTER_FAILURE
    ]
    assert told == ([here] if here else [])


def test_the_task_makes_an_object_of_the_class_and_has_it_do_its_work() -> None:
    (found,) = read("HalfHourly")
    assert found.call.text == f"{CLASSES}.HalfHourly().do()"
    assert found.description == "Empty carts that nobody came back for."


def test_that_mails_were_sent_after_failures_is_remarked() -> None:
    (found,) = read("Parallel")
    assert found.remarks == ("django-cron mailed after 3 failures in a row: alerts do that here.",)


def test_tasks_of_one_class_may_overlap_which_the_table_says() -> None:
    topics = [{difference.topic for difference in one.differences} for name in ("Both", "Twice") for one in read(name)]
    assert [Topic.OVERLAP in of_one for of_one in topics] == [True, True, False]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Never", "it names no time"),
        ("WithEachCall", "no interval of a minute or more"),
        ("OnNoDay", "or no day"),
        ("AtNoTime", "'6.30' does not match"),
        ("OnDay32", "or no day"),
        ("Gone", "has no 'Gone'"),
    ],
)
def test_what_cannot_be_a_task_is_left_out_with_the_reason(name: str, why: str) -> None:
    (left,) = read(name)
    assert isinstance(left, LeftOut)
    assert why in left.problem


def test_the_mails_of_django_cron_itself_are_left_out() -> None:
    (left,) = django_cron.read(["django_cron.cron.FailedRunsNotificationCronJob"])
    assert isinstance(left, LeftOut)
    assert "alerts" in left.problem


def test_without_being_told_it_reads_what_the_setting_names(settings: Any) -> None:
    settings.CRON_CLASSES = [f"{CLASSES}.Twice", f"{CLASSES}.HalfHourly"]
    assert [one.name for one in django_cron.read([])] == ["shop.twice", "shop.half_hourly"]


def test_where_the_scheduler_has_a_zone_of_its_own_djangos_is_spelled_out(settings: Any) -> None:
    settings.TIME_ZONE, settings.ASYNCSCHED = "Europe/Berlin", {"TIME_ZONE": "Asia/Tokyo"}
    assert schedules("Twice") == {"shop.twice": 'Cron("30 6,18 * * *", tz="Europe/Berlin")'}
    assert schedules("HalfHourly") == {"shop.half_hourly": "Every(seconds=1800)"}


def test_without_any_class_it_says_how_to_name_one() -> None:
    with pytest.raises(NotThere, match="say which, with --where"):
        django_cron.read([])


def test_where_django_cron_is_installed_still_the_tasks_do_what_the_classes_do(tmp_path: Path) -> None:
    (package,) = Path(python_of(".venv-django-cron")).parents[1].glob("lib/*/site-packages/django_cron")
    (tmp_path / "django_cron").symlink_to(package)
    script = "from asyncsched.migrating import django_cron; (one,) = django_cron.read(['shop.cron.ClearCarts']); "
    script += "import shop.cron; print(shop.cron.CronJobBase.__module__, eval(one.call.text))"
    done = subprocess.run(
        [sys.executable, "-c", f"import django; django.setup(); {script}"],
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(
                map(str, (tmp_path, HERE / "cron_site", HERE / "every_site", ROOT / "backend"))
            ),
            "DJANGO_SETTINGS_MODULE": "settings",
            "SCHEDULER": "asyncsched",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("django_cron ClearCarts is done\n", "")


def test_what_stands_in_for_django_cron_is_gone_afterwards() -> None:
    assert isinstance(read("Twice")[0], Found)
    assert "django_cron" not in sys.modules
