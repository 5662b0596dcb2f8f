"""The house's outside services, real ones on real sockets."""

import pytest

from home import status
from home.changes import entities_changed
from tests.home.following import Told
from tests.support.home_assistant import HomeAssistantServer
from tests.support.mosquitto import running_mosquitto


@pytest.fixture(autouse=True)
def fresh_board():
    status.reset()
    yield
    status.reset()


@pytest.fixture
def home_assistant(settings):
    """A Home Assistant that is running and that the settings point at."""
    with HomeAssistantServer() as server:
        settings.HOME_ASSISTANT_URL = server.url
        settings.HOME_ASSISTANT_TOKEN = server.token
        yield server


@pytest.fixture
def told():
    """What is told of entities during the test."""
    listener = Told()
    entities_changed.connect(listener.take)
    yield listener
    entities_changed.disconnect(listener.take)


@pytest.fixture
def broker(settings):
    """An MQTT broker that is running, wants a password, and that the settings point at."""
    with running_mosquitto(password="s3cret/pass word") as server:
        settings.MQTT_URL = server.url
        yield server
