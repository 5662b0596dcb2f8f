"""``/metrics``: who may read it, and what they read."""

import io
import re
import shutil
import sys
import threading
from datetime import UTC, datetime
from functools import partial

import aiohttp
import pytest
from django.core.handlers.asgi import ASGIRequest
from prometheus_client import REGISTRY, Counter
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

import asyncsched
from asyncsched.listeners.metrics import MetricsListener
from asyncsched.registry import registry
from asyncsched.web.exposition import exposition
from asyncsched.web.metrics import MISSING, may_read, metrics
from tests.docs.pages import DOCS, ROOT, table
from tests.support.deadline import eventually
from tests.support.servers import Kind, Server
from tests.support.site import Site

TOKEN = "a-token-that-only-these-tests-know"
BEARER = f"Bearer {TOKEN}"
OPEN_METRICS = "application/openmetrics-text; version=1.0.0"


def request(client: str | None = "127.0.0.1", host: str | None = "localhost:8000", **headers: str) -> ASGIRequest:
    """Return a request as a server hands it over; in the names of *headers* _ stands for -."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()} | ({"Host": host} if host else {})
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/metrics",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()],
        "client": [client, 50_000] if client else None,
    }
    return ASGIRequest(scope, io.BytesIO())


def families(text: str) -> dict[str, list[object]]:
    return {family.name: family.samples for family in text_string_to_metric_families(text)}


def value(text: str, name: str, **labels: str) -> float:
    """Return the one value of *name* with *labels*."""
    samples = [sample for found in families(text).values() for sample in found]
    (found,) = [sample.value for sample in samples if sample.name == name and sample.labels == labels]
    return found


# Who may read


@pytest.mark.parametrize("client", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
def test_this_machine_may_read(client, host):
    assert may_read(request(client, host), token="")
    assert may_read(request(client, host), token=TOKEN)


@pytest.mark.parametrize(
    "client", ["192.168.1.20", "10.0.0.1", "::ffff:10.0.0.1", "2001:db8::1", "localhost", "", None]
)
def test_another_machine_may_not(client):
    assert not may_read(request(client), token="")


@pytest.mark.parametrize(
    "trace",
    [
        {"X_Forwarded_For": "127.0.0.1"},
        {"X_Forwarded_For": ""},
        {"x_forwarded_proto": "https"},
        {"X_Forwarded_Host": "localhost"},
        {"Forwarded": "for=127.0.0.1"},
        {"Via": "1.1 varnish"},
        {"X_Real_IP": "127.0.0.1"},
        {"X_Client_IP": "::1"},
        {"CF_Connecting_IP": "127.0.0.1"},
    ],
    ids=lambda trace: next(iter(trace)),
)
def test_what_came_through_a_proxy_is_not_local_whatever_it_says(trace):
    assert not may_read(request(**trace), token="")
    assert may_read(request(**trace, Authorization=BEARER), token=TOKEN)


@pytest.mark.parametrize("host", ["alarm.example.com", "192.168.1.2:8000", "localhost.evil.example", "", None])
def test_a_request_for_another_host_name_is_not_local(host):
    assert not may_read(request(host=host), token="")


@pytest.mark.parametrize("client", ["192.168.1.20", None, "127.0.0.1"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_who_shows_the_token_may_read_from_anywhere(client, scheme):
    assert may_read(request(client, "alarm.example.com", Authorization=f"{scheme} {TOKEN}"), token=TOKEN)


def test_a_token_may_have_letters_beyond_ascii():
    assert may_read(request("192.168.1.20", Authorization="Bearer Schlüssel"), token="Schlüssel")


@pytest.mark.parametrize("client", ["192.168.1.20", "127.0.0.1"])
@pytest.mark.parametrize(
    "credential",
    ["Bearer wrong", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer", "Bearer ", ""],
)
def test_who_shows_anything_else_may_not_even_from_this_machine(client, credential):
    assert not may_read(request(client, Authorization=credential), token=TOKEN)


@pytest.mark.parametrize("credential", ["Bearer", "Bearer ", ""])
def test_no_token_is_not_a_token(credential):
    assert not may_read(request("192.168.1.20", Authorization=credential), token="")


@pytest.mark.parametrize(("token", "status"), [(TOKEN, 401), ("", 403)])
async def test_who_may_not_read_is_told_nothing_more(settings, token, status):
    settings.ASYNCSCHED = {"METRICS_TOKEN": token}
    refused = await metrics(request("192.168.1.20"))

    assert (refused.status_code, refused.content) == (status, b"")
    assert refused.headers.get("WWW-Authenticate") == ("Bearer" if token else None)


# What they read


def test_both_formats_show_every_metric_of_the_reference():
    listed = set(table("docs/reference/http-and-websocket.md", "Metric").column(0))
    text, plain = exposition(MetricsListener(["water"]), leader=True, accept="")
    strict, content_type = exposition(MetricsListener(["water"]), leader=True, accept=OPEN_METRICS)

    assert plain.startswith("text/plain")
    assert content_type.startswith("application/openmetrics-text")
    for found in (
        text_string_to_metric_families(text.decode()),
        openmetrics.text_string_to_metric_families(strict.decode()),
    ):
        shown = {family.name + ("_total" if family.type == "counter" else "") for family in found}
        assert {name for name in shown if name.startswith("asyncsched_")} == listed


def test_the_guide_names_only_metrics_there_are():
    counted = MetricsListener(["water"])
    counted.looked({"water": datetime.now(UTC)}, [])  # there is no such series of a task that never succeeded
    text = exposition(counted, leader=True, accept="")[0].decode()
    names = {sample.name for samples in families(text).values() for sample in samples}
    guide = (DOCS / "howto" / "metrics.md").read_text()

    assert set(re.findall(r"\basyncsched_\w+", guide)) <= names


@pytest.mark.parametrize(
    "accept", ["text/plain; version=abc", "application/openmetrics-text; version=1..0", "\xff", "*/*"]
)
def test_a_strange_accept_field_gets_plain_text(accept):
    assert exposition(None, leader=False, accept=accept)[1].startswith("text/plain; version=0.0.4")


def test_a_projects_own_metrics_appear_beside_ours():
    own = Counter("visits", "Visits.")
    try:
        own.inc(3)
        text = exposition(MetricsListener(["water"]), leader=True, accept="")[0].decode()
    finally:
        REGISTRY.unregister(own)

    assert (value(text, "visits_total"), value(text, "asyncsched_leader")) == (3, 1)


async def test_the_loop_need_not_wait_for_the_text(settings):
    threads = []

    class Collected(Collector):
        def collect(self):
            threads.append(threading.current_thread())
            return []

    settings.ASYNCSCHED = {}
    own = Collected()
    REGISTRY.register(own)
    try:
        threads.clear()  # registering collects, for the names
        await metrics(request())
    finally:
        REGISTRY.unregister(own)

    assert len(threads) == 1
    assert threading.main_thread() not in threads


async def test_without_the_library_the_answer_says_what_to_install(settings, monkeypatch):
    settings.ASYNCSCHED = {}
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    answer = await metrics(request())

    assert (answer.status_code, answer.content.decode()) == (501, MISSING)
    assert "asyncsched[metrics]" in MISSING


async def test_without_a_scheduler_nobody_leads(settings):
    settings.ASYNCSCHED = {}
    answer = await metrics(request())

    assert [name for name in families(answer.content.decode()) if name.startswith("asyncsched")] == [
        "asyncsched_leader",
        "asyncsched_build_info",
    ]
    assert value(answer.content.decode(), "asyncsched_leader") == 0


# A real server


@pytest.fixture(scope="module")
def guarded(people, tmp_path_factory):
    """A running deployment with a token."""
    with Site(tmp_path_factory.mktemp("site"), people, METRICS_TOKEN=TOKEN) as running:
        yield running


async def fetched(url: str, **headers: str) -> tuple[int, str]:
    """Return status and text of an answer; in the names of *headers* _ stands for -."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    async with aiohttp.ClientSession() as client, client.get(f"{url}/metrics", headers=fields) as answer:
        return answer.status, await answer.text()


