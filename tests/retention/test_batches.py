"""Deleting in batches: what goes, what stays, and when it ends early."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, models
from django.test.utils import isolate_apps
from django.utils import timezone

from retention.batches import delete_in_batches
from rules.models import Rule, RuleActionLog, RuleRuntime

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def add_sessions(count, *, expired=True):
    moment = NOW - timedelta(days=1) if expired else NOW + timedelta(days=1)
    Session.objects.bulk_create(
        Session(session_key=f"{'old' if expired else 'new'}{number:05}", session_data="", expire_date=moment)
        for number in range(count)
    )


def expired_sessions():
    return Session.objects.filter(expire_date__lt=NOW)


def add_rule(name, *, logs):
    rule = Rule.objects.create(name=name)
    runtime = RuleRuntime.objects.create(rule=rule, due_at=NOW, next_attempt_at=NOW, actions=[])
    RuleActionLog.objects.bulk_create(
        RuleActionLog(rule=rule, runtime=runtime, action="notify", status="succeeded", started_at=NOW, finished_at=NOW)
        for _ in range(logs)
    )
    return rule


@contextmanager
def counting_deleted_rows():
    """Yields the list of how many rows each DELETE took."""
    counts = []

    def count(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        if sql.startswith("DELETE"):
            counts.append(context["cursor"].rowcount)
        return result

    with connection.execute_wrapper(count):
        yield counts


def test_rows_that_match_go_and_the_others_stay():
    add_sessions(25)
    add_sessions(3, expired=False)

    deleted = delete_in_batches(expired_sessions(), batch_size=10)

    assert deleted == 25
    assert Session.objects.count() == 3


def test_an_empty_selection_deletes_nothing():
    assert delete_in_batches(expired_sessions()) == 0


def test_a_batch_of_no_rows_is_refused():
    with pytest.raises(ValueError, match="batch_size=0"):
        delete_in_batches(expired_sessions(), batch_size=0)


def test_no_statement_deletes_more_than_a_batch():
    add_sessions(25)

    with counting_deleted_rows() as counts:
        delete_in_batches(expired_sessions(), batch_size=10)

    assert counts == [10, 10, 5]


def test_rows_whose_numbers_lie_far_apart_all_go():
    log = RuleActionLog(action="notify", status="succeeded", started_at=NOW, finished_at=NOW)
    log.rule = add_rule("one", logs=0)
    for number in (1, 2, 3, 2_000, 2_001, 10**12):
        log.pk = number
        log.save(force_insert=True)

    with counting_deleted_rows() as counts:
        delete_in_batches(RuleActionLog.objects.all(), batch_size=2)

    assert counts == [2, 1, 2, 1]
    assert not RuleActionLog.objects.exists()


def test_rows_that_depend_on_a_deleted_one_go_first_in_batches_of_their_own():
    add_rule("one", logs=35)
    add_rule("two", logs=0)
    kept = add_rule("kept", logs=4)

    with counting_deleted_rows() as counts:
        deleted = delete_in_batches(Rule.objects.exclude(pk=kept.pk), batch_size=10)

    assert deleted == 2
    assert max(counts) == 10
    assert RuleActionLog.objects.count() == 4
    assert list(Rule.objects.all()) == [kept]


def test_rows_that_only_mention_a_deleted_one_stay():
    rule = add_rule("one", logs=3)

    delete_in_batches(rule.runtimes.all())

    assert RuleActionLog.objects.filter(runtime=None).count() == 3


def test_progress_is_reported_after_each_batch(inside_a_run):
    add_sessions(25)
    seen = []

    inside_a_run(
        lambda: delete_in_batches(expired_sessions(), batch_size=10), lambda run: seen.append((run.done, run.total))
    )

    assert seen == [(10, 25), (20, 25), (25, 25)]


def test_it_ends_between_two_batches_when_the_run_should_stop(inside_a_run):
    add_sessions(25)

    deleted = inside_a_run(lambda: delete_in_batches(expired_sessions(), batch_size=10), lambda run: run.stop())

    assert deleted == 10
    assert Session.objects.count() == 15


@contextmanager
def tables_of(*tables):
    with connection.schema_editor() as editor:
        for table in tables:
            editor.create_model(table)
    try:
        yield
    finally:
        with connection.schema_editor() as editor:
            for table in reversed(tables):
                editor.delete_model(table)


@pytest.mark.django_db(transaction=True)
@isolate_apps("retention")
def test_nothing_goes_with_a_row_that_may_not_be_deleted():
    class Parent(models.Model):  # noqa: DJ008 - nobody looks at it
        class Meta:
            app_label = "retention"

    class Child(models.Model):  # noqa: DJ008 - nobody looks at it
        parent = models.ForeignKey(Parent, on_delete=models.CASCADE)

        class Meta:
            app_label = "retention"

    class Guard(models.Model):  # noqa: DJ008 - nobody looks at it
        parent = models.ForeignKey(Parent, on_delete=models.PROTECT)

        class Meta:
            app_label = "retention"

    with tables_of(Parent, Child, Guard):
        parent = Parent.objects.create()
        Child.objects.create(parent=parent)
        Guard.objects.create(parent=parent)

        with pytest.raises(models.ProtectedError):
            delete_in_batches(Parent.objects.all())

        assert Child.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@isolate_apps("retention")
def test_rows_that_point_at_each_other_in_a_circle_all_go():
    class Node(models.Model):  # noqa: DJ008 - nobody looks at it
        above = models.ForeignKey("self", null=True, on_delete=models.CASCADE)

        class Meta:
            app_label = "retention"

    with tables_of(Node):
        first = Node.objects.create()
        second = Node.objects.create(above=first)
        Node.objects.filter(pk=first.pk).update(above=second)

        delete_in_batches(Node.objects.filter(pk=first.pk))

        assert not Node.objects.exists()
