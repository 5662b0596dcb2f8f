"""Every change of a run-time setting is recorded with it: who, from what, to what and when."""

import os
import pwd
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from constance import config
from constance.models import Constance
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.core.management import CommandError, call_command
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from alarm.tasks import cleanup_old_events
from retention.models import SettingChange

pytestmark = pytest.mark.django_db

NAME = "RETAIN_ALARM_EVENTS_DAYS"
SETTINGS = "admin:constance_config_changelist"
TRAIL = "admin:retention_settingchange_changelist"
SYSTEM_USER = f"system user {pwd.getpwuid(os.getuid()).pw_name}"


@pytest.fixture
def submit(admin_client):
    """Fill in the page of the settings, with the values given, and send it."""
    ContentType.objects.clear_cache()  # which remembers the type that another test made and rolled back

    def call(**values):
        form = admin_client.get(reverse(SETTINGS)).context["form"]
        filled = {name: form[name].value() for name in form.fields}
        data = {name: value for name, value in (filled | values).items() if value is not False}
        return admin_client.post(reverse(SETTINGS), data, follow=True)

    return call


def changes():
    return list(SettingChange.objects.order_by("pk").values_list("who", "setting", "old", "new"))


def test_a_change_in_the_admin_is_recorded_with_its_author(submit):
    with time_machine.travel(datetime(2026, 11, 23, 12, 0, tzinfo=UTC), tick=False):
        submit(**{NAME: 60})

    assert config.RETAIN_ALARM_EVENTS_DAYS == 60
    assert changes() == [("admin", NAME, "90", "60")]
    assert SettingChange.objects.get().at == datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_change_from_the_command_line_is_recorded_with_the_user_of_the_system():
    call_command("constance", "set", NAME, "60")
    call_command("constance", "set", NAME, "30")

    assert changes() == [(SYSTEM_USER, NAME, "90", "60"), (SYSTEM_USER, NAME, "60", "30")]


def test_a_change_in_code_is_recorded_too():
    config.RETAIN_ALARM_EVENTS_DAYS = 0

    assert changes() == [(SYSTEM_USER, NAME, "90", "0")]


def test_what_is_set_to_the_value_it_has_is_no_change(submit):
    submit()
    call_command("constance", "set", NAME, "90")

    assert changes() == []


def test_reading_a_setting_writes_nothing():
    assert config.RETAIN_ALARM_EVENTS_DAYS == 90
    call_command("constance", "list", stdout=StringIO())

    assert not Constance.objects.exists()


@pytest.mark.django_db(transaction=True)
async def test_reading_a_setting_on_the_loop_writes_nothing_either():
    assert await config.RETAIN_ALARM_EVENTS_DAYS == 90

    assert not await Constance.objects.aexists()


def test_all_that_one_form_changes_is_recorded(submit):
    submit(**{NAME: 60, "RETAIN_NOTIFICATIONS_DAYS": 7})

    assert sorted(changes()) == [("admin", NAME, "90", "60"), ("admin", "RETAIN_NOTIFICATIONS_DAYS", "30", "7")]


@pytest.mark.parametrize("value", ["-1", "36501", "many", ""])
@pytest.mark.parametrize("name", [name for name in settings.CONSTANCE_CONFIG if name.startswith("RETAIN_")])
def test_a_time_that_is_out_of_bounds_changes_nothing_at_all(submit, name, value):
    other = next(other for other in settings.CONSTANCE_CONFIG if other.startswith("RETAIN_") and other != name)

    page = submit(**{name: value, other: 5})

    assert page.context["form"].errors.keys() == {name}
    assert changes() == []
    assert getattr(config, other) == settings.CONSTANCE_CONFIG[other][0]


def test_a_time_that_is_out_of_bounds_is_refused_on_the_command_line_too():
    with pytest.raises(CommandError, match="less than or equal to 36500"):
        call_command("constance", "set", NAME, "36501")

    assert changes() == []


class CauseFailed(Exception):
    """What went wrong around the change."""


def change_and_fail():
    with transaction.atomic():
        config.RETAIN_ALARM_EVENTS_DAYS = 60
        raise CauseFailed


def test_a_change_that_is_rolled_back_leaves_no_record():
    with pytest.raises(CauseFailed):
        change_and_fail()

    assert config.RETAIN_ALARM_EVENTS_DAYS == 90
    assert changes() == []


def test_the_trail_is_read_in_the_admin_and_changed_by_nobody(admin_client):
    config.RETAIN_ALARM_EVENTS_DAYS = 60
    pk = SettingChange.objects.get().pk
    row = reverse("admin:retention_settingchange_change", args=[pk])

    assert NAME in admin_client.get(reverse(TRAIL)).content.decode()
    assert admin_client.get(row).status_code == 200
    assert admin_client.post(row, {"new": "1"}).status_code == 403
    assert admin_client.get(reverse("admin:retention_settingchange_add")).status_code == 403
    assert admin_client.post(reverse("admin:retention_settingchange_delete", args=[pk])).status_code == 403
    admin_client.post(reverse(TRAIL), {"action": "delete_selected", "_selected_action": [pk], "post": "yes"})
    assert changes() == [(SYSTEM_USER, NAME, "90", "60")]


def test_the_history_of_the_settings_is_the_trail(admin_client):
    page = admin_client.get(reverse("admin:constance_config_history"), follow=True)

    assert page.redirect_chain == [(reverse(TRAIL), 302)]


def test_no_clean_up_deletes_from_the_trail():
    config.RETAIN_ALARM_EVENTS_DAYS = 1
    SettingChange.objects.update(at=timezone.now() - timedelta(days=10_000))

    cleanup_old_events()

    assert SettingChange.objects.count() == 1


def test_the_page_of_the_settings_says_what_each_does_and_which_values_it_takes(admin_client):
    page = admin_client.get(reverse(SETTINGS)).content.decode()

    for name, (_, help_text, *_) in settings.CONSTANCE_CONFIG.items():
        if name.startswith("RETAIN_"):
            assert help_text in page
            assert "0 to 36500; 0 keeps" in help_text
