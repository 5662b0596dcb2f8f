"""What every test gets: an environment of its own, and a database file that threads can share."""

import asyncio
import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.support import django_process
from tests.support.mariadb import MariaDB, running_mariadb
from tests.support.pgbouncer import PgBouncer, running_pgbouncer
from tests.support.postgres import Postgres, running_postgres
from tests.support.site import People, make_people

pytest_plugins = ["asyncsched.testing.plugin"]

for name in (
    "DATABASE_URL",
    "REDIS_URL",
    "HOME_ASSISTANT_URL",
    "HOME_ASSISTANT_TOKEN",
    "MQTT_URL",
    "FRIGATE_TOPIC_PREFIX",
    "ZIGBEE2MQTT_BASE_TOPIC",
    "ZWAVE_JS_URL",
    "NOTIFY_URLS",
    "METRICS_TOKEN",
    "LOG_FORMAT",
):
    os.environ.pop(name, None)
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background of a shell; the servers that tests start would inherit it and hear no Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each of hundreds of processes would compile the backend anew
os.environ["SECRET_KEY"] = "for tests only"
os.environ["DEBUG"] = "0"
# In debug mode each callback notes the lines of those who made it. Ten of them took most of the time of tests of loops.
asyncio.constants.DEBUG_STACK_DEPTH = 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process of tests more than there are cores, because many wait for servers half of their time; but four at
    most, because some watch who has the processor.
    """
    return min(len(os.sched_getaffinity(0)) + 1, 4)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(specs: Sequence[Any]) -> None:
    """Let the processes that run the tests be as picky as this one, if it was started with ``-X dev``."""
    if sys.flags.dev_mode:
        for spec in specs:
            spec.python = f"{shlex.quote(sys.executable)} -X dev"


PROCESSES = {"postgres", "mariadb", "broker", "browser", "people", "prepared"}
"""Fixtures that start processes: directly, by way of others, or where a test has one of them for a parameter."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Mark tests that talk to real processes, and give them a second go in CI, whose machines may stand still.

    The report names each that needed it.
    """
    for item in items:
        if PROCESSES.intersection(_asked_for(item)):
            item.add_marker(pytest.mark.e2e)
        if os.environ.get("CI") == "true" and item.get_closest_marker("e2e"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def _asked_for(item: pytest.Item) -> Iterator[str]:
    """Yield the names of all fixtures that *item* needs, and its parameters, which may be names of more."""
    yield from getattr(item, "fixturenames", ())
    if isinstance(item, pytest.Function) and hasattr(item, "callspec"):
        yield from (value for value in item.callspec.params.values() if isinstance(value, str))


@pytest.fixture(scope="session", autouse=True)
def loop_to_be_closed() -> Iterator[None]:
    """Give looptime's plugin, which asks for a loop before every test, one that somebody closes."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Put the test database into a file: an in-memory one locks whole tables between threads."""
    from django.conf import settings

    path: Path = tmp_path_factory.mktemp("database") / "test.sqlite3"
    settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(path)


@pytest.fixture(scope="session", autouse=True)
def no_static_files() -> None:
    """Serve none in this process: each client of a test would look for all there are. Real servers serve them."""
    from django.conf import settings

    settings.SERVESTATIC_USE_FINDERS = settings.SERVESTATIC_USE_STATIC_ROOT = False


@pytest.fixture(scope="session")
def people(tmp_path_factory: pytest.TempPathFactory) -> People:
    """The database of a deployment in which an administrator and a resident are signed in, to be copied."""
    return make_people(tmp_path_factory.mktemp("people"))


@pytest.fixture
def admin_user(db: None, django_user_model: Any) -> Any:
    """The user of ``admin_client``, without a password: to make one takes longer than most tests."""
    return django_user_model.objects.create_superuser("admin")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that is running, one for all tests."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[MariaDB]:
    """A MariaDB that is running, one for all tests."""
    with running_mariadb() as server:
        yield server


@pytest.fixture
def pgbouncer(postgres: Postgres) -> Iterator[Callable[[str], PgBouncer]]:
    """A factory of poolers in front of PostgreSQL: ``pgbouncer("transaction")``."""
    with ExitStack() as running:
        yield lambda pool_mode, **settings: running.enter_context(
            running_pgbouncer(postgres, pool_mode=pool_mode, **settings)
        )


@pytest.fixture(scope="session")
def pristine(postgres: Postgres) -> str:
    """The name of a migrated PostgreSQL database, to be copied and otherwise left alone."""
    django_process.migrate(postgres.create_database("pristine"))
    return "pristine"


@pytest.fixture
def database_url(postgres: Postgres, pristine: str) -> Iterator[str]:
    """The address of a migrated PostgreSQL database that only this test has."""
    yield postgres.create_database("of_one_test", template=pristine)
    postgres.drop_database("of_one_test")


# No deadline, for other processes share the machine. A change must not fail under CI for what chance has found in
# other code: there the examples are always the same. Looking for new ones is what `make test-long` is for.
hypothesis.settings.register_profile("default", deadline=None, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.register_profile("long", deadline=None, max_examples=1_000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))
