"""``manage.py notifications``: where messages go, and whether they arrive."""

from datetime import time
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from notifications import outbox
from notifications.models import Channel, Notification

pytestmark = pytest.mark.django_db


def call(*arguments):
    out = StringIO()
    call_command("notifications", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_a_test_message_goes_to_each_address(make_receiver, settings):
    one, two = make_receiver(), make_receiver()
    settings.NOTIFY_URLS = [one.url, f"ntfy://127.0.0.1:{two.port}/house"]

    assert call("test") == ["NOTIFY_URLS entry 1 (json): took it", "NOTIFY_URLS entry 2 (ntfy): took it"]
    assert one.titles == two.titles == ["Test"]
    assert not Notification.objects.exists()


def test_a_test_of_a_channel_goes_to_its_addresses_only(make_receiver, settings):
    family, others = make_receiver(), make_receiver()
    settings.NOTIFY_URLS = [others.url, f"{family.url}?tag=family"]

    assert call("test", "--channel", "family") == ["NOTIFY_URLS entry 2 (json): took it"]
    assert others.received == []


def test_addresses_that_do_not_take_it_are_told_with_the_reason_and_make_it_fail(make_receiver, settings, house_log):
    well, ill = make_receiver(), make_receiver()
    ill.status = 403
    settings.NOTIFY_URLS = [ill.url, "nonsense", well.url]
    out = StringIO()

    with pytest.raises(CommandError, match=r"^2 of 3 did not take the test message") as failure:
        call_command("notifications", "test", stdout=out)

    assert failure.value.returncode == 1
    assert out.getvalue().splitlines() == [
        "NOTIFY_URLS entry 1 (json): answered 403",
        "NOTIFY_URLS entry 3 (json): took it",
        "NOTIFY_URLS entry 2 (no scheme) is not an address Apprise knows",
    ]
    assert house_log.text == ""  # it is all said already


@pytest.mark.parametrize(("channel", "words"), [("", "that can be used"), ("family", "with [?]tag=family")])
def test_a_test_without_an_address_fails(settings, channel, words):
    settings.NOTIFY_URLS = []

    with pytest.raises(CommandError, match=f"NOTIFY_URLS has no entry {words}"):
        call("test", "--channel", channel)


def test_the_list_shows_addresses_channels_and_what_is_in_the_outbox(settings):
    settings.NOTIFY_URLS = ["json://127.0.0.1?tag=family", "json://127.0.0.1"]
    Channel.objects.create(name="family", quiet_from=time(22), quiet_until=time(7), collapse_seconds=300)
    Channel.objects.create(name="night", enabled=False)
    outbox.queue("Door", "It is open")

    assert call("list") == [
        "Addresses",
        "  NOTIFY_URLS entry 1 (json): messages of family, and those without a channel",
        "  NOTIFY_URLS entry 2 (json): messages without a channel",
        "Channels",
        "  family: 10 attempts, 10 to 3600 s apart, repeats as one within 300 s, quiet 22:00-07:00 UTC",
        "  night: switched off, 10 attempts, 10 to 3600 s apart; NOTIFY_URLS has no entry with ?tag=night",
        "  all others: 10 attempts, 10 to 3600 s apart",
        "Outbox",
        "  1 waiting",
    ]


def test_the_list_of_a_house_without_anything_says_so(settings):
    settings.NOTIFY_URLS = []

    assert call("list") == [
        "Addresses",
        "  none: NOTIFY_URLS is empty",
        "Channels",
        "  all: 10 attempts, 10 to 3600 s apart",
        "Outbox",
        "  empty",
    ]
