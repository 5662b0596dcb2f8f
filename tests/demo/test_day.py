"""What happens in the simulated home is data: it can be checked without anything happening."""

from itertools import pairwise
from random import Random

from demo.day import ENTITIES, LENGTH, day
from demo.frigate import CAMERAS


def days(seed, number=3):
    random = Random(seed)
    return [day(random) for _ in range(number)]


def test_the_same_seed_gives_the_same_days_and_another_gives_others():
    assert days(7) == days(7)
    assert days(7) != days(8)


def test_no_day_is_like_the_one_before():
    first, second, third = days(1)
    assert first != second != third


def test_the_steps_of_a_day_are_in_order_and_end_before_it_does():
    for steps in days(1):
        times = [step.at for step in steps]
        assert times == sorted(times)
        assert times[-1] < LENGTH


def test_steps_change_only_entities_that_are_there_and_walks_pass_cameras_that_are_there():
    for steps in days(1):
        assert {entity_id for step in steps for entity_id in step.states} <= set(ENTITIES)
        assert {step.walk.camera for step in steps if step.walk} <= set(CAMERAS)


def test_whatever_the_resident_can_reach_is_at_the_end_of_a_day_as_it_was_at_the_beginning():
    state = {entity_id: first for entity_id, (first, _) in ENTITIES.items()}
    for step in day(Random(1)):
        state |= step.states
    temperature = {"sensor.kitchen_temperature": state["sensor.kitchen_temperature"]}

    assert state == {entity_id: first for entity_id, (first, _) in ENTITIES.items()} | temperature


def test_something_happens_at_least_every_half_minute_from_the_first_second_on():
    times = [0.0, *(step.at for step in day(Random(1)) if step.says), LENGTH]
    assert max(later - earlier for earlier, later in pairwise(times)) <= 30
    assert times[1] <= 1
