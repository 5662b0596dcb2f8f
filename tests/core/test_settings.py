"""settings.ASYNCSCHED: every key has a default, and what is wrong is named."""

from typing import Any

import pytest

from asyncsched import conf
from asyncsched.checks import check_settings
from asyncsched.errors import ConfigurationError


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"THREAD": 4}, "did you mean 'THREADS'"),
        ({"NONSENSE": 1}, "is not a setting; known are ELECTION, ENABLED"),
        ({"THREADS": 0}, "must be at least 1"),
        ({"THREADS": 2.5}, "must be a whole number"),
        ({"THREADS": True}, "must be a whole number"),
        ({"SHUTDOWN_GRACE": "10"}, "must be a number of seconds"),
        ({"SHUTDOWN_GRACE": float("nan")}, "must be a number of seconds"),
        ({"SHUTDOWN_GRACE": -1}, "must be at least 0"),
        ({"HISTORY_RUNS": -1}, "must be at least 0"),
        ({"HISTORY_RUNS": 1e4}, "must be a whole number"),
        ({"SLOW_RUN": -0.1}, "must be at least 0"),
        ({"STALL_THRESHOLD": 0.01}, "must be at least 0.05, or 0 for none"),
        ({"STALL_THRESHOLD": -1}, "must be at least 0.05, or 0 for none"),
        ({"ENABLED": "yes"}, "must be True or False"),
        ({"STALL_THRESHOLD": "0.5"}, "must be a number of seconds"),
        ({"TIME_ZONE": "Berlin"}, "unknown time zone 'Berlin'"),
        ({"TIME_ZONE": None}, "must be text"),
        ({"LOG_LINES": -1}, "must be at least 0"),
        ({"LOG_LINES": 1_001}, "must be at most 1000"),
        ({"LISTENERS": "shop.Listener"}, "must be a list of dotted paths"),
        ({"LISTENERS": ["shop.listeners.Missing"]}, "'shop.listeners.Missing', which cannot be imported: ModuleNotFou"),
        ({"LISTENERS": ["asyncsched.Missing"]}, "'asyncsched.Missing', which cannot be imported: ImportError"),
        ({"LISTENERS": ["asyncsched.Every"]}, "'asyncsched.Every', which is no subclass of asyncsched.Listener"),
        ({"PINGS": ["https://ping.test/1"]}, "must be a dict of addresses by name of the task, but is a list"),
        ({"PINGS": {"asyncsched.prune": "https://ping.test/1"}}, "did you mean 'asyncsched.prune_history'?"),
        ({"TRACING": "yes"}, "must be True or False"),
        (["ENABLED"], "must be a dict"),
    ],
)
def test_what_is_wrong_is_an_error_that_names_it(settings: Any, given: Any, complaint: str) -> None:
    settings.ASYNCSCHED = given
    (message,) = check_settings(None)
    assert message.id == "asyncsched.E001"
    assert complaint in message.msg
    with pytest.raises(ConfigurationError, match="ASYNCSCHED"):
        conf.load()


def test_nothing_needs_to_be_set(settings: Any) -> None:
    del settings.ASYNCSCHED
    settings.TIME_ZONE = "Europe/Berlin"
    assert check_settings(None) == []
    assert conf.load() == conf.Settings(time_zone="Europe/Berlin")


def test_what_is_set_is_taken(settings: Any) -> None:
    settings.ASYNCSCHED = {"THREADS": 3, "SHUTDOWN_GRACE": 2, "TIME_ZONE": "Asia/Tokyo", "ENABLED": False}
    assert conf.load() == conf.Settings(threads=3, shutdown_grace=2, time_zone="Asia/Tokyo", enabled=False)


@pytest.mark.parametrize(
    "address",
    ["ping.test/s3cret", "file:///etc/s3cret", "https://", "https://ping.test:0x50/s3cret", "https://p/s3 cret", 31],
    ids=str,
)
def test_a_ping_goes_to_a_web_address_and_an_error_does_not_show_it(settings: Any, address: Any) -> None:
    settings.ASYNCSCHED = {"PINGS": {"asyncsched.prune_history": address}}
    (message,) = check_settings(None)
    assert (
        "needs an address that begins with http:// or https:// for the task 'asyncsched.prune_history'" in message.msg
    )
    assert "s3" not in message.msg


def test_nor_does_a_repr_show_one_that_is_right(settings: Any) -> None:
    settings.ASYNCSCHED = {"PINGS": {"asyncsched.prune_history": "https://ping.test/s3cret"}}
    assert check_settings(None) == []
    assert "s3cret" not in repr(conf.load())


def test_a_secret_is_shown_by_neither_an_error_nor_a_repr(settings: Any) -> None:
    settings.ASYNCSCHED = {"METRICS_TOKEN": 31_415_926}
    (message,) = check_settings(None)
    assert "must be text" in message.msg
    assert "31415926" not in message.msg
    settings.ASYNCSCHED = {"METRICS_TOKEN": "abracadabra"}
    assert conf.load().metrics_token == "abracadabra"
    assert "abracadabra" not in repr(conf.load())
