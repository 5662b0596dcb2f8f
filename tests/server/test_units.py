"""The units for systemd: taken by systemd itself, and with the numbers that the scheduler needs."""

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from asyncsched.conf import Settings
from asyncsched.engine.leadership import LOOP_PATIENCE
from tests.docs.pages import DOCS
from tests.support.programs import program

UNITS = sorted(path for path in (DOCS / "ops").iterdir() if path.suffix in {".service", ".timer"})
SERVICES = [path for path in UNITS if path.suffix == ".service"]


def settings(unit: Path) -> dict[str, str]:
    """The section [Service]; of what is said several times, the last."""
    parser = ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read_string(unit.read_text())
    return dict(parser["Service"])


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    for unit in UNITS:
        here = unit.read_text().replace("/opt/alarm/.venv/bin/", f"{Path(sys.executable).parent}/")
        (tmp_path / unit.name).write_text(here)
    units = [str(tmp_path / unit.name) for unit in UNITS]
    done = subprocess.run([analyze, "verify", *units], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_server_has_the_time_to_drain_and_a_leader_that_hangs_the_time_to_resign() -> None:
    found = settings(DOCS / "ops" / "asyncsched.service")
    assert found["Type"] == "notify"
    assert float(found["TimeoutStopSec"]) > Settings().shutdown_grace
    assert float(found["WatchdogSec"]) > LOOP_PATIENCE


@pytest.mark.parametrize("unit", SERVICES, ids=lambda unit: unit.name)
def test_a_service_may_write_to_its_state_alone_and_has_no_privilege(unit: Path) -> None:
    found = settings(unit)
    assert (found["User"], found["DynamicUser"], found["StateDirectory"]) == ("alarm", "yes", "alarm")
    assert (found["ProtectSystem"], found["CapabilityBoundingSet"]) == ("strict", "")
    assert "SECRET_KEY" not in unit.read_text()


def test_the_timer_starts_the_service_of_its_name() -> None:
    timers = [unit for unit in UNITS if unit.suffix == ".timer"]
    assert [timer.with_suffix(".service") in SERVICES for timer in timers] == [True]