async def test_a_running_server_tells_of_every_task_and_counts_on(guarded):
    status, text = await fetched(guarded.url)
    counted = {sample.labels["task"] for sample in families(text)["asyncsched_runs"]}

    assert (status, counted) == (200, {task.name for task in registry})
    assert value(text, "asyncsched_leader") == 1
    assert value(text, "process_resident_memory_bytes") > 0
    assert families(text)["asyncsched_build_info"][0].labels["version"] == asyncsched.__version__
    assert {"open sockets", "run messages", ""} < {
        sample.labels["task"] for sample in families(text)["asyncsched_restarts"]
    }
    await eventually(partial(has_counted_more, guarded.url, runs(text)), what="another run in the metrics")


async def test_a_running_server_speaks_openmetrics_to_who_asks(guarded):
    _, text = await fetched(guarded.url, Accept=OPEN_METRICS)

    assert {"asyncsched_runs", "asyncsched_leader"} <= {
        family.name for family in openmetrics.text_string_to_metric_families(text)
    }


async def test_a_running_server_lets_a_proxy_pass_with_the_token_only_and_logs_it_nowhere(guarded):
    answers = [
        await fetched(guarded.url, X_Forwarded_For="127.0.0.1"),
        await fetched(guarded.url, Authorization=BEARER + "x"),
        await fetched(guarded.url, X_Forwarded_For="192.168.1.20", Authorization=BEARER),
    ]

    assert [status for status, _ in answers] == [401, 401, 200]
    assert answers[0][1] == answers[1][1] == ""
    assert TOKEN not in guarded.server.log


async def test_daphne_believing_a_forged_address_does_not_open_the_door(people, tmp_path):
    arguments = ("-m", "daphne", "--proxy-headers", "-b", "127.0.0.1", "-p", "{port}", "asgi:application")
    database = tmp_path / "db.sqlite3"
    shutil.copy(people.database, database)
    environment = {"DATABASE_URL": f"sqlite:///{database}", "DEBUG": "0"}
    believing = Kind(name="believing", arguments=arguments)
    with Server(believing, folder=tmp_path, project=ROOT, environment=environment) as server:
        server.wait_until_serving()
        forged = await fetched(f"http://127.0.0.1:{server.port}", X_Forwarded_For="127.0.0.1")

    assert forged == (403, "")


async def test_a_server_that_is_told_not_to_schedule_leads_nothing(people, tmp_path):
    with Site(tmp_path / "site", people, SCHEDULER_ENABLED="0") as site:
        _, text = await fetched(site.url)

    assert value(text, "asyncsched_leader") == 0


def runs(text: str) -> float:
    return sum(sample.value for sample in families(text)["asyncsched_runs"])


async def has_counted_more(url: str, before: float) -> bool:
    return runs((await fetched(url))[1]) > before
