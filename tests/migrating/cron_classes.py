"""Classes of django-cron as projects write them; django-cron itself is not installed here."""

from django_cron import CronJobBase, Schedule


class HalfHourly(CronJobBase):
    """Empty carts that nobody came back for.

    More about it.
    """

    code = "shop.half_hourly"
    schedule = Schedule(run_every_mins=30)


class Patient(HalfHourly):
    code = "shop.patient"
    schedule = Schedule(run_every_mins=30, retry_after_failure_mins=10)


class Impatient(HalfHourly):
    code = "shop.impatient"
    schedule = Schedule(run_every_mins=5)


class Resting(HalfHourly):
    code = "shop.resting"
    schedule = Schedule(run_every_mins=30, retry_after_failure_mins=120)


class Umlauts(HalfHourly):
    code = "shop.räumen"


class Twice(CronJobBase):
    code = "shop.twice"
    schedule = Schedule(run_at_times=["6:30", "18:30"])


class Unlike(CronJobBase):
    code = "shop.unlike"
    schedule = Schedule(run_at_times=["6:30", "18:45", "18:30"])


class Both(CronJobBase):
    code = "shop.both"
    schedule = Schedule(run_every_mins=120, run_at_times=["06:30"])


class OnWorkingDays(CronJobBase):
    code = "shop.working"
    schedule = Schedule(run_at_times=["06:30"], run_weekly_on_days=[0, 1, 2, 3, 4])


class OnDays(CronJobBase):
    code = "shop.days"
    schedule = Schedule(run_at_times=["06:30"], run_monthly_on_days=[31, 1])


class OnFridayThe13th(CronJobBase):
    code = "shop.friday"
    schedule = Schedule(run_at_times=["06:30"], run_monthly_on_days=[13], run_on_days=[4])


class HourlyOnFridayThe13th(CronJobBase):
    code = "shop.hourly"
    schedule = Schedule(run_every_mins=60, run_monthly_on_days=[13], run_on_days=[4])


class Parallel(CronJobBase):
    code = "shop.parallel"
    ALLOW_PARALLEL_RUNS = True
    MIN_NUM_FAILURES = 3
    schedule = Schedule(run_every_mins=1)


class Constants(CronJobBase):
    code = "shop.constants"
    RUN_AT_TIMES = ["23:15"]
    RUN_MONTHLY_ON_DAYS = [28]
    RETRY_AFTER_FAILURE_MINS = 60


class Nameless(CronJobBase):
    schedule = Schedule(run_every_mins=60)


class Never(CronJobBase):
    code = "shop.never"
    schedule = Schedule()


class WithEachCall(CronJobBase):
    code = "shop.each"
    schedule = Schedule(run_every_mins=0)


class OnNoDay(CronJobBase):
    code = "shop.no_day"
    schedule = Schedule(run_at_times=["06:30"], run_on_days=[])


class AtNoTime(CronJobBase):
    code = "shop.no_time"
    schedule = Schedule(run_at_times=["6.30"])


class OnDay32(CronJobBase):
    code = "shop.day_32"
    schedule = Schedule(run_at_times=["6:30"], run_monthly_on_days=[32])
