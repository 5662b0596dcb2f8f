"""Where APScheduler's jobs are: in a table, or in a scheduler object. Reading changes nothing.

APScheduler's own way of listing a table deletes the jobs that it cannot load. So rows are taken one
by one, and loaded by the store's own code: a job is a pickle, which may run whatever it likes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.apps import apps

from asyncsched.migrating.found import LeftOut, NotThere
from asyncsched.migrating.project import loading, object_at

TABLE = "django_apscheduler"
DEFAULTS = {"misfire_grace_time": 1, "coalesce": True, "max_instances": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A job, and where it is. *defaults* are for what it does not say."""

    job: Any
    source: str
    defaults: dict[str, Any]
    in_memory: bool
    """True if nothing of it outlives the process."""


def in_table(url: str) -> Iterator[Stored | LeftOut]:
    """Yield the jobs in the table ``apscheduler_jobs`` of the database at *url*, one of SQLAlchemy's."""
    try:
        from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore  # noqa: PLC0415 - a library of the project's
        from sqlalchemy import make_url, select  # noqa: PLC0415
        from sqlalchemy.exc import DBAPIError  # noqa: PLC0415
    except ImportError as error:
        raise NotThere(f"{error}: install apscheduler<4 and sqlalchemy where the command runs") from error
    with loading("the table apscheduler_jobs cannot be read"):
        address = make_url(url)
        if address.drivername.startswith("sqlite") and not Path(address.database or "").exists():
            raise NotThere(f"there is no file {address.database!r}")  # which SQLite would create
        store: Any = SQLAlchemyJobStore(url=url)
        try:
            with store.engine.connect() as connection:
                rows = connection.execute(select(store.jobs_t.c.id, store.jobs_t.c.job_state)).all()
        except DBAPIError as error:
            raise NotThere(str(error.orig)) from error  # without the statement, and a link
        finally:
            store.engine.dispose()
    yield from _loaded(store, rows, f"apscheduler_jobs in {store.engine.url!r}")  # which hides a password


def in_django() -> Iterator[Stored | LeftOut]:
    """Yield the jobs in django-apscheduler's table."""
    if not apps.is_installed(TABLE):
        raise NotThere(
            "say where the jobs are: --where sqlite:///jobs.sqlite, or --where shop.scheduler.scheduler; "
            f"{TABLE} is not in INSTALLED_APPS"
        )
    from django_apscheduler.jobstores import DjangoJobStore  # noqa: PLC0415 - a library of the project's

    rows = apps.get_model(TABLE, "DjangoJob").objects.order_by("pk").values_list("id", "job_state")
    yield from _loaded(DjangoJobStore(), rows, "django-apscheduler's table")


def in_object(path: str) -> Iterator[Stored]:
    """Yield the jobs of the scheduler at *path*, also if it has not been started."""
    scheduler = object_at(path)
    if not hasattr(scheduler, "get_jobs"):
        raise NotThere(f"{path!r} is no scheduler of APScheduler's, but {scheduler!r}")
    defaults = getattr(scheduler, "_job_defaults", DEFAULTS)
    stores = getattr(scheduler, "_jobstores", {}).values()
    in_memory = all(type(store).__name__.endswith("MemoryJobStore") for store in stores)
    for job in scheduler.get_jobs():
        yield Stored(job=job, source=f"{path}, job {job.id!r}", defaults=defaults, in_memory=in_memory)


def _loaded(store: Any, rows: Iterable[Any], place: str) -> Iterator[Stored | LeftOut]:
    for job_id, state in rows:
        source = f"{place}, job {job_id!r}"
        try:
            with loading("it cannot be loaded"):
                job = store._reconstitute_job(state)  # noqa: SLF001 - its public way deletes what does not load
        except NotThere as error:
            yield LeftOut(name=job_id, source=source, problem=f"{error}; mend that, or delete it")
        else:
            yield Stored(job=job, source=source, defaults=DEFAULTS, in_memory=False)
