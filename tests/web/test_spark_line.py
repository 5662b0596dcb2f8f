"""How the latest runs of a task are drawn, and said in words."""

from asyncsched.storage.sparks import Bar, Spark
from asyncsched.web.spark_line import SparkLine


def line(*durations, failed=()):
    bars = [Bar(duration=duration, is_bad=number in failed) for number, duration in enumerate(durations)]
    return SparkLine(spark=Spark(bars=tuple(bars)))


def test_a_stroke_is_as_high_as_its_run_was_long_and_the_newest_is_at_the_right():
    assert line(1.0, 2.0).good_path == "M117 24V15M119 24V6"


def test_a_failure_is_a_stroke_of_its_own_kind_with_a_dot_above():
    drawn = line(1.0, 2.0, failed={0})

    assert drawn.good_path == "M119 24V6"
    assert drawn.bad_path == "M117 24V15M117 2h0"


def test_a_run_of_no_length_can_be_seen_too():
    assert line(0.0).good_path == "M119 24V22"


def test_it_is_said_in_words_as_well():
    assert line(0.012, 1.3, 2.0, failed={1}).label == "Latest 3: 12 ms to 2.0 s, 1 failed"
    assert line(0.5).label == "Latest 1: 500 ms, none failed"


def test_nothing_is_said_of_nothing():
    assert (line().label, line().good_path, line().bad_path) == ("", "", "")
