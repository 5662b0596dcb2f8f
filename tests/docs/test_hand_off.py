"""What the guide to handing off says of executors, against the code."""

import inspect

from asyncsched.executors import processes
from asyncsched.executors.celery import CeleryExecutor
from asyncsched.executors.configured import BUILT_IN
from asyncsched.executors.django_tasks import DjangoTasksExecutor
from asyncsched.policy import LOCAL
from tests.docs.pages import code, table
from tests.docs.references import NOTE

PAGE = "docs/howto/hand-off.md"


def test_every_executor_is_offered():
    assert {name.strip('"') for name in table(PAGE, "`executor`").column(0)} == {LOCAL, *BUILT_IN}


def test_every_option_is_listed():
    listed = {
        (name, code(row[1])) for row in table(PAGE, "Executor").rows for name in row[0].replace("`", "").split(", ")
    }
    of_processes = inspect.signature(processes._checked).parameters.keys() - {"unknown"}
    options = {
        "processes": of_processes,
        "celery": CeleryExecutor.options | {"beat"},
        "tasks": DjangoTasksExecutor.options | {"beat"},
    }
    assert listed == {(name, option) for name, known in options.items() for option in known}


def test_each_thing_that_may_happen_has_a_note_where_it_is_tried():
    assert [row[0] for row in table(PAGE, "What happens").rows if not NOTE.search(row[1])] == []
