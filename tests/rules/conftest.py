import pytest

from rules.models import Rule
from tests.support.home_assistant import HomeAssistantServer


@pytest.fixture
def make_rule():
    """Returns a function that stores a rule with the given actions."""

    def make(*actions, conditions=None, **fields):
        definition = {"conditions": conditions or {}, "actions": list(actions)}
        return Rule.objects.create(**({"name": "door"} | fields), definition=definition)

    return make


@pytest.fixture
def home_assistant(settings):
    """A Home Assistant that the settings point at."""
    with HomeAssistantServer() as server:
        server.set_entity("light.hall", "off")
        settings.HOME_ASSISTANT_URL = server.url
        settings.HOME_ASSISTANT_TOKEN = server.token
        yield server
