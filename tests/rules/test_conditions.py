"""Whether a condition holds, why, and when to look again. All of it pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.changes import EntityState
from home.frigate.events import Detection
from rules.conditions import evaluate, lines
from rules.definitions import parse
from rules.facts import OPEN_FRESH, AlarmFact, Facts

NOW = datetime(2026, 11, 25, 21, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")

# Three conditions that hold, do not hold, and cannot be known, in a house where a is on and c is not there.
TRUE = {"entity_id": "light.a", "state": "on"}
FALSE = {"entity_id": "light.a", "state": "off"}
UNKNOWN = {"entity_id": "light.c", "state": "on"}
TRUTH = {True: TRUE, False: FALSE, None: UNKNOWN}

CONDITIONS = st.recursive(
    st.sampled_from(list(TRUTH.values())),
    lambda parts: (
        st.lists(parts, min_size=1, max_size=4).map(lambda found: {"all": found})
        | st.lists(parts, min_size=1, max_size=4).map(lambda found: {"any": found})
        | parts.map(lambda found: {"not": found})
    ),
    max_leaves=8,
)


def entity(state, **attributes):
    return EntityState(state=state, attributes=attributes, last_changed=NOW, last_updated=NOW)


def detection(**fields):
    values = {
        "event_id": "1",
        "camera": "drive",
        "label": "person",
        "sub_label": "",
        "score": 0.5,
        "top_score": 0.8,
        "zones": ("porch",),
        "started_at": NOW,
        "ended_at": NOW,
        "updated_at": NOW,
    }
    return Detection(**(values | fields))


def verdict(condition, **facts):
    parsed = parse({"when": condition, "then": [{"type": "notify", "body": "x"}]})
    return evaluate(parsed.when, Facts(**({"now": NOW, "zone": BERLIN} | facts)))


def truth(condition, state="on", **attributes):
    return verdict(condition, entities={"light.a": entity(state, **attributes)}).truth


@pytest.mark.parametrize(
    ("wanted", "state", "expected"),
    [
        ("on", "on", True),
        ("on", "off", False),
        (["on", "open"], "open", True),
        ("on", "unavailable", None),
        ("on", "unknown", None),
        ("unavailable", "unavailable", True),
        ("unavailable", "on", False),
        ("unavailable", "unknown", None),
    ],
)
def test_a_state_is_compared(wanted, state, expected):
    assert truth({"entity_id": "light.a", "state": wanted}, state) is expected


def test_an_entity_that_is_not_there_cannot_be_known():
    assert verdict(TRUE).truth is None


@pytest.mark.parametrize(
    ("limits", "state", "expected"),
    [
        ({"above": 20}, "20.5", True),
        ({"above": 20}, "20", False),
        ({"below": 20}, "19.9", True),
        ({"below": 20}, "20", False),
        ({"above": 10, "below": 20}, "15", True),
        ({"above": 10, "below": 20}, "25", False),
        ({"above": 10}, "warm", None),
        ({"above": 10}, "nan", None),
        ({"above": 10}, "inf", None),
        ({"above": 10}, "unavailable", None),
    ],
)
def test_a_number_is_compared(limits, state, expected):
    assert truth({"entity_id": "light.a", **limits}, state) is expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(80, True), (20, False), ("80", True), (True, None), (None, None), ([80], None), (10**400, None)],
)
def test_an_attribute_is_compared(value, expected):
    condition = {"entity_id": "light.a", "attribute": "brightness", "above": 50}

    assert truth(condition, brightness=value) is expected
    assert truth(condition) is None
    assert truth(condition, "unavailable", brightness=value) is None


@pytest.mark.parametrize(
    ("sight", "fields", "expected"),
    [
        ({"label": "person"}, {}, True),
        ({"label": "car"}, {}, False),
        ({"camera": "drive"}, {}, True),
        ({"camera": "garden"}, {}, False),
        ({"sub_label": "Ann"}, {}, False),
        ({"sub_label": "Ann"}, {"sub_label": "Ann"}, True),
        ({"min_score": 0.8}, {}, True),
        ({"min_score": 0.81}, {}, False),
        ({"zone": "porch"}, {}, True),
        ({"zone": "street"}, {}, False),
        ({"label": "person"}, {"updated_at": NOW - timedelta(seconds=29)}, True),
        ({"label": "person"}, {"updated_at": NOW - timedelta(seconds=30)}, False),
        ({"label": "person", "within": 60}, {"updated_at": NOW - timedelta(seconds=59)}, True),
        ({"label": "person"}, {"ended_at": None, "updated_at": NOW - timedelta(minutes=4)}, True),
        ({"label": "person"}, {"ended_at": None, "updated_at": NOW - OPEN_FRESH}, False),
    ],
)
def test_a_detection_counts_if_it_matches_and_is_fresh(sight, fields, expected):
    assert verdict({"frigate": sight}, sightings=[detection(**fields)]).truth is expected


def test_a_sight_is_looked_at_again_when_the_last_match_no_longer_counts():
    older, newer = (detection(updated_at=NOW - timedelta(seconds=age)) for age in (20, 5))

    assert verdict({"frigate": {"label": "person"}}, sightings=[newer, older]).look_again_at == NOW + timedelta(
        seconds=25
    )
    assert verdict({"frigate": {"label": "car"}}, sightings=[newer, older]).look_again_at is None


def test_time_is_that_of_the_home_unless_the_window_names_a_zone():
    window = {"after": "22:00", "before": "23:00"}

    assert verdict({"time": window}).truth is True
    assert verdict({"time": window | {"tz": "UTC"}}).truth is False
    assert verdict({"time": window}).look_again_at == NOW + timedelta(minutes=30)


def test_the_alarms_state_is_compared():
    alarm = AlarmFact(state="armed_away", since=NOW)

    assert verdict({"alarm": ["armed_home", "armed_away"]}, alarm=alarm).truth is True
    assert verdict({"alarm": "disarmed"}, alarm=alarm).truth is False
    assert verdict({"alarm": "disarmed"}).truth is None


@pytest.mark.parametrize("one", [True, False, None])
@pytest.mark.parametrize("other", [True, False, None])
def test_all_and_any_follow_kleene(one, other):
    parts = [TRUTH[one], TRUTH[other]]
    order = {False: 0, None: 1, True: 2}  # unknown lies between the two

    assert truth({"all": parts}) is min(one, other, key=order.__getitem__)
    assert truth({"any": parts}) is max(one, other, key=order.__getitem__)


@pytest.mark.parametrize(("one", "opposite"), [(True, False), (False, True), (None, None)])
def test_not_turns_it_round_and_leaves_the_unknown(one, opposite):
    assert truth({"not": TRUTH[one]}) is opposite


@given(CONDITIONS)
def test_not_not_changes_nothing(condition):
    assert truth({"not": {"not": condition}}) is truth(condition)


@given(st.lists(CONDITIONS, min_size=1, max_size=4))
def test_not_all_is_any_not(conditions):
    assert truth({"not": {"all": conditions}}) is truth({"any": [{"not": one} for one in conditions]})


@given(CONDITIONS)
def test_what_becomes_known_never_turns_what_was_decided(condition):
    decided = truth(condition)
    for state in ("on", "off"):
        known = {"light.a": entity("on"), "light.c": entity(state)}
        assert decided is None or verdict(condition, entities=known).truth is decided


@given(
    st.lists(st.integers(0, 400), max_size=3),
    st.booleans(),
    st.floats(0, 1),
    st.sampled_from(["all", "any"]),
)
def test_nothing_changes_before_it_is_looked_at_again(ages, is_open, share, join):
    sightings = [detection(updated_at=NOW - timedelta(seconds=age), ended_at=None if is_open else NOW) for age in ages]
    condition = {join: [{"frigate": {"label": "person"}}, {"not": {"time": {"after": "22:31", "before": "22:32"}}}]}
    first = verdict(condition, sightings=sightings)

    later = min(NOW + (first.look_again_at - NOW) * share, first.look_again_at - timedelta(microseconds=1))
    assert verdict(condition, sightings=sightings, now=later).truth is first.truth


@given(
    st.text(max_size=20),
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.lists(st.integers(), max_size=2),
    st.sampled_from([{"state": "on"}, {"above": 5}, {"attribute": "x", "below": -1e308}]),
)
def test_there_is_an_answer_for_whatever_an_entity_says(state, attribute, wanted):
    told = verdict({"entity_id": "light.a"} | wanted, entities={"light.a": entity(state, x=attribute)})

    assert told.truth in (True, False, None)
    assert all(line.isprintable() for line in lines(told.as_json()))


def test_a_verdict_says_what_was_wanted_and_what_was_seen():
    condition = {
        "all": [TRUE, {"not": {"time": {"after": "06:00", "before": "22:00"}}}, {"alarm": "armed_away"}, UNKNOWN]
    }
    told = verdict(condition, entities={"light.a": entity("on")}, alarm=AlarmFact(state="disarmed", since=NOW))

    assert list(lines(told.as_json())) == [
        "✗ all of",
        "  ✓ light.a is on  (on since 2026-11-25 22:30:00 CET)",
        "  ✓ not",
        "    ✗ the time is from 06:00 to 22:00  (Wed 22:30:00)",
        "  ✗ the alarm is armed_away  (disarmed since 2026-11-25 22:30:00 CET)",
        "  ? light.c is on  (there is no such entity)",
    ]


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        (
            {"frigate": {"camera": "drive", "label": "person", "zone": "porch", "min_score": 0.7, "within": 120}},
            "? Frigate saw person at drive in zone porch with a score of at least 0.7 within 2 min",
        ),
        ({"frigate": {"sub_label": "Ann"}}, "? Frigate saw (Ann) within 30 s"),
        (
            {"time": {"after": "22:00", "weekdays": ["sat", "sun"], "tz": "Asia/Tokyo"}},
            "? the time is from 22:00 on Sat or Sun in Asia/Tokyo",
        ),
        ({"entity_id": "sensor.t", "attribute": "x", "above": 1, "below": 2}, "? x of sensor.t is above 1 and below 2"),
        ({"entity_id": "sensor.t", "state": ["on", "open", "ajar"]}, "? sensor.t is on, open or ajar"),
    ],
)
def test_conditions_are_told_in_words(condition, words):
    told = verdict(condition).as_json() | {"holds": None, "seen": ""}

    assert list(lines(told)) == [words]
