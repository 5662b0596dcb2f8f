"""Frigate's messages as values: what is read, what is refused, what several messages say together."""

import itertools
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from home.frigate.events import read_event
from home.frigate.reviews import read_review
from home.frigate.stats import Camera, Detector, read_stats
from home.wire import Malformed
from tests.home.frigate_messages import OBJECTS, REVIEW_DATA, START, event, review, stats


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(START + seconds, UTC)


@pytest.mark.parametrize("version", OBJECTS)
def test_an_event_of_any_version_is_read_with_all_its_parts(version):
    said = event(
        "update", seconds=2, score=0.7, top_score=0.9, sub_label=["Anna", 0.8], zones=["door"], version=version
    )
    detection = read_event(said)

    assert (detection.event_id, detection.camera, detection.label) == ("1700000000.1-abc", "front", "person")
    assert (detection.sub_label, detection.score, detection.top_score) == ("Anna", 0.7, 0.9)
    assert detection.zones == ("door",)
    assert (detection.started_at, detection.ended_at, detection.updated_at) == (at(0), None, at(2))
    assert detection.stationary is False


@pytest.mark.parametrize(("sent", "read"), [(None, ""), ("Anna", "Anna"), (["Anna", 0.9], "Anna"), ([], ""), (7, "")])
def test_a_sub_label_is_read_in_all_its_forms(sent, read):
    assert read_event(event("update", sub_label=sent)).sub_label == read


@pytest.mark.parametrize("plate", ["B-AB 123", ["B-AB 123", 0.93]])
def test_a_number_plate_that_nobody_knows_is_a_sub_label_in_every_version(plate):
    assert read_event(event("update", recognized_license_plate=plate)).sub_label == "B-AB 123"
    assert read_event(event("update", recognized_license_plate=plate, sub_label=["Anna's", 0.9])).sub_label == "Anna's"


def test_what_stands_still_is_said_to():
    assert read_event(event("update", label="car", stationary=True)).stationary is True


def test_what_frigate_itself_takes_for_a_mistake_is_refused():
    with pytest.raises(Malformed, match="calls false"):
        read_event(event("new", false_positive=True))


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
            result = result.merged(message)
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
    assert detection.merged(detection) == detection


@pytest.mark.parametrize("version", REVIEW_DATA)
def test_a_review_of_any_version_is_read_with_all_its_parts(version):
    data = {"objects": ["person", "car"], "audio": ["bark"], "zones": ["door"], "detections": ["a", "b"]}
    found = read_review(review("end", seconds=9, severity="alert", data=data, version=version))

    assert (found.review_id, found.camera, found.severity) == ("1700000000.1-rev", "front", "alert")
    assert (found.labels, found.zones, found.detections) == (("person", "car", "bark"), ("door",), ("a", "b"))
    assert (found.started_at, found.ended_at) == (at(0), at(9))


def test_messages_about_a_review_say_the_same_together_in_every_order():
    messages = [
        read_review(review("new")),
        read_review(review("update", severity="alert", data={"objects": ["person", "dog"], "zones": ["door"]})),
        read_review(review("genai", data={"metadata": {"title": "A visitor"}})),
        read_review(review("end", seconds=7, severity="alert", data={"detections": ["a", "b"]})),
    ]
    results = set()
    for order in itertools.permutations(messages):
        result = order[0]
        for message in order[1:] + order:
            result = result.merged(message)
        results.add((result.severity, frozenset(result.labels), result.zones, len(result.detections), result.ended_at))

    assert results == {("alert", frozenset({"person", "dog"}), ("door",), 3, at(7))}


@pytest.mark.parametrize(
    "payload",
    [
        b"online",
        b'{"type": "new", "after": {}}',
        event("new"),
        review("significant"),
        review("new", id=None),
        review("new", severity="panic"),
        review("new", start_time=None),
    ],
)
def test_what_is_no_review_is_refused(payload):
    with pytest.raises(Malformed):
        read_review(payload)


def test_a_review_without_its_data_is_read():
    said = json.loads(review("new"))
    del said["after"]["data"]

    assert read_review(json.dumps(said).encode()).labels == ()


@pytest.mark.parametrize("version", ["0.12", "0.13", "0.14", "0.15", "0.16"])
def test_statistics_of_any_version_are_read(version):
    found = read_stats(stats(version=version))

    assert found.version == f"{version}.0-abcdef0"
    assert found.cameras == {"front": Camera(fps=5.1, detecting=True)}
    assert found.detectors == {"coral": Detector(inference_ms=10.25, stuck=False)}
    assert found.trouble() is None


def test_a_camera_without_pictures_and_a_detector_that_hangs_are_named():
    found = read_stats(stats(fps=0.0, detection_start=START - 60, garden={"camera_fps": 0}))

    assert found.trouble() == "no pictures from front, garden; detector coral is stuck"


@pytest.mark.parametrize("payload", [b"online", b"[]", b"{}", b'{"cameras": {}}', b'{"cameras": 1, "detectors": 2}'])
def test_what_is_no_statistics_is_refused(payload):
    with pytest.raises(Malformed):
        read_stats(payload)
