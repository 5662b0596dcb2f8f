"""The status message: what it says, and how it is numbered."""

import json

import pytest
from channels.layers import get_channel_layer

from alarm.push import Station
from alarm.status import payload
from alarm.tasks import broadcast_system_status
from asyncsched import Every
from asyncsched.engine.context import Health
from asyncsched.registry import registry

HEALTH = Health(leader=True, tasks=10, running=1, failing=2, lateness_p99=0.0012)


@pytest.fixture
async def layer():
    layer = get_channel_layer()
    await layer.flush()
    yield layer
    await layer.flush()


def test_the_payload_tells_of_the_house_and_the_scheduler():
    found = payload(HEALTH)

    assert list(found) == ["alarm", "home_assistant", "mqtt", "frigate", "scheduler"]
    assert found["scheduler"] == {"leader": True, "tasks": 10, "running": 1, "failing": 2, "lateness_ms_p99": 1.2}


def test_the_payload_without_a_scheduler_says_so():
    assert payload(None)["scheduler"] == {
        "leader": False,
        "tasks": 0,
        "running": 0,
        "failing": 0,
        "lateness_ms_p99": None,
    }


def test_the_push_takes_place_every_two_seconds_and_may_not_take_longer():
    task = registry.get("broadcast_system_status")

    assert task.schedule == Every(seconds=2)
    assert task.is_async
    assert task.options.timeout < 2


async def test_pushes_are_numbered_one_by_one_from_one_source(layer):
    station = Station()

    messages = [json.loads((await station.push(HEALTH)).text) for _ in range(3)]

    assert [message["sequence"] for message in messages] == [1, 2, 3]
    assert len({message["source"] for message in messages}) == 1


async def test_two_starts_of_a_process_are_two_sources(layer):
    assert (await Station().push(None)).source != (await Station().push(None)).source


async def test_a_snapshot_before_the_first_push_has_number_zero(layer):
    assert json.loads(Station().compose(HEALTH).text)["sequence"] == 0


async def test_the_last_message_seen_serves_as_snapshot_whoever_sent_it(layer):
    here, elsewhere = Station(), Station()
    await here.push(HEALTH)
    theirs = await elsewhere.push(HEALTH)

    here.read({"type": "status.message", "text": theirs.text, "source": theirs.source, "sequence": theirs.sequence})

    assert here.latest() == theirs


@pytest.mark.django_db(transaction=True)
async def test_the_task_can_be_called_as_a_plain_function(layer):
    channel = await layer.new_channel()
    await layer.group_add("alarm.status", channel)

    await broadcast_system_status()

    assert json.loads((await layer.receive(channel))["text"])["type"] == "system_status"
