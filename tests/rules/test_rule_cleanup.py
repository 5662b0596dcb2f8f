"""What the nightly clean-ups of rules delete, and what they keep."""

from datetime import timedelta

import pytest
from constance import config
from django.utils import timezone

from asyncsched import DailyAt
from asyncsched.registry import registry
from home.models import Entity
from rules.models import RuleActionLog, RuleEntityRef, RuleRuntime
from rules.tasks import cleanup_orphan_rule_entity_refs, cleanup_rule_action_logs

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def days_ago(days):
    return NOW - timedelta(days=days)


def add_entity(entity_id, *, updated=0, removed=None):
    return Entity.objects.create(
        entity_id=entity_id,
        domain=entity_id.partition(".")[0],
        state="on",
        last_changed=days_ago(updated),
        last_updated=days_ago(updated),
        removed_at=None if removed is None else days_ago(removed),
    )


def reference(make_rule, entity_id, *, age):
    make_rule(when={"entity_id": entity_id, "state": "on"}, name=entity_id)
    RuleEntityRef.objects.filter(entity_id=entity_id).update(created_at=days_ago(age))


def referenced():
    return set(RuleEntityRef.objects.values_list("entity_id", flat=True))


def add_log(rule, age):
    return RuleActionLog.objects.create(
        rule=rule, action="notify", status="succeeded", started_at=NOW, finished_at=NOW, created_at=days_ago(age)
    )


def add_runtime(rule, age, *, finished):
    moment = days_ago(age)
    return RuleRuntime.objects.create(
        rule=rule,
        due_at=moment,
        next_attempt_at=moment,
        actions=[],
        status="done" if finished else "pending",
        finished_at=moment if finished else None,
    )


def test_logs_and_ended_runtimes_older_than_the_setting_are_deleted(make_rule):
    rule = make_rule()
    add_log(rule, 31)
    add_runtime(rule, 31, finished=True)
    recent, ended, waiting = (
        add_log(rule, 29),
        add_runtime(rule, 29, finished=True),
        add_runtime(rule, 40, finished=False),
    )

    assert cleanup_rule_action_logs() == 2
    assert list(RuleActionLog.objects.all()) == [recent]
    assert set(RuleRuntime.objects.all()) == {ended, waiting}


def test_all_logs_are_kept_when_the_setting_is_zero(make_rule):
    config.RETAIN_RULE_ACTION_LOGS_DAYS = 0
    add_log(make_rule(), 10_000)

    assert cleanup_rule_action_logs() == 0


def test_a_reference_to_an_entity_removed_long_ago_is_deleted(make_rule):
    reference(make_rule, "light.gone", age=30)
    add_entity("light.gone", updated=30, removed=8)

    assert cleanup_orphan_rule_entity_refs() == 1
    assert referenced() == set()


def test_a_reference_to_an_entity_that_has_just_vanished_stays(make_rule):
    reference(make_rule, "light.away", age=30)
    add_entity("light.away", updated=30, removed=6)
    add_entity("light.hall")

    assert cleanup_orphan_rule_entity_refs() == 0


def test_a_reference_to_an_entity_that_exists_stays_however_quiet_it_is(make_rule):
    reference(make_rule, "light.cellar", age=400)
    add_entity("light.cellar", updated=400)
    add_entity("light.hall")

    assert cleanup_orphan_rule_entity_refs() == 0


def test_a_reference_to_an_entity_never_heard_of_is_deleted(make_rule):
    reference(make_rule, "light.typo", age=8)
    add_entity("light.hall", updated=1)

    assert cleanup_orphan_rule_entity_refs() == 1


def test_a_new_reference_to_an_entity_never_heard_of_stays(make_rule):
    reference(make_rule, "light.tomorrow", age=6)
    add_entity("light.hall", updated=1)

    assert cleanup_orphan_rule_entity_refs() == 0


def test_references_stay_when_no_entity_was_ever_synced(make_rule):
    reference(make_rule, "light.hall", age=400)

    assert cleanup_orphan_rule_entity_refs() == 0


def test_references_stay_when_home_assistant_has_been_silent(make_rule):
    reference(make_rule, "light.hall", age=400)
    add_entity("light.other", updated=8)

    assert cleanup_orphan_rule_entity_refs() == 0


def test_references_follow_the_definition(make_rule):
    rule = make_rule(when={"all": [{"entity_id": "light.a"}, {"entity_id": "light.b"}]})
    rule.definition = {"when": {"any": [{"entity_id": "light.b"}, {"entity_id": "light.c"}]}}
    rule.save()

    assert referenced() == {"light.b", "light.c"}


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("cleanup_rule_action_logs", DailyAt(hour=3, minute=30)),
        ("cleanup_orphan_rule_entity_refs", DailyAt(hour=4, minute=30)),
    ],
)
def test_the_clean_up_runs_at_its_hour_with_a_limit(name, schedule):
    task = registry.get(name)

    assert task.schedule == schedule
    assert task.options.timeout == 1800
