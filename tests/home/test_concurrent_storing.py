"""Replicas hear the same broker: none undoes what another stored, and each change is told by one of them."""

from pathlib import Path

import pytest

from tests.support import django_process

pytestmark = pytest.mark.e2e

SCRIPT = Path(__file__).with_name("store_concurrently.py")


def test_writers_at_the_same_time_lose_nothing_and_tell_nothing_twice_on_postgresql(database_url):
    assert django_process.output_of(SCRIPT, database_url=database_url).split() == ["60", "60", "60", "0"]


def test_writers_at_the_same_time_lose_nothing_and_tell_nothing_twice_on_sqlite(people, tmp_path):
    url = f"sqlite:///{people.copied_to(tmp_path)}"

    assert django_process.output_of(SCRIPT, database_url=url).split() == ["60", "60", "60", "0"]
