"""Two replicas hear the same Home Assistant: each change is told by one of them."""

from pathlib import Path

import pytest

from tests.support import django_process

pytestmark = pytest.mark.e2e

SCRIPT = Path(__file__).with_name("tell_concurrently.py")


def test_writers_at_the_same_time_tell_each_change_once_on_postgresql(database_url):
    assert django_process.output_of(SCRIPT, database_url=database_url).split() == ["240", "240", "20"]
