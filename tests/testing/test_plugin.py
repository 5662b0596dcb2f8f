"""The fixture comes with the package."""

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

TEST = """
from asyncsched import Every, register

@register("tick", Every(seconds=2))
def tick(): ...

def test_it_ticks(scheduler):
    scheduler.start("tick")
    assert len(scheduler.run(minutes=1)) == 30
"""


def test_pytest_finds_the_fixture_where_the_package_is_installed(tmp_path: Path) -> None:
    (tmp_path / "test_tick.py").write_text(TEST)
    install(tmp_path / "site", PROJECT["entry-points"]["pytest11"])
    done = run_pytest(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_fixture_needs_neither_django_settings_nor_other_plugins(tmp_path: Path) -> None:
    (tmp_path / "test_tick.py").write_text(TEST)
    done = run_pytest(tmp_path, "-p", "asyncsched.testing.plugin", autoload=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_loading_the_plugin_twice_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "test_tick.py").write_text(TEST)
    install(tmp_path / "site", PROJECT["entry-points"]["pytest11"])
    done = run_pytest(tmp_path, "-p", "asyncsched.testing.plugin")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_plugin_loads_no_models_and_no_library_that_may_be_missing() -> None:
    code = (
        "import sys, asyncsched.testing.plugin;"
        "bad = {'django.db', 'django.apps', 'looptime', 'time_machine'} & set(sys.modules);"
        "sys.exit(f'imported {bad}' if bad else 0)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "backend", check=True)


def install(site: Path, entry_points: dict[str, str]) -> None:
    """Make what an installer would make of the package's entry points, beside the package where it is."""
    record = site / "asyncsched-0.1.0.dist-info"
    record.mkdir(parents=True)
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: asyncsched\nVersion: 0.1.0\n")
    lines = [f"{name} = {target}" for name, target in entry_points.items()]
    (record / "entry_points.txt").write_text("\n".join(["[pytest11]", *lines]))


def run_pytest(folder: Path, *options: str, autoload: bool = True) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": f"{folder / 'site'}:{ROOT / 'backend'}"}
    if not autoload:
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    options = ("-p", "no:cacheprovider", *options)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-c", "/dev/null", "--rootdir", str(folder), *options, "test_tick.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
