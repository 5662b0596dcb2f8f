"""Django's page on an error, which DEBUG shows to whoever asks, tells no secret either."""

import pytest
from django.db import OperationalError, connection
from django.urls import reverse

SECRETS = {
    "MQTT_URL": "mqtt://house:broker-pass-77@broker",
    "REDIS_URL": "redis://:redis-pass-5c@redis",
    "ZWAVE_JS_URL": "ws://:zwave-pass-6e@zwave",
    "NOTIFY_URLS": ["tgram://bot-token-e4/chat"],
    "HOME_ASSISTANT_TOKEN": "hass-long-lived-3f9a",
}


@pytest.fixture
def error_page(admin_client, settings):
    """Returns a function that posts to an address while the database is away, and returns what is shown."""
    settings.DEBUG = True
    for name, value in SECRETS.items():
        setattr(settings, name, value)
    settings.CHANNEL_LAYERS = settings.CHANNEL_LAYERS | {"other": {"CONFIG": {"hosts": [SECRETS["REDIS_URL"]]}}}
    admin_client.raise_request_exception = False

    def away(execute, sql, *more):
        if "alarm_" in sql:
            raise OperationalError("the database is away")
        return execute(sql, *more)

    def show(address, data):
        with connection.execute_wrapper(away):
            response = admin_client.post(reverse(address), data)
        assert response.status_code == 500
        text = response.content.decode()
        assert "the database is away" in text
        return text

    return show


@pytest.mark.parametrize(
    ("address", "data"),
    [
        ("alarm:operate", {"command": "disarm", "code": "93715082"}),
        ("admin:alarm_alarmcode_add", {"label": "Anna", "code": "93715082"}),
    ],
)
def test_an_error_page_tells_neither_what_was_typed_nor_what_is_configured(error_page, address, data):
    page = error_page(address, data)

    secrets = ["93715082", "broker-pass-77", "redis-pass-5c", "zwave-pass-6e", "bot-token-e4", "hass-long-lived-3f9a"]
    assert [secret for secret in secrets if secret in page] == []


def test_an_error_page_still_says_where_it_happened(error_page):
    assert "operate_by_form" in error_page("alarm:operate", {"command": "disarm", "code": "1"})
