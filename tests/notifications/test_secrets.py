"""No part of an address appears anywhere but in NOTIFY_URLS."""

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.urls import reverse

from notifications import claims, outbox
from notifications.delivery import send_pending
from notifications.models import Channel, Notification
from notifications.transports.apprise_urls import AppriseTransport
from tests.support.smtp import MailServer

pytestmark = pytest.mark.django_db

SECRETS = ("s3cr3t-user", "s3cr3t-password", "s3cr3t-path", "s3cr3t-query", "s3cr3t-header")


def with_secrets(url):
    user, password, path, query, header = SECRETS
    return f"{url.replace('//', f'//{user}:{password}@')}{path}?tag=family&-key={query}&+X-Token={header}"


@pytest.fixture
def addresses(receiver, settings):
    """Every kind of address with secrets in it: three that work, and some that cannot."""
    user, password, path, query, _ = SECRETS
    with MailServer() as mail:
        settings.NOTIFY_URLS = [
            with_secrets(receiver.url),
            with_secrets(f"ntfy://127.0.0.1:{receiver.port}/"),
            f"mailto://{user}:{password}@127.0.0.1:{mail.port}?from=a@example.org&to=b@example.org&mode=insecure",
            f"json://{user}:{password}@[half/{path}",
            f"nosuch://{password}/{path}?token={query}",
            password,
        ]
        yield settings.NOTIFY_URLS


def said_by(*arguments):
    out = StringIO()
    try:
        call_command("notifications", *arguments, stdout=out, stderr=out)
    except CommandError as error:
        out.write(str(error))
    return out.getvalue()


def secrets_in(text):
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.parametrize("status", [200, 401, 500, None])
def test_neither_log_nor_database_nor_admin_nor_command_tells_a_secret(
    addresses, receiver, house_log, admin_client, status
):
    receiver.status = status
    if status is None:
        receiver.close()
    Channel.objects.create(name="family", attempts=1)
    outbox.queue("Door", "It is open")
    rows = [outbox.queue("Door", "It is open", channel="family", urgent=True)]

    send_pending(AppriseTransport(addresses), limit=5)

    pages = [reverse(f"admin:notifications_{model}_changelist") for model in ("notification", "channel")]
    pages += [reverse("admin:notifications_notification_change", args=[row.pk]) for row in rows]
    assert Notification.objects.filter(attempts=1).count() == 2
    assert not secrets_in(house_log.text)
    assert not secrets_in("".join(repr(list(model.objects.values())) for model in apps.get_models()))
    assert not secrets_in("".join(admin_client.get(page).content.decode() for page in pages))
    assert not secrets_in(said_by("list") + said_by("test") + said_by("test", "--channel", "family"))


def test_nothing_that_is_raised_or_shown_of_a_claim_tells_a_secret(addresses, receiver):
    receiver.status = 500
    outbox.queue("Door", "It is open", channel="family")
    claimed = claims.claim_next(Notification.objects.get().next_attempt_at)

    transport = AppriseTransport(addresses)
    errors = []
    for target in transport.targets("family"):
        with pytest.raises(Exception, match="NOTIFY_URLS entry") as raised:
            target.send(claimed.message)
        errors.append(raised.getrepr(style="short"))

    assert not secrets_in(f"{errors}{claimed}{transport.targets('family')}{transport.targets('')}")
