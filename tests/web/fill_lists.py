"""Puts a row with long texts into every table that the admin lists, in the database of DATABASE_URL."""

import uuid

import django

django.setup()

from django.utils import timezone  # noqa: E402

from alarm.models import AlarmEvent  # noqa: E402
from asyncsched.models import Lease, LoopStall, Replica, TaskRun, TaskSkip, TaskState, Term  # noqa: E402
from home.models import Entity, FrigateDetection, FrigateReview  # noqa: E402
from notifications.models import Notification  # noqa: E402
from retention.models import SettingChange  # noqa: E402
from rules.models import Rule, RuleActionLog, RuleRuntime  # noqa: E402

ERROR = "ClientConnectorError: cannot connect to https://homeassistant.garden-house.internal.example:8123/api/states"
TASK = "synchronise_everything_with_the_garden_house"
REPLICA = "web-7c9d8f6b5-x2x7p.production.internal.example:4711:3f9a2c1d"
DEFINITION = {
    "when": {"entity_id": "binary_sensor.garden_house_door", "state": "on"},
    "then": [{"type": "notify", "title": "The door of the garden house", "body": "It is open. " * 20}],
}


def main():
    now = timezone.now()
    started = {"started_at": now, "finished_at": now}
    run = {"task": TASK, "scheduled_for": now, "replica": REPLICA, "duration": 12.5, "lateness": 1.25, "error": ERROR}
    TaskRun.objects.create(
        run_id=uuid.uuid4(),
        status="timed_out",
        trigger="catch_up",
        stall_seconds=1.5,
        traceback=ERROR,
        **run,
        **started,
    )
    TaskSkip.objects.create(
        task=TASK, reason="coalesced", first_scheduled_for=now, last_scheduled_for=now, count=123_456
    )
    TaskState.objects.create(
        task=TASK, last_status="timed_out", last_started_at=now, next_run_at=now, runs=12_345_678, failures=12_345
    )
    Replica.objects.create(replica=REPLICA, version="1.22.333", tasks={}, started_at=now, seen_at=now, expires_at=now)
    Lease.objects.update_or_create(name="scheduler", defaults={"holder": REPLICA, "term": 12_345, "since": now})
    Term.objects.update_or_create(term=12_345, defaults={"replica": REPLICA, "since": now, "until": now})
    LoopStall.objects.create(
        began_at=now, seconds=12.5, replica=REPLICA, culprit=f"task {TASK}", where=f"garden/tasks.py:12 ({TASK})"
    )
    rule = Rule.objects.create(name="Whoever opens the door of the garden house at night", definition=DEFINITION)
    runtime = RuleRuntime.objects.create(
        rule=rule, due_at=now, actions=DEFINITION["then"], next_attempt_at=now, last_error=ERROR
    )
    RuleActionLog.objects.create(
        rule=rule, runtime=runtime, action="home_assistant", status="retrying", detail=ERROR, **started
    )
    AlarmEvent.objects.create(kind="somebody_is_in_the_garden", message=ERROR, source=f"rule:{rule.pk}")
    Entity.objects.create(
        entity_id=f"sensor.{TASK}_temperature", domain="sensor", name=TASK, state=ERROR, last_changed=now,
        last_updated=now, removed_at=now,
    )  # fmt: skip
    seen = {"camera": "garden_house_front_door", "started_at": now, "ended_at": now}
    FrigateDetection.objects.create(
        event_id="1", label="delivery_person", sub_label="Somebody well known", score=0.5, top_score=0.98,
        zones=["garden", "path_to_the_house"], updated_at=now, **seen,
    )  # fmt: skip
    FrigateReview.objects.create(review_id="1", severity="detection", labels=["person", "delivery_person"], **seen)
    Notification.objects.create(
        title="The door of the garden house", body=ERROR, channel="everybody_at_home", urgent=True, last_error=ERROR
    )
    SettingChange.objects.create(who="somebody", setting="RETAIN_FRIGATE_DETECTIONS_DAYS", old="1", new="36500")


if __name__ == "__main__":
    main()
