"""A simulated home on the event loop of the test, which the settings point at."""

import warnings

import apprise
import pytest

from demo.addresses import Addresses
from demo.house import House
from home import status
from tests.support.ports import free_port


@pytest.fixture(autouse=True)
def fresh_board():
    status.reset()
    yield
    status.reset()


@pytest.fixture(scope="session", autouse=True)
def _apprise_plugins():
    """Apprise loads its plugins with its first address, and some of them import what Python deprecates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        apprise.Apprise().add("json://127.0.0.1")


@pytest.fixture
def addresses(settings):
    """Free ports, and the settings as ``make demo`` makes them from these."""
    chosen = Addresses(
        mqtt_port=free_port(), home_assistant_port=free_port(), phone_port=free_port(), token="a-token-of-the-test"
    )
    settings.MQTT_URL = chosen.environment["MQTT_URL"]
    settings.HOME_ASSISTANT_URL = chosen.environment["HOME_ASSISTANT_URL"]
    settings.HOME_ASSISTANT_TOKEN = chosen.token
    settings.NOTIFY_URLS = [chosen.environment["NOTIFY_URLS"]]
    return chosen


@pytest.fixture
def lines():
    """What the home has shown, as pairs of who and what."""
    return []


@pytest.fixture
def open_house(addresses, lines):
    """Returns a function that makes a house at the addresses, fast unless said otherwise."""

    def make(speed=50.0):
        return House(addresses, show=lambda who, what: lines.append((who, what)), speed=speed)

    return make
