"""What the tests of tutorials share: the package as its wheel installs it."""

from pathlib import Path

import pytest

from tests.docs.projects import unpack_wheel


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the wheel of this checkout is installed."""
    return unpack_wheel(tmp_path_factory.mktemp("wheel"))
