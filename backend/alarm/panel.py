"""The alarm in words, as the page shows it without its script. ``panel.js`` says the same."""

from dataclasses import dataclass
from datetime import datetime

from alarm import operate
from alarm.machine import Command, State, Status

TONES = {
    State.DISARMED: "off",
    State.ARMING: "wait",
    State.ARMED_HOME: "ok",
    State.ARMED_AWAY: "ok",
    State.ARMED_NIGHT: "ok",
    State.PENDING: "wait",
    State.TRIGGERED: "bad",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """*tone* colours it, *word* is in large letters. A code is asked for where one is needed."""

    status: Status
    tone: str
    word: str
    code_to_arm: bool
    code_to_disarm: bool

    @property
    def is_armed(self) -> bool:
        """True in every state but disarmed: what can be done is to disarm."""
        return self.status.state is not State.DISARMED


def panel(status: Status, *, now: datetime) -> Panel:
    """Return what to show of *status*."""
    return Panel(
        status=status,
        tone=TONES[status.state],
        word=f"Arming {status.mode}" if status.state is State.ARMING else str(status.state.label),
        code_to_arm=operate.needs_code(Command.ARM_AWAY, now),
        code_to_disarm=operate.needs_code(Command.DISARM, now),
    )
