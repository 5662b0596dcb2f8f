import pytest

from rules.models import Rule
from tests.rules.house import House
from tests.support.home_assistant import HomeAssistantServer

DOOR_OPEN = {"entity_id": "binary_sensor.door", "state": "on"}


@pytest.fixture
def make_rule():
    """Returns a function that stores a rule with the given actions; *wait* is its ``for``, in seconds."""

    def make(*actions, when=None, wait=0, **fields):
        definition = {"when": when or DOOR_OPEN, "for": wait, "then": list(actions)}
        return Rule.objects.create(**({"name": "door"} | fields), definition=definition)

    return make


@pytest.fixture
def house():
    """A house whose rules hear what happens in it."""
    return House()


@pytest.fixture
def home_assistant(settings):
    """A Home Assistant that the settings point at."""
    with HomeAssistantServer() as server:
        server.set_entity("light.hall", "off")
        settings.HOME_ASSISTANT_URL = server.url
        settings.HOME_ASSISTANT_TOKEN = server.token
        yield server
