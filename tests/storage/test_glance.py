"""A question that is asked again and again: the answer is always the one of now, and seldom costs anything."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from asyncsched.engine.ports import Requests
from asyncsched.storage import requests
from asyncsched.storage.glance import Glance

PAUSED = Requests(paused=frozenset({"hourly"}))


@pytest.fixture
def glance() -> Glance[Requests]:
    return Glance(requests.wanted(), requests.pending)


def elsewhere(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Call *function* with a connection of its own, as another process has."""

    def call() -> Any:
        try:
            return function(*arguments, **options)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(call).result()


def pause(name: str, *, value: bool) -> None:
    elsewhere(requests.set_paused, name, value=value)


@pytest.mark.usefixtures("database")
class TestOnEveryDatabase:
    def test_what_another_connection_writes_is_seen(self, glance: Glance[Requests]) -> None:
        assert glance() == Requests()
        pause("hourly", value=True)
        assert glance() == PAUSED
        pause("hourly", value=False)
        assert glance() == Requests()

    def test_what_the_same_connection_writes_is_seen(self, glance: Glance[Requests]) -> None:
        assert glance() == Requests()
        requests.set_paused("hourly", value=True)
        assert glance() == PAUSED

    def test_as_long_as_the_answer_is_the_same_it_is_made_once(self, glance: Glance[Requests]) -> None:
        pause("hourly", value=True)
        first = glance()
        pause("other", value=False)
        assert glance() is first

    def test_a_connection_that_was_closed_in_between_is_opened_again(self, glance: Glance[Requests]) -> None:
        assert glance() == Requests()
        connection.close()
        pause("hourly", value=True)
        assert glance() == PAUSED


def test_on_sqlite_nothing_is_asked_as_long_as_nobody_writes(sqlite_database: Path, glance: Glance[Requests]) -> None:
    glance()
    with CaptureQueriesContext(connection) as queries:
        glance()
        assert len(queries) == 0
        pause("other", value=False)
        glance()
    assert len(queries) == 1


def test_what_is_not_committed_is_not_there_yet(sqlite_database: Path, glance: Glance[Requests]) -> None:
    with transaction.atomic():
        requests.set_paused("hourly", value=True)
        assert elsewhere(glance) == Requests()
    assert glance() == PAUSED
