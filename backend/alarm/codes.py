"""Codes that people type to arm and disarm. Only hashes are kept."""

from datetime import datetime

from django.contrib.auth.hashers import check_password, make_password
from django.db.models import Q, QuerySet
from django.utils.crypto import constant_time_compare, salted_hmac

from alarm.machine import Command
from alarm.models import AlarmCode

MIN_LENGTH, MAX_LENGTH = 4, 12


def hashed(code: str) -> str:
    """Return the hash of *code* by the first of Django's PASSWORD_HASHERS.

    All codes of a deployment have one salt: so one hash, which costs a good part of a second, tells
    whether a code is among them, however many there are.
    """
    return make_password(code, salt=salted_hmac("alarm.codes", "salt").hexdigest()[:32])


def usable(now: datetime) -> QuerySet[AlarmCode]:
    """Return the codes that count at *now*."""
    return AlarmCode.objects.filter(Q(valid_until=None) | Q(valid_until__gt=now), enabled=True)


def find(code: str, command: Command, *, user_id: int, now: datetime) -> AlarmCode | None:
    """Return the code that this is, if the user may use it for *command*.

    It takes as long for a wrong code as for a right one, some tenths of a second of processor time.
    """
    made = hashed(code)
    rows = [row for row in usable(now) if _is(row, code, made)]
    may = "may_disarm" if command is Command.DISARM else "may_arm"
    return next((row for row in rows if row.user_id in (None, user_id) and getattr(row, may)), None)


def _is(row: AlarmCode, code: str, made: str) -> bool:
    """True if *row* is of *code*, whose hash of today is *made*."""
    if row.hash.rpartition("$")[0] == made.rpartition("$")[0]:
        return constant_time_compare(row.hash, made)
    return check_password(code, row.hash)  # set under an older Django, or another SECRET_KEY
