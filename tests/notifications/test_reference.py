"""The page on notifications says what the code does."""

import inspect

from django.db.models import NOT_PROVIDED

from notifications import outbox
from notifications.models import Channel, Status
from tests.docs.pages import table

PAGE = "docs/reference/notifications.md"


def test_every_argument_of_queue_is_listed_with_its_default():
    listed = table(PAGE, "Argument")
    shown = dict(zip(listed.column(0), listed.column(1), strict=True))

    arguments = inspect.signature(outbox.queue).parameters.values()
    assert shown == {
        one.name: "required" if one.default is one.empty else repr(one.default).replace("'", '"') for one in arguments
    }


def test_every_field_of_a_channel_is_listed_with_its_default():
    listed = table(PAGE, "Field")
    shown = dict(zip((row[0] for row in listed.rows), listed.column(1), strict=True))

    fields = [field for field in Channel._meta.get_fields() if field.name != "id" and "quiet" not in field.name]
    defaults = {True: "on", NOT_PROVIDED: '""'}
    assert shown.pop("`quiet_from`, `quiet_until`") == "none"
    assert shown == {f"`{field.name}`": str(defaults.get(field.default, field.default)) for field in fields}


def test_every_status_is_listed_as_it_is_shown():
    listed = table(PAGE, "Status")

    assert list(zip(listed.column(0), listed.column(1), strict=True)) == Status.choices
