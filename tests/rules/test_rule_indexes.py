"""What a rule did in weeks is not looked through where a minute or a page of it is wanted: SQLite's plans say so."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from rules import firing

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def plan_of(ask: Callable[[], object], table: str) -> str:
    """Return how SQLite carries out the questions to *table* that *ask* asks."""
    asked = []

    def note(execute, sql, params, many, context):
        if sql.startswith("SELECT") and f'FROM "{table}"' in sql:
            asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        ask()
    with connection.cursor() as cursor:
        steps = [step for sql, params in asked for step in cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)]
    return "\n".join(step[-1] for step in steps)


def test_whether_a_rule_fires_too_often_is_asked_of_the_last_minute(make_rule):
    rule = make_rule()

    plan = plan_of(lambda: firing.schedule(rule, NOW, now=NOW), "rules_ruleactionlog")

    assert "INDEX rule_log_of_rule (rule_id=? AND created_at>?)" in plan


@pytest.mark.parametrize("after", [None, NOW - timedelta(minutes=1)])
def test_only_what_waits_is_looked_at_to_cancel_it(make_rule, after):
    rule = make_rule()

    plan = plan_of(lambda: rule.cancel_waits("the door is shut", now=NOW, after=after), "rules_ruleruntime")

    assert "INDEX rule_runtime_waits" in plan


def test_what_a_rule_did_lately_is_read_in_order(make_rule, admin_client):
    page = reverse("admin:rules_rule_change", args=[make_rule().pk])

    plan = plan_of(lambda: admin_client.get(page), "rules_ruleactionlog")

    assert "INDEX rule_log_of_rule (rule_id=?)" in plan
    assert "ORDER BY" not in plan


@pytest.mark.parametrize(
    ("listed", "of_one_rule"),
    [("ruleruntime", False), ("ruleruntime", True), ("ruleactionlog", False), ("ruleactionlog", True)],
)
def test_a_page_of_a_list_is_read_in_order(make_rule, admin_client, listed, of_one_rule):
    asked = {"rule": make_rule().pk} if of_one_rule else {}
    page = reverse(f"admin:rules_{listed}_changelist")

    plan = plan_of(lambda: admin_client.get(page, asked), f"rules_{listed}")

    assert "INDEX" in plan
    assert "ORDER BY" not in plan
