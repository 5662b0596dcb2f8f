"""Frigate's events as values: what is read, what is refused, what several messages say together."""

import itertools
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.frigate.events import merged, read_event
from home.wire import Malformed
from tests.home.frigate_messages import START, event


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


def test_an_event_is_read_with_all_its_parts():
    detection = read_event(
        event("update", seconds=2, score=0.7, top_score=0.9, sub_label=["Anna", 0.8], zones=["door"])
    )

    assert (detection.event_id, detection.camera, detection.label) == ("1700000000.1-abc", "front", "person")
    assert (detection.sub_label, detection.score, detection.top_score) == ("Anna", 0.7, 0.9)
    assert detection.zones == ("door",)
    assert (detection.started_at, detection.ended_at, detection.updated_at) == (at(0), None, at(2))


@pytest.mark.parametrize(("sent", "read"), [(None, ""), ("Anna", "Anna"), (["Anna", 0.9], "Anna"), ([], ""), (7, "")])
def test_a_sub_label_is_read_in_all_its_forms(sent, read):
    assert read_event(event("update", sub_label=sent)).sub_label == read


def test_an_end_without_an_end_time_ends_with_its_newest_frame():
    assert read_event(event("end", seconds=4, end_time=None)).ended_at == at(4)


def test_messages_about_an_object_say_the_same_together_in_every_order():
    messages = [
        read_event(event("new", seconds=0, score=0.6, zones=["street"])),
        read_event(event("update", seconds=1, score=0.9, top_score=0.9, zones=["street", "door"], sub_label="Anna")),
        read_event(event("update", seconds=2, score=0.5, top_score=0.5)),
        read_event(event("end", seconds=3, score=0.4)),
    ]
    results = set()
    for order in itertools.permutations(messages):
        result = order[0]
        for message in order[1:] + order:
            result = merged(result, message)
        results.add((result.top_score, result.score, result.ended_at, result.sub_label, frozenset(result.zones)))

    assert results == {(0.9, 0.4, at(3), "Anna", frozenset({"street", "door"}))}


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"new"',
        b'{"type": "new"}',
        b'{"type": "new", "after": {}}',
        b'{"type": ["new"], "after": {}}',
        b"[" * 100_000,
        b'{"type": "new", "after": ' + b"9" * 5000 + b"}",
        event("reboot"),
        event("new", id=None),
        event("new", id="x" * 101),
        event("new", camera="fro\x00nt"),
        event("new", label="\ud800"),
        event("new", start_time="yesterday"),
        event("new", start_time=1e300),
        event("new", start_time=True),
    ],
)
def test_what_is_no_event_is_refused(payload):
    with pytest.raises(Malformed):
        read_event(payload)


@pytest.mark.parametrize("score", [None, "high", -1, True, float("nan"), 10**400])
def test_a_score_that_is_none_counts_as_zero(score):
    assert read_event(event("new", score=score, top_score=score)).score == 0.0


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
fields = st.sampled_from(
    [
        "id",
        "camera",
        "label",
        "sub_label",
        "score",
        "top_score",
        "start_time",
        "end_time",
        "frame_time",
        "entered_zones",
    ]
)


@given(st.sampled_from(["new", "update", "end"]), st.dictionaries(fields, json_values))
def test_an_event_with_anything_in_its_fields_is_read_or_refused(kind, changes):
    try:
        detection = read_event(event(kind, **changes))
    except Malformed:
        return
    assert merged(detection, detection) == detection


@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_any_payload_at_all_is_refused_without_another_error(payload):
    with pytest.raises(Malformed):
        read_event(payload)
