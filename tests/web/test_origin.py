"""Which pages may open our WebSockets."""

import pytest

from asyncsched.web.origin import is_own


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "alarm.example"),
        ("https://alarm.example", "alarm.example"),
        ("https://alarm.example", "alarm.example:443"),
        ("http://alarm.example:80", "alarm.example"),
        ("http://Alarm.Example:8000", "alarm.example:8000"),
        ("http://[::1]:8000", "[::1]:8000"),
        ("https://panel.example", "alarm.example"),
        ("https://wall.trusted.example", "alarm.example"),
    ],
)
def test_an_origin_is_ours(settings, origin, host):
    settings.ALLOWED_HOSTS = ["alarm.example", "[::1]"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://panel.example", "https://*.trusted.example"]

    assert is_own(origin, host)


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "alarm.example"),
        ("https://alarm.example:8443", "alarm.example"),
        ("https://alarm.example.evil.example", "alarm.example"),
        ("http://panel.example", "alarm.example"),
        ("https://nottrusted.example", "alarm.example"),
        ("file://alarm.example", "alarm.example"),
        ("null", "alarm.example"),
        ("", "alarm.example"),
        ("https://evil.example", "evil.example"),
        (None, "evil.example"),
        (None, ""),
    ],
)
def test_an_origin_is_foreign(settings, origin, host):
    settings.ALLOWED_HOSTS = ["alarm.example"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://panel.example", "https://*.trusted.example"]

    assert not is_own(origin, host)


def test_without_allowed_hosts_a_checkout_serves_this_machine_only(settings):
    settings.ALLOWED_HOSTS, settings.DEBUG = [], True

    assert is_own("http://localhost:8000", "localhost:8000")
    assert not is_own("http://alarm.example", "alarm.example")
