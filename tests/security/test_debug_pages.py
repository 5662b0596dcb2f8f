"""DEBUG, which a checkout has, gives no secret away either, and fills no memory."""

import subprocess
import sys

import pytest
from django.db import OperationalError, connection
from django.urls import reverse

from tests.support.django_process import ROOT, environment

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


def test_with_debug_statements_are_neither_logged_nor_kept_for_long(tmp_path):
    # What Django keeps and logs of a statement has its values: keys of sessions, hashes of codes.
    code = (
        "from django.core.management import call_command; from django.db import connection;"
        "from django.contrib.sessions.models import Session;"
        "call_command('migrate', verbosity=0);"
        "[Session.objects.filter(session_key='a-key-of-a-session').exists() for _ in range(200)];"
        "print(len(connection.queries_log))"
    )
    command = [sys.executable, ROOT / "manage.py", "shell", "--no-imports", "-c", code]
    chatty = environment(f"sqlite:///{tmp_path / 'db.sqlite3'}", DEBUG="1", LOG_LEVEL="DEBUG")
    done = subprocess.run(command, env=chatty, capture_output=True, text=True, check=True, timeout=100)

    assert done.stdout == "100\n"
    assert "a-key-of-a-session" not in done.stderr
