"""What is given out has in it what it should, and nothing else."""

import tomllib
from pathlib import Path

from tests.support.built import ROOT, Built, build

PACKAGE = ROOT / "backend" / "asyncsched"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MUST_BE_THERE = {
    "py.typed",
    "management/completions/async_tasks.bash",
    "migrations/0001_initial.py",
    "static/asyncsched/live.js",
    "templates/asyncsched/live.html",
}


def package() -> set[str]:
    """Return the files of the package, below its folder, without what Python and tools leave there."""
    found = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*") if path.is_file()}
    return {str(path) for path in found if not any(part.startswith((".", "__pycache__")) for part in path.parts)}


def test_the_wheel_holds_the_package_its_licence_and_metadata_and_nothing_else(built: Built) -> None:
    about = f"asyncsched-{PROJECT['version']}.dist-info"
    said = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE"}
    assert package() >= MUST_BE_THERE
    assert set(built.in_wheel) == {f"asyncsched/{name}" for name in package()} | {f"{about}/{name}" for name in said}


def test_the_sdist_holds_the_package_and_what_it_is_built_from(built: Built) -> None:
    beside = {".gitignore", "CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    assert set(built.in_sdist) == {f"backend/asyncsched/{name}" for name in package()} | beside


def test_the_sdist_builds_the_same_wheel_to_the_byte(built: Built, tmp_path: Path) -> None:
    again = build(tmp_path / "again", sources=built.unpacked_sdist(tmp_path / "sources"))
    assert again.wheel.read_bytes() == built.wheel.read_bytes()


def test_the_metadata_is_complete(built: Built) -> None:
    metadata = built.metadata
    assert metadata["Name"] == "asyncsched"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    assert metadata["Summary"] == PROJECT["description"]
    assert set(metadata.get_all("Provides-Extra", [])) == set(PROJECT["optional-dependencies"])
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload() == (ROOT / "README.md").read_text()


def test_without_extras_it_needs_django_and_asgiref_only(built: Built) -> None:
    needed = [line for line in built.metadata.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(line.partition(">")[0] for line in needed) == ["asgiref", "django"]
