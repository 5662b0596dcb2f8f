"""The service: what is due is done at once, however it came to be due, and whatever hangs."""

import asyncio
import threading
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connection
from django.utils import timezone

from alarm.models import AlarmEvent
from asyncsched.registry import registry
from rules import actions, executor, firing, runtimes
from rules.models import Rule, RuleRuntime
from rules.tasks import execute_at_once
from tests.rules.house import House
from tests.support.deadline import eventually

pytestmark = pytest.mark.django_db(transaction=True)

EVENT = {"type": "alarm_event", "kind": "door_opened"}
LIGHT_ON = {"type": "home_assistant", "domain": "light", "service": "turn_on", "data": {"entity_id": "light.hall"}}
DOOR = "binary_sensor.door"


@asynccontextmanager
async def serving():
    """Run the service inside the block."""
    task = asyncio.create_task(execute_at_once())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()  # once more: whoever drains a server waits no longer than this for what hangs
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def statements_through(wrapper):
    """Have *wrapper*, one of Django's for instrumentation, execute the statements of rules inside the block."""
    wrappers = await sync_to_async(lambda: connection.execute_wrappers)()
    wrappers.append(wrapper)
    try:
        yield
    finally:
        wrappers.remove(wrapper)


async def has_happened():
    return await AlarmEvent.objects.filter(kind="door_opened").afirst()


async def idle():
    """Wait until the service has looked at everything and rests."""
    await eventually(sync_to_async(lambda: not Rule.objects.filter(look_at__lte=timezone.now()).exists()))


def fire(rule, due_in=0.0):
    now = timezone.now()
    return firing.schedule(rule, now + timedelta(seconds=due_in), now=now)


async def test_what_comes_due_by_a_change_is_done_before_anybody_would_look(make_rule):
    rule = await sync_to_async(make_rule)(EVENT)
    async with serving():
        await idle()
        await sync_to_async(fire)(rule)
        began = asyncio.get_running_loop().time()
        await eventually(has_happened, within=executor.LOOK_EVERY - 0.5)
        assert asyncio.get_running_loop().time() - began < executor.LOOK_EVERY - 0.5


async def test_what_is_due_later_is_done_on_time(make_rule):
    rule = await sync_to_async(make_rule)(EVENT)
    async with serving():
        await idle()
        runtime = await sync_to_async(fire)(rule, 0.7)
        event = await eventually(has_happened, within=executor.LOOK_EVERY - 0.5)

    assert event.created_at >= runtime.due_at


async def test_a_door_that_opens_is_noticed_acted_upon_and_written_down(make_rule):
    await sync_to_async(make_rule)(EVENT, wait=0.3)
    house = House(start=timezone.now())
    async with serving():
        await sync_to_async(house.tell)((DOOR, "off"))
        await sync_to_async(house.tell)((DOOR, "on"), at_second=0.1)
        await eventually(has_happened, within=executor.LOOK_EVERY - 0.5)

    assert await RuleRuntime.objects.filter(status="done").acount() == 1


async def test_a_call_that_hangs_holds_up_nobody_else(make_rule, home_assistant):
    home_assistant.misbehave("silent")
    light = await sync_to_async(make_rule)(LIGHT_ON, name="light")
    door = await sync_to_async(make_rule)(EVENT, name="door")
    async with serving():
        await sync_to_async(fire)(light)
        await eventually(lambda: RuleRuntime.objects.filter(status="executing").aexists())
        await sync_to_async(fire)(door)
        await eventually(has_happened, within=executor.LOOK_EVERY - 0.5)


async def test_many_calls_that_hang_hold_up_nobody_else(make_rule, home_assistant):
    home_assistant.misbehave("silent")
    lights = [await sync_to_async(make_rule)(LIGHT_ON, name=f"light {number}") for number in range(8)]
    door = await sync_to_async(make_rule)(EVENT, name="door")
    async with serving():
        for light in lights:
            await sync_to_async(fire)(light)
        await sync_to_async(fire)(door)
        await eventually(has_happened, within=executor.LOOK_EVERY - 0.5)


async def test_what_is_claimed_while_the_server_begins_to_drain_is_executed(make_rule):
    rule = await sync_to_async(make_rule)(EVENT)
    claiming, go_on = threading.Event(), threading.Event()

    def held_up(execute, sql, *more):
        if sql.startswith("UPDATE") and "attempts" in sql:
            claiming.set()
            go_on.wait(10)
        return execute(sql, *more)

    await sync_to_async(fire)(rule)
    async with statements_through(held_up):
        service = asyncio.create_task(execute_at_once())
        await asyncio.to_thread(claiming.wait, 10)
        service.cancel()
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(service, return_exceptions=True)

    assert await has_happened()


async def test_an_action_that_the_database_fails_is_tried_again_long_before_the_lease_runs_out(make_rule):
    rule = await sync_to_async(make_rule)(EVENT)

    def deadlock(execute, sql, *more):
        if sql.startswith("INSERT") and "alarm_alarmevent" in sql:
            raise OperationalError("deadlock detected")
        return execute(sql, *more)

    await sync_to_async(fire)(rule)
    async with statements_through(deadlock):
        claimed = await sync_to_async(runtimes.claim_next)(timezone.now())
        assert not await actions.execute(claimed)

    retry_at = await sync_to_async(runtimes.next_at)()
    assert retry_at < timezone.now() + timedelta(seconds=10)
    again = await sync_to_async(runtimes.claim_next)(retry_at)
    assert await actions.execute(again)
    assert await AlarmEvent.objects.filter(kind="door_opened").acount() == 1


async def test_what_another_process_stored_is_found_without_a_ring(make_rule):
    rule = await sync_to_async(make_rule)(EVENT)
    await sync_to_async(fire)(rule)
    async with serving():
        await eventually(has_happened)


async def test_an_outage_of_the_database_is_logged_once_and_survived(make_rule, caplog):
    rule = await sync_to_async(make_rule)(EVENT)
    await sync_to_async(_rename)("rules_ruleruntime", "elsewhere")
    async with serving():
        await eventually(lambda: [r for r in caplog.records if getattr(r, "action", "") == "outage_began"])
        await sync_to_async(_rename)("elsewhere", "rules_ruleruntime")
        await sync_to_async(fire)(rule)
        await eventually(has_happened)

    told = [record.action for record in caplog.records if getattr(record, "action", "").startswith("outage")]
    assert told == ["outage_began", "outage_ended"]


def test_the_service_runs_in_every_process():
    assert "rule runtimes" in {service.name for service in registry.services}


def _rename(table, name):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO {name}")


async def test_a_runtime_that_makes_no_sense_is_told_of_and_holds_up_no_other(make_rule, caplog):
    rule = await sync_to_async(make_rule)(EVENT)
    now = timezone.now()
    broken = {"rule": rule, "actions": {"no": "list"}, "due_at": now, "next_attempt_at": now}
    await RuleRuntime.objects.acreate(**broken)
    async with serving():
        await eventually(lambda: "runtime_broken" in [getattr(record, "action", "") for record in caplog.records])
        await sync_to_async(fire)(rule)
        await eventually(has_happened)
