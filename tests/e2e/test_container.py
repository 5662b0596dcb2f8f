"""The container's files, without an engine: what they name exists, and what they run works in an empty folder."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest
import yaml

from asyncsched.conf import Settings
from tests.docs.pages import table
from tests.support.ports import free_port
from tests.support.servers import PATIENCE, POLL, ROOT

pytestmark = pytest.mark.e2e

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
IGNORED = (ROOT / ".dockerignore").read_text().splitlines()


def instructions(name: str) -> list[str]:
    """Return the arguments of each instruction called *name*."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Containerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [line.partition(" ")[2].strip() for line in text.splitlines() if line.partition(" ")[0] == name]


def command(name: str) -> list[str]:
    """Return the command line of the instruction *name*, which is in JSON."""
    (arguments,) = instructions(name)
    loaded: list[str] = json.loads(arguments[arguments.index("[") :])
    return loaded


def sources() -> list[str]:
    return [source for copied in instructions("COPY") for source in shlex.split(copied)[:-1]]


def environment(**extra: str) -> dict[str, str]:
    """What the image sets, in an otherwise bare environment with this virtual environment's programs."""
    set_by_image = dict(pair.split("=", 1) for line in instructions("ENV") for pair in shlex.split(line))
    programs = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    return set_by_image | {"PATH": programs} | extra


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder /app as the image has it: what is copied, and what is run after that, but for what needs root."""
    folder = tmp_path_factory.mktemp("app")
    for copied in instructions("COPY"):
        *found, target = shlex.split(copied)
        for source in found:
            to = folder / target / source if target == "./" else folder / target
            to.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, to)
            else:
                shutil.copy(ROOT / source, to)
    for step in instructions("RUN"):
        if "manage.py" in step:
            done = subprocess.run(
                ["sh", "-c", step],
                cwd=folder,
                env=environment(),
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
    return folder


def test_what_is_copied_exists_and_is_not_ignored() -> None:
    assert all((ROOT / source).exists() for source in sources())
    assert IGNORED[1] == "*"
    assert {line[1:] for line in IGNORED if line.startswith("!")} == set(sources())


def test_only_pinned_versions_with_hashes_are_installed() -> None:
    (step,) = [step for step in instructions("RUN") if "pip install" in step]
    assert "--require-hashes --requirement constraints/home.txt" in step


def test_it_does_not_run_as_root_and_is_stopped_as_the_server_expects() -> None:
    assert instructions("USER") == ["alarm"]
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    assert instructions("VOLUME") == ["/data"]
    assert "sqlite:////data/" in instructions("ENV")[0]


@pytest.fixture(scope="module")
def running(app: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[subprocess.Popen[str], Path, int]]:
    """The image's command, its log and its port."""
    folder = tmp_path_factory.mktemp("data")
    port = free_port()
    log = folder / "log"
    database = f"sqlite:///{folder / 'db.sqlite3'}"
    with log.open("w") as output:
        process = subprocess.Popen(
            command("CMD"),
            cwd=app,
            env=environment(
                SECRET_KEY="for tests only",
                DATABASE_URL=database,
                PORT=str(port),
                LOG_FORMAT="json",
                DAPHNE_OPTIONS="--proxy-headers",
            ),
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        yield process, log, port
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_its_command_serves_behind_a_proxy_too_its_health_check_asks_and_sigterm_drains_it(
    app: Path, running: tuple[subprocess.Popen[str], Path, int]
) -> None:
    process, log, port = running
    deadline = time.monotonic() + PATIENCE * 2
    while not listens(port):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(POLL)
    assert health_check(app, port).stderr == ""
    assert sign_in_over_https(port) == 200

    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE) == 0
    text = log.read_text()
    assert "Sign in as admin, password: " in text
    assert "drained" in text
    assert "Warning" not in text
    assert "Traceback" not in text
    assert [line for line in text.splitlines() if not line.startswith('{"level"')] == [text.splitlines()[0]]
    assert health_check(app, port).returncode == 1


def sign_in_over_https(port: int) -> int:
    """Try to sign in as a browser does behind a proxy that does TLS; return the status, 403 if it counts as foreign."""
    proxied = {"Host": "localhost", "X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", "/login/", headers=proxied)
    answer = connection.getresponse()
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', answer.read().decode())
    cookie = str(answer.headers["Set-Cookie"]).partition(";")[0]
    form = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie, "Origin": "https://localhost"}
    connection.request("POST", "/login/", f"csrfmiddlewaretoken={token}&username=a&password=b", proxied | form)
    status = connection.getresponse().status
    connection.close()
    return status


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def health_check(app: Path, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("HEALTHCHECK"),
        cwd=app,
        env=environment(PORT=str(port)),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


# compose.yaml


def services(*profiles: str) -> dict[str, Any]:
    """Return the services that run with *profiles*, by name."""
    return {
        name: service
        for name, service in COMPOSE["services"].items()
        if not service.get("profiles") or set(profiles) & set(service["profiles"])
    }


def test_one_service_runs_by_default_and_profiles_add_to_it() -> None:
    assert set(services()) == {"alarm"}
    assert set(services("postgres")) == {"alarm", "postgres"}
    assert set(services("replicas")) == {"alarm", "standby", "postgres", "valkey"}


@pytest.mark.parametrize("profiles", [(), ("postgres",), ("replicas",)], ids=str)
def test_what_a_service_waits_for_is_there_or_not_required(profiles: tuple[str, ...]) -> None:
    there = services(*profiles)
    for service in there.values():
        for name, condition in service.get("depends_on", {}).items():
            assert name in COMPOSE["services"]
            assert name in there or condition["required"] is False
            assert condition["condition"] == "service_healthy"
            assert "healthcheck" in COMPOSE["services"][name] or "build" in COMPOSE["services"][name]


def test_every_volume_is_declared() -> None:
    mounted = {
        volume.split(":")[0] for service in COMPOSE["services"].values() for volume in service.get("volumes", [])
    }
    assert mounted == set(COMPOSE["volumes"])


def test_the_backend_has_the_time_to_drain_and_may_write_nowhere_else() -> None:
    for name in ("alarm", "standby"):
        service = COMPOSE["services"][name]
        assert float(service["stop_grace_period"].removesuffix("s")) > Settings().shutdown_grace
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        places = [*service["tmpfs"], *(volume.split(":")[1] for volume in service.get("volumes", []))]
        assert {"/tmp", "/data"} <= set(places)


def test_what_compose_and_its_guide_set_are_variables_there_are() -> None:
    known = {*table("docs/reference/environment.md", "Variable").column(0)}
    for name in ("alarm", "standby"):
        assert set(COMPOSE["services"][name]["environment"]) <= known
    guide = (ROOT / "docs" / "howto" / "deploy.md").read_text()
    told = set(re.findall(r"^([A-Z_]+)=", guide, re.MULTILINE))
    assert told - {"COMPOSE_PROFILES", "POSTGRES_PASSWORD"} <= known


def test_an_empty_list_of_hosts_adds_none() -> None:
    from environ import Env

    written = COMPOSE["services"]["alarm"]["environment"]["ALLOWED_HOSTS"]
    filled = written.replace("${ALLOWED_HOSTS:-}", "")
    os.environ["ALLOWED_HOSTS_OF_A_TEST"] = filled
    try:
        assert Env().list("ALLOWED_HOSTS_OF_A_TEST") == ["localhost", "127.0.0.1"]
    finally:
        del os.environ["ALLOWED_HOSTS_OF_A_TEST"]
