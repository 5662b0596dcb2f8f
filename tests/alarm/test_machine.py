"""The alarm's state machine: every transition by table, and what no sequence of them may do."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from alarm.machine import ARMED, MODES, Command, Delays, Mode, State, Status, after_command, after_timer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DELAYS = Delays(exit=timedelta(seconds=60), entry=timedelta(seconds=30), trigger=timedelta(seconds=300))
NO_DELAYS = Delays(exit=timedelta(), entry=timedelta(), trigger=timedelta(seconds=300))
TIMED = {State.ARMING: DELAYS.exit, State.PENDING: DELAYS.entry, State.TRIGGERED: DELAYS.trigger}

disarmed = Status(state=State.DISARMED, since=NOW)


def status(state, mode=Mode.AWAY):
    length = TIMED.get(state)
    return Status(
        state=state,
        mode=None if state is State.DISARMED else mode,
        since=NOW,
        until=NOW + length if length else None,
        version=7,
    )


@pytest.mark.parametrize(
    ("state", "command", "following"),
    [
        ("disarmed", "arm_home", "arming"),
        ("disarmed", "arm_away", "arming"),
        ("disarmed", "arm_night", "arming"),
        ("disarmed", "disarm", None),
        ("disarmed", "enter", None),
        ("disarmed", "trigger", "triggered"),
        ("arming", "arm_home", "arming"),
        ("arming", "arm_away", None),  # it is the mode of the status: nothing new
        ("arming", "arm_night", "arming"),
        ("arming", "disarm", "disarmed"),
        ("arming", "enter", None),
        ("arming", "trigger", "triggered"),
        *(
            (armed, command, following)
            for armed in ("armed_home", "armed_away", "armed_night")
            for command, following in [
                ("arm_home", None),
                ("arm_away", None),
                ("arm_night", None),
                ("disarm", "disarmed"),
                ("enter", "pending"),
                ("trigger", "triggered"),
            ]
        ),
        ("pending", "arm_home", None),
        ("pending", "arm_away", None),
        ("pending", "arm_night", None),
        ("pending", "disarm", "disarmed"),
        ("pending", "enter", None),
        ("pending", "trigger", "triggered"),
        ("triggered", "arm_home", None),
        ("triggered", "arm_away", None),
        ("triggered", "arm_night", None),
        ("triggered", "disarm", "disarmed"),
        ("triggered", "enter", None),
        ("triggered", "trigger", None),
    ],
)
def test_each_command_in_each_state(state, command, following):
    after = after_command(status(State(state)), Command(command), now=NOW, delays=DELAYS)

    assert (after and after.state) == following


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("state", [State.ARMING, State.PENDING, State.TRIGGERED])
def test_what_ends_by_itself_ends_when_its_time_is_up_and_not_before(state, mode):
    present = status(state, mode)
    following = State.TRIGGERED if state is State.PENDING else ARMED[mode]

    early = present.until - timedelta(microseconds=1)
    assert after_timer(present, now=early, delays=DELAYS) is None
    assert after_timer(present, now=present.until, delays=DELAYS).state == following


@pytest.mark.parametrize("state", [State.DISARMED, *ARMED.values()])
def test_other_states_last(state):
    assert after_timer(status(state), now=NOW + timedelta(days=1000), delays=DELAYS) is None


def test_an_alarm_that_goes_off_late_sounds_for_its_whole_time():
    late = NOW + timedelta(hours=3)

    triggered = after_timer(status(State.PENDING), now=late, delays=DELAYS)

    assert (triggered.since, triggered.until) == (late, late + DELAYS.trigger)


def test_a_panic_in_a_disarmed_house_ends_disarmed():
    panic = after_command(disarmed, Command.TRIGGER, now=NOW, delays=DELAYS)

    after = after_timer(panic, now=panic.until, delays=DELAYS)

    assert (after.state, after.mode) == (State.DISARMED, None)


def test_a_panic_while_people_leave_ends_armed():
    panic = after_command(status(State.ARMING, Mode.NIGHT), Command.TRIGGER, now=NOW, delays=DELAYS)

    assert after_timer(panic, now=panic.until, delays=DELAYS).state == State.ARMED_NIGHT


def test_another_mode_chosen_while_leaving_starts_the_delay_again():
    later = NOW + timedelta(seconds=50)

    after = after_command(status(State.ARMING, Mode.AWAY), Command.ARM_HOME, now=later, delays=DELAYS)

    assert (after.mode, after.until) == (Mode.HOME, later + DELAYS.exit)


def test_a_delay_of_nothing_is_passed_over():
    armed = after_command(disarmed, Command.ARM_NIGHT, now=NOW, delays=NO_DELAYS)
    assert (armed.state, armed.until, armed.version) == (State.ARMED_NIGHT, None, 1)

    assert after_command(armed, Command.ENTER, now=NOW, delays=NO_DELAYS).state == State.TRIGGERED


class Life(RuleBasedStateMachine):
    """Any people, any rules, and timers that come when they want."""

    def __init__(self):
        super().__init__()
        self.now = NOW
        self.status = disarmed
        self.armed_since = None

    def go(self, after):
        if after is None:
            return
        before, self.status = self.status, after
        assert after.version == before.version + 1
        assert after.since == self.now
        if after.state in ARMED.values() and before.state is not State.TRIGGERED:
            assert before.state is State.ARMING
            assert self.now >= before.since + DELAYS.exit
        if after.state not in (State.DISARMED, State.ARMING) and before.state is not State.DISARMED:
            assert after.mode is before.mode

    @rule(command=st.sampled_from(Command))
    def command(self, command):
        self.go(after_command(self.status, command, now=self.now, delays=DELAYS))

    @rule(seconds=st.integers(0, 400))
    def time_passes(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(times=st.integers(1, 3))
    def timer(self, times):
        for _ in range(times):  # one that comes again finds nothing to do
            self.go(after_timer(self.status, now=self.now, delays=DELAYS))

    @invariant()
    def it_can_always_be_disarmed(self):
        after = after_command(self.status, Command.DISARM, now=self.now, delays=DELAYS)
        assert (after or self.status).state is State.DISARMED

    @invariant()
    def it_has_a_mode_unless_it_is_disarmed(self):
        if self.status.state is State.DISARMED:
            assert self.status.mode is None
        elif self.status.state is not State.TRIGGERED:  # a panic has none
            assert self.status.mode is not None

    @invariant()
    def an_armed_state_is_that_of_its_mode(self):
        if self.status.state in ARMED.values():
            assert self.status.state is ARMED[self.status.mode]

    @invariant()
    def what_ends_by_itself_says_when(self):
        length = TIMED.get(self.status.state)
        assert self.status.until == (self.status.since + length if length else None)


TestLife = Life.TestCase


@given(st.lists(st.sampled_from(sorted(MODES)), min_size=1), st.integers(0, 59))
def test_nobody_is_shut_in_by_pressing_buttons_however_often(commands, seconds):
    present = disarmed
    for command in commands:
        present = after_command(present, command, now=NOW, delays=DELAYS) or present

    assert after_timer(present, now=NOW + timedelta(seconds=seconds), delays=DELAYS) is None
