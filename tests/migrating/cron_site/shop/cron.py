"""What the shop does again and again."""

from django.utils import timezone
from django_cron import CronJobBase, Schedule
from shop_log import note


class Noting(CronJobBase):
    fails_on: int | None = None  # the day of the month on which the first run fails
    has_failed = False

    def do(self):
        name = type(self).__name__
        if timezone.localdate().day == self.fails_on and not self.has_failed:
            type(self).has_failed = True
            note(f"{name} fails")
            raise ConnectionError("no route to host")
        note(name)
        return f"{name} is done"


class ClearCarts(Noting):
    """Empty carts that nobody came back for."""

    RUN_EVERY_MINS = 300
    RETRY_AFTER_FAILURE_MINS = 5

    code = "shop.clear_carts"
    schedule = Schedule(run_every_mins=RUN_EVERY_MINS, retry_after_failure_mins=RETRY_AFTER_FAILURE_MINS)


class WorkingHours(Noting):
    code = "shop.working_hours"
    schedule = Schedule(run_every_mins=210, run_on_days=[0, 1, 2, 3, 4])


class Report(Noting):
    ALLOW_PARALLEL_RUNS = True
    MIN_NUM_FAILURES = 3
    RUN_AT_TIMES = ["6:00", "18:00"]

    code = "shop.report"
    schedule = Schedule(run_at_times=RUN_AT_TIMES, run_on_days=[0, 1, 2, 3, 4])


class Uneven(Noting):
    fails_on = 18

    code = "shop.uneven"
    schedule = Schedule(run_at_times=["06:40"])


class Nightly(Noting):
    code = "shop.nightly"
    schedule = Schedule(run_at_times=["02:00"])


class JumpedOver(Noting):
    code = "shop.jumped_over"
    schedule = Schedule(run_at_times=["02:00", "02:30"])


class Late(Noting):
    code = "shop.late"
    schedule = Schedule(run_at_times=["23:00"])


class DaysOfTheMonth(Noting):
    code = "shop.days_of_the_month"
    schedule = Schedule(run_at_times=["23:00"], run_monthly_on_days=[1, 15, 28, 30, 31])


class FirstMonday(Noting):
    code = "shop.first_monday"
    schedule = Schedule(run_at_times=["9:00"], run_monthly_on_days=[1, 2, 3, 4, 5, 6, 7], run_on_days=[0])


class SomeFridays(Noting):
    code = "shop.some_fridays"
    schedule = Schedule(run_at_times=["9:00", "10:15"], run_monthly_on_days=[13, 14, 27], run_on_days=[4])


class Mixed(Noting):
    code = "shop.mixed"
    schedule = Schedule(run_every_mins=720, run_at_times=["14:00"])


class Flaky(Noting):
    fails_on = 16

    code = "shop.flaky"
    schedule = Schedule(run_at_times=["05:00"], retry_after_failure_mins=20)
