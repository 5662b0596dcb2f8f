"""What a home in which nothing happens asks of its database, minute after minute."""

from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection

from asyncsched import Every, History
from asyncsched.models import TaskRun
from asyncsched.storage.writer import Writer
from tests.engine.conftest import make_task
from tests.storage.histories import ran
from tests.storage.test_store_contract import NOON
from tests.support.statements import counted_statements

PERIODS = {"status": 2, "notifications": 5, "rules": 5, "offline": 30}
TASKS = [make_task(schedule=Every(every), name=name, history=History.SUMMARY) for name, every in PERIODS.items()]


class Home:
    """A home whose tasks ran on time until *now*."""

    def __init__(self) -> None:
        self.now = NOON
        self.writer = Writer(replica="here", now=self._moment)

    def a_minute_passes(self) -> None:
        since = (self.now - NOON).total_seconds()
        self.now += timedelta(minutes=1)
        for task in TASKS:
            every = PERIODS[task.name]
            for number in range(60 // every):
                self.writer.add(task, ran(task, since + number * every))
        self.writer.write_now()

    def _moment(self) -> datetime:
        return self.now


def test_what_its_tasks_did_in_a_minute_is_one_transaction(sqlite_database: Path) -> None:
    home = Home()
    home.a_minute_passes()
    connection.close()
    with counted_statements() as statements:
        for _ in range(3):
            home.a_minute_passes()
    assert statements.writes == 3
    assert statements.reads <= 3 * 4
    assert TaskRun.objects.count() == 4 * len(TASKS)
