"""What people may want of the alarm, and what they need for it.

Everybody who is signed in may arm and raise the alarm, and disarm with a code. While no code counts
for disarming, only staff and who has the permission ``alarm.operate`` may disarm.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from constance import config
from django.contrib.auth.models import AbstractUser
from django.db import transaction
from pydantic import SecretStr

from alarm import arming, codes, lockout
from alarm.machine import MODES, Command, State, Status
from alarm.models import AlarmCode


class Refused(Exception):
    """What somebody wants does not happen; the text says why, to them.

    CodeNeeded, CodeWrong, LockedOut (*seconds* to wait), NotAllowed, NotPossible (in the present *state*)
    """


class CodeNeeded(Refused):
    pass


class CodeWrong(Refused):
    pass


class NotAllowed(Refused):
    pass


class LockedOut(Refused):
    def __init__(self, until: datetime, now: datetime) -> None:
        self.seconds = math.ceil((until - now).total_seconds())
        minutes = math.ceil(self.seconds / 60)
        super().__init__(f"Too many wrong codes. Try again in {minutes} min.")


class NotPossible(Refused):
    def __init__(self, state: State, command: Command) -> None:
        self.state, self.command = state, command
        super().__init__(f"The alarm is {state.value}: {command.value} is not possible")


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who wants it, and from where."""

    user: AbstractUser
    address: str

    @property
    def name(self) -> str:
        return f"user:{self.user.get_username()}"

    @property
    def source(self) -> str:
        return f"{self.user.pk}@{self.address}"


def operate(
    command: Command, person: Person, *, code: SecretStr, now: datetime, exit_delay: timedelta | None = None
) -> Status:
    """Do *command* for *person* and return the new status. It blocks, for some tenths of a second if it needs a code.

    An empty *code* is none.

    Raises:
        Refused: nothing was changed, and why.
    """
    if not needs_code(command, now):
        if command is Command.DISARM and not (person.user.is_staff or person.user.has_perm("alarm.operate")):
            raise NotAllowed("There is no code yet: only staff may disarm")
        return _do(command, person, now=now, exit_delay=exit_delay)
    if not code.get_secret_value():
        raise CodeNeeded("A code is needed")
    _refuse_if_locked_out(person, now)
    found = codes.find(code.get_secret_value(), command, user_id=person.user.pk, now=now)
    with transaction.atomic():
        arming.lock()
        _refuse_if_locked_out(person, now)  # others may have tried meanwhile
        if found:
            return _do(command, person, now=now, exit_delay=exit_delay, code=found)
        until = lockout.refuse(person.source, by=person.name, now=now)
    raise LockedOut(until, now) if until else CodeWrong("That code is not right")


def needs_code(command: Command, now: datetime) -> bool:
    """Return whether people need a code for *command*."""
    if command is Command.DISARM:
        return codes.usable(now).filter(may_disarm=True).exists()
    return command in MODES and bool(config.ALARM_CODE_TO_ARM) and codes.usable(now).filter(may_arm=True).exists()


def _refuse_if_locked_out(person: Person, now: datetime) -> None:
    if until := lockout.until(person.source, now=now):
        raise LockedOut(until, now)


def _do(
    command: Command, person: Person, *, now: datetime, exit_delay: timedelta | None, code: AlarmCode | None = None
) -> Status:
    details = {"code": code.label} if code else {}
    status = arming.command(command, by=person.name, now=now, exit_delay=exit_delay, details=details)
    if status is None:
        raise NotPossible(arming.current().state, command)
    return status
