import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from alarm.board import board
from alarm.codes import hashed
from alarm.models import AlarmCode


class QuickHasher(PBKDF2PasswordHasher):
    """The real one, but for how long it takes."""

    iterations = 10


@pytest.fixture(autouse=True)
def empty_board():
    """A process that has not looked at the alarm yet."""
    board.reset()
    yield
    board.reset()


@pytest.fixture(scope="session")
def database(postgres, pristine):
    """The address of a migrated PostgreSQL database that the tests of the alarm share."""
    yield postgres.create_database("alarm", template=pristine)
    postgres.drop_database("alarm")


@pytest.fixture
def quick_hashes(settings):
    settings.PASSWORD_HASHERS = [f"{QuickHasher.__module__}.{QuickHasher.__qualname__}"]


@pytest.fixture
def make_code(db, quick_hashes):
    """Returns a function that stores a code."""

    def make(code="2580", label="Anna", **fields):
        return AlarmCode.objects.create(label=label, hash=hashed(code), **fields)

    return make


@pytest.fixture
def resident(db):
    return get_user_model().objects.create_user("resident")
