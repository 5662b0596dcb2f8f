"""Codes: what is stored of them, and who may use which."""

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.urls import reverse
from django.utils import timezone

from alarm import codes
from alarm.arming import Command
from alarm.models import AlarmCode

pytestmark = pytest.mark.django_db

CODE = "258013"


def find(code, command=Command.DISARM, *, user_id=1):
    return codes.find(code, command, user_id=user_id, now=timezone.now())


def test_a_right_code_is_found_among_several_and_a_wrong_one_is_not(make_code):
    make_code("1111", "Ben")
    anna = make_code(CODE, "Anna")

    assert find(CODE) == anna
    assert find("2222") is None
    assert find("") is None


def test_a_code_is_found_that_was_hashed_another_way(make_code, settings):
    settings.PASSWORD_HASHERS = [*settings.PASSWORD_HASHERS, "django.contrib.auth.hashers.MD5PasswordHasher"]
    old = AlarmCode.objects.create(label="Old", hash=make_password(CODE, hasher="md5"))

    assert find(CODE) == old
    assert find("1111") is None


@pytest.mark.parametrize(
    "fields", [{"enabled": False}, {"valid_until": timezone.now() - timedelta(days=1)}, {"may_disarm": False}]
)
def test_a_code_that_does_not_count_is_as_good_as_a_wrong_one(make_code, fields):
    make_code(CODE, **fields)

    assert find(CODE) is None


def test_a_guest_code_counts_until_it_ends(make_code):
    make_code(CODE, valid_until=timezone.now() + timedelta(days=1))

    assert find(CODE)


def test_a_code_may_be_for_arming_only(make_code):
    make_code(CODE, may_disarm=False)

    assert find(CODE, Command.ARM_AWAY)
    assert find(CODE, Command.DISARM) is None


def test_a_code_of_a_user_is_of_no_use_to_another(make_code, resident):
    make_code(CODE, user=resident)

    assert find(CODE, user_id=resident.pk)
    assert find(CODE, user_id=resident.pk + 1) is None


@pytest.fixture
def form(admin_client, quick_hashes):
    """Returns a function that sends the admin's form for a code; ``change`` is the one to change."""

    def send(code, label="Anna", *, change=None, **fields):
        address = (
            reverse("admin:alarm_alarmcode_change", args=[change.pk])
            if change
            else reverse("admin:alarm_alarmcode_add")
        )
        switches = {"enabled": "on", "may_arm": "on", "may_disarm": "on"}
        return admin_client.post(address, {"label": label, "code": code} | switches | fields)

    return send


def test_a_code_is_set_in_the_admin(form):
    assert form(CODE).status_code == 302

    row = AlarmCode.objects.get()
    assert row.hash.startswith("pbkdf2_sha256$")
    assert find(CODE) == row


def test_a_code_that_is_set_is_shown_nowhere(form, admin_client):
    form(CODE)
    row = AlarmCode.objects.get()

    pages = [
        reverse("admin:alarm_alarmcode_changelist"),
        reverse("admin:alarm_alarmcode_change", args=[row.pk]),
        reverse("admin:alarm_alarmcode_history", args=[row.pk]),
    ]
    shown = "".join(admin_client.get(page).content.decode() for page in pages)
    assert "Anna" in shown
    assert CODE not in shown
    assert row.hash not in shown
    assert row.hash.rpartition("$")[2] not in repr(row) + str(row)


def test_a_refused_form_does_not_give_the_code_back(form):
    answer = form(CODE, label="")

    assert answer.status_code == 200
    assert CODE not in answer.content.decode()


def test_changing_anything_else_keeps_the_code(form):
    form(CODE)
    row = AlarmCode.objects.get()

    form("", label="Anna and Ben", change=row)

    assert find(CODE).label == "Anna and Ben"


@pytest.mark.parametrize("code", ["", "123", "12a4", "1234567890123", "١٢٣٤"])
def test_a_code_is_four_to_twelve_digits(form, code):
    assert form(code).status_code == 200
    assert not AlarmCode.objects.exists()


def test_two_codes_differ_in_label_and_in_code(form):
    form(CODE)

    assert "already exists" in form("4711").content.decode()
    assert "this one is taken" in form(CODE, label="Ben").content.decode()
    assert AlarmCode.objects.count() == 1


def test_residents_do_not_come_to_the_codes(client, resident):
    client.force_login(resident)

    assert client.get(reverse("admin:alarm_alarmcode_changelist")).status_code == 302
