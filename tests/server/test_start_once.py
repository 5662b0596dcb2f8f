"""One scheduler in a process, however often it is asked for."""

import asyncio
import gc
import sys
from pathlib import Path

import pytest
from django.urls import clear_url_caches

from asyncsched.errors import ConfigurationError
from asyncsched.server.host import Host, State


@pytest.mark.django_db(transaction=True)
async def test_whoever_asks_second_waits_for_the_first() -> None:
    host = Host()
    first = asyncio.create_task(host.start())
    second = asyncio.create_task(host.start())
    await second
    assert (first.done(), host.state) == (True, State.RUNNING)
    supervisor = host.supervisor
    await host.start()
    assert host.supervisor is supervisor
    await host.stop()
    assert host.state is State.STOPPED


@pytest.mark.django_db(transaction=True)
async def test_after_a_stop_it_can_be_started_again() -> None:
    host = Host()
    await host.start()
    await host.stop()
    await host.start()
    assert host.state is State.RUNNING
    await host.stop()


async def test_a_start_that_fails_fails_for_everybody_who_asked(settings) -> None:
    settings.ASYNCSCHED = {"NONSENSE": 1}
    host = Host()
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="NONSENSE"):
            await host.start()
    assert host.state is State.FAILED


@pytest.mark.django_db(transaction=True)
async def test_what_has_been_made_by_the_start_is_not_looked_through_for_garbage_until_the_stop() -> None:
    host = Host()
    await host.start()
    assert gc.get_freeze_count() > 0
    await host.stop()
    assert gc.get_freeze_count() == 0


@pytest.fixture
def addresses(settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return a function that gives the project the addresses in a file of that text."""

    def use(text: str) -> str:
        (tmp_path / "addresses_of_a_test.py").write_text(text)
        settings.ROOT_URLCONF = "addresses_of_a_test"
        clear_url_caches()
        return settings.ROOT_URLCONF

    monkeypatch.syspath_prepend(tmp_path)
    yield use
    sys.modules.pop("addresses_of_a_test", None)
    clear_url_caches()


@pytest.mark.django_db(transaction=True)
async def test_views_are_imported_before_the_first_request_would_do_it_on_the_loop(addresses) -> None:
    name = addresses("urlpatterns = []")
    host = Host()
    await host.start()
    assert name in sys.modules
    await host.stop()


@pytest.mark.django_db(transaction=True)
async def test_addresses_that_cannot_be_imported_keep_no_schedule_from_starting(addresses, caplog) -> None:
    addresses("import no_such_module")
    host = Host()
    await host.start()
    assert host.state is State.RUNNING
    assert "the URL configuration cannot be imported: ModuleNotFoundError" in caplog.text
    await host.stop()
