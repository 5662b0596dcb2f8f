"""What was queued by the version before is sent by this one."""

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from notifications import claims


def migrate_to(name):
    executor = MigrationExecutor(connection)
    executor.migrate([("notifications", name)])
    return executor.loader.project_state([("notifications", name)]).apps


@pytest.mark.django_db(transaction=True)
def test_messages_that_wait_survive_the_migration():
    old = migrate_to("0001_initial")
    try:
        old.get_model("notifications", "Notification").objects.create(title="Door", body="It is open")
    finally:
        migrate_to("0002_channels_and_repeats")

    claimed = claims.claim_next(timezone.now())
    assert (claimed.message.title, claimed.message.body) == ("Door", "It is open")
