"""Steps of entities into the table: what is news, what is too late, and what a full list may undo."""

from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from django.db import InterfaceError, OperationalError

from home.changes import entities_changed
from home.home_assistant.entities import Listing, read_change, read_listing
from home.home_assistant.store import held, store
from home.models import Entity, FrigateReview

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def state(value: str, *, at: float = 0, entity_id: str = "light.hall") -> dict:
    """Return the state object of an entity that became *value* so many seconds after NOW."""
    moment = (NOW + timedelta(seconds=at)).isoformat()
    return {"entity_id": entity_id, "state": value, "last_changed": moment, "last_updated": moment}


def became(value: str | None, *, at: float = 0):
    """Return the step by which light.hall became *value*, or went if that is None."""
    new_state = None if value is None else state(value, at=at)
    fired = (NOW + timedelta(seconds=at)).isoformat()
    return read_change({"data": {"entity_id": "light.hall", "new_state": new_state}, "time_fired": fired}, now=NOW)


def list_of(*items: dict, before: dict):
    """Return the steps from what was held *before* to the listed *items*."""
    return read_listing(Listing(items=items, held=before), now=NOW + timedelta(hours=1))[1]


def hall() -> str | None:
    return Entity.objects.filter(entity_id="light.hall", removed_at=None).values_list("state", flat=True).first()


def test_each_step_of_a_batch_is_told_and_the_last_one_held(told):
    store([became("off"), became("on", at=1), became(None, at=2), became("off", at=3)])

    assert told.of("light.hall") == [(None, "off"), ("off", "on"), ("on", None), (None, "off")]
    assert hall() == "off"


def test_what_comes_again_or_late_changes_nothing_and_is_not_told(told):
    store([became("off"), became("on", at=1)])
    store([became("off"), became("on", at=1), became(None, at=0.5)])

    assert told.of("light.hall") == [(None, "off"), ("off", "on")]
    assert hall() == "on"


def test_that_something_unknown_is_gone_is_no_news(told):
    store([became(None)])

    assert (Entity.objects.count(), told.changes) == (0, [])


@contextmanager
def receiving(receiver):
    """Have *receiver* told of changes."""
    entities_changed.connect(receiver)
    try:
        yield
    finally:
        entities_changed.disconnect(receiver)


def fail(**_: object) -> None:
    """Write something, and then fail as a rule may that has a mistake."""
    FrigateReview.objects.create(review_id="written", started_at=NOW)
    raise ValueError("a mistake in a rule")


def write_what_is_refused(**_: object) -> None:
    """Write something, and then something that the database refuses."""
    FrigateReview.objects.create(review_id="written", started_at=NOW)
    FrigateReview.objects.create(review_id="written", started_at=NOW)


@pytest.mark.parametrize("receiver", [fail, write_what_is_refused])
def test_what_the_house_said_is_stored_even_if_who_is_told_fails_and_undone_is_only_what_that_wrote(receiver):
    with receiving(receiver):
        store([became("off")])

    assert (hall(), FrigateReview.objects.count()) == ("off", 0)


@pytest.mark.parametrize("failure", [OperationalError, InterfaceError])
def test_what_the_database_failed_to_tell_is_not_stored_either_so_that_it_is_tried_again(failure):
    def fail(**_: object) -> None:
        raise failure("deadlock detected")

    with receiving(fail), pytest.raises(failure):
        store([became("off")])

    assert hall() is None


def test_a_list_that_is_older_than_what_was_heard_since_undoes_nothing():
    store([became("off")])
    before = held()
    store([became("on", at=2)])
    store(list_of(state("off", at=1), state("on", entity_id="light.other"), before=before))
    unchanged = hall()
    store(list_of(state("on", entity_id="light.other"), before=before))

    assert (unchanged, hall()) == ("on", "on")


def test_a_list_does_not_bring_back_what_went_since():
    store([became("off")])
    before = held()
    store([became(None, at=1)])
    store(list_of(state("off"), before=before))

    assert hall() is None


def test_what_is_not_listed_has_gone_and_what_is_listed_again_is_back(told):
    store([became("off")])
    store(list_of(before=held()))
    gone = hall()
    store(list_of(state("off"), before=held()))

    assert (gone, hall()) == (None, "off")
    assert told.of("light.hall") == [(None, "off"), ("off", None), (None, "off")]


def test_a_clock_that_was_set_back_is_noticed_and_a_list_puts_it_right():
    store([became("off", at=86_400)])
    outcome = store([became("on")])
    deaf = hall()
    store(list_of(state("on"), before=held()))
    store([became("off", at=1)])

    assert (outcome.is_behind, deaf, hall()) == (True, "off", "off")


def test_a_clock_that_was_set_back_by_seconds_is_noticed_as_well_and_a_replica_a_little_late_is_not_taken_for_it():
    store([became("off", at=10)])

    assert store([became("on", at=7)]).is_behind
    assert not store([became("on", at=9)]).is_behind


def test_the_changes_of_a_list_are_told_in_the_order_of_their_times(told):
    items = [state("on", at=3, entity_id="light.c"), state("on", at=1, entity_id="light.b"), state("on", at=2)]
    store(list_of(*items, before={}))

    assert [change.entity_id for change in told.changes] == ["light.b", "light.hall", "light.c"]
