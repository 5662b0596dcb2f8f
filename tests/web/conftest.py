import pytest

from tests.support.browser import running_browser
from tests.support.site import Site, make_people


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    return make_people(tmp_path_factory.mktemp("people"))


@pytest.fixture(scope="module")
def site(people, tmp_path_factory):
    """A running deployment with nothing configured, shared by the tests of a module."""
    with Site(tmp_path_factory.mktemp("site"), people) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    with running_browser() as running:
        yield running
