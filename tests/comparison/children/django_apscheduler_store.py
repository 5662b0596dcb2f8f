"""What django-apscheduler's job store keeps of a run."""

import threading

from project import experiment, report, set_up

set_up("django_apscheduler")

from apscheduler.events import EVENT_JOB_EXECUTED  # noqa: E402 - what follows needs Django, set up
from apscheduler.schedulers.background import BackgroundScheduler  # noqa: E402
from django.utils.timezone import now  # noqa: E402
from django_apscheduler.jobstores import DjangoJobStore  # noqa: E402
from django_apscheduler.models import DjangoJobExecution  # noqa: E402


def job() -> None:
    """Nothing."""


@experiment
def history():
    recorded = threading.Event()
    scheduler = BackgroundScheduler()
    scheduler.add_jobstore(DjangoJobStore())
    scheduler.add_job(job, "interval", hours=1, id="hourly", next_run_time=now(), misfire_grace_time=60)
    scheduler.start()
    scheduler.add_listener(lambda _: recorded.set(), EVENT_JOB_EXECUTED)  # after that of the store
    recorded.wait(30)
    scheduler.shutdown()
    return list(DjangoJobExecution.objects.values_list("job_id", "status"))


report()
