"""The alarm's states and what leads from one to the next: pure, so time comes as an argument.

    disarmed --arm_away--> arming --timer--> armed_away --enter--> pending --timer--> triggered --timer--> armed_away

The mode (home, away, night) is chosen when arming and lasts until somebody disarms. A timer of 0
seconds is passed over: what follows it begins at once.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import TextChoices


class State(TextChoices):
    """Where the alarm stands. The first word of an armed state is the same for all modes."""

    DISARMED = "disarmed", "Disarmed"
    ARMING = "arming", "Arming"
    ARMED_HOME = "armed_home", "Armed home"
    ARMED_AWAY = "armed_away", "Armed away"
    ARMED_NIGHT = "armed_night", "Armed night"
    PENDING = "pending", "Somebody came in"
    TRIGGERED = "triggered", "Alarm"


class Mode(TextChoices):
    """What is watched while the alarm is armed; rules know what that means."""

    HOME = "home", "Home"
    AWAY = "away", "Away"
    NIGHT = "night", "Night"


class Command(TextChoices):
    """What people and rules may want of the alarm."""

    ARM_HOME = "arm_home", "arm home"
    ARM_AWAY = "arm_away", "arm away"
    ARM_NIGHT = "arm_night", "arm night"
    DISARM = "disarm", "disarm"
    ENTER = "enter", "enter"
    TRIGGER = "trigger", "trigger"


ARMED: Mapping[Mode, State] = {
    Mode.HOME: State.ARMED_HOME,
    Mode.AWAY: State.ARMED_AWAY,
    Mode.NIGHT: State.ARMED_NIGHT,
}
MODES: Mapping[Command, Mode] = {
    Command.ARM_HOME: Mode.HOME,
    Command.ARM_AWAY: Mode.AWAY,
    Command.ARM_NIGHT: Mode.NIGHT,
}
TRANSITIONS: Mapping[tuple[State, Command], State] = {
    # An armed alarm changes its mode by way of disarmed only: arming asks for no code, and would open the house.
    **{(state, command): State.ARMING for state in (State.DISARMED, State.ARMING) for command in MODES},
    **{(state, Command.ENTER): State.PENDING for state in ARMED.values()},
    **{(state, Command.TRIGGER): State.TRIGGERED for state in State if state is not State.TRIGGERED},
    **{(state, Command.DISARM): State.DISARMED for state in State if state is not State.DISARMED},
}
"""What a command leads to; where there is no entry it changes nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """How long the states last that end by themselves."""

    exit: timedelta
    entry: timedelta
    trigger: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How the alarm is. Times are aware and in UTC.

    *mode* is None while disarmed. *until* is when the state ends by itself, None if it lasts.
    *version* rises by one with each change, so it tells which of two is the newer.
    """

    state: State
    mode: Mode | None = None
    since: datetime
    until: datetime | None = None
    version: int = 0


def after_command(status: Status, command: Command, *, now: datetime, delays: Delays) -> Status | None:
    """Return the status that *command* leads to; None if it changes nothing in the present one."""
    state = TRANSITIONS.get((status.state, command))
    if state is None:
        return None
    mode = MODES.get(command, status.mode)
    if state is State.ARMING and status.state is state and mode is status.mode:
        return None  # or pressing a button again would make the exit delay longer and longer
    return _begin(state, None if state is State.DISARMED else mode, status, now=now, delays=delays)


def after_timer(status: Status, *, now: datetime, delays: Delays) -> Status | None:
    """Return the status that follows by itself; None while the timer still runs, or if there is none.

    However late it is noticed, what follows begins *now*: an alarm sounds for its whole time.
    """
    if status.until is None or now < status.until:
        return None
    return _begin(_following(status.state, status.mode), status.mode, status, now=now, delays=delays)


def _begin(state: State, mode: Mode | None, before: Status, *, now: datetime, delays: Delays) -> Status:
    lengths = {State.ARMING: delays.exit, State.PENDING: delays.entry, State.TRIGGERED: delays.trigger}
    length = lengths.get(state)
    if length is not None and length <= timedelta():
        return _begin(_following(state, mode), mode, before, now=now, delays=delays)
    until = None if length is None else now + length
    return Status(state=state, mode=mode, since=now, until=until, version=before.version + 1)


def _following(state: State, mode: Mode | None) -> State:
    """Return what a state that ends by itself leads to."""
    if state is State.PENDING:
        return State.TRIGGERED
    return ARMED[mode] if mode else State.DISARMED  # a panic in a disarmed house ends disarmed
