import pytest

from tests.support.site import make_people


@pytest.fixture(scope="session")
def people(tmp_path_factory):
    return make_people(tmp_path_factory.mktemp("people"))
