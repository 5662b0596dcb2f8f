"""The status message: what it says, and how it is numbered."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from channels.layers import get_channel_layer

from alarm.board import board
from alarm.machine import Mode, State, Status
from alarm.push import Station, announce
from alarm.status import alarm_json, alarm_status, payload
from alarm.tasks import broadcast_system_status
from asyncsched import Every
from asyncsched.engine.context import Health
from asyncsched.registry import registry
from asyncsched.web.mail import Mail

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
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


def status(version):
    return Status(state=State.ARMING, mode=Mode.AWAY, since=NOW, until=NOW + timedelta(seconds=60), version=version)


def layer_message(mail):
    return {"type": "status.message", "text": mail.text, "source": mail.source, "sequence": mail.sequence}


def version_in(mail):
    message = json.loads(mail.text)
    content = message["payload"]
    return (content if message["type"] == "alarm_state" else content["alarm"])["version"]


@pytest.mark.parametrize(
    "told", [status(3), Status(state=State.DISARMED, since=NOW, version=4), Status(state=State.TRIGGERED, since=NOW)]
)
def test_what_is_told_of_the_alarm_is_understood_elsewhere(told):
    assert alarm_status(json.loads(json.dumps(alarm_json(told)))) == told


def test_an_alarm_that_is_not_known_yet_is_told_as_that():
    assert payload(None)["alarm"] == {"state": None, "mode": None, "since": None, "until": None, "version": 0}
    assert alarm_status(alarm_json(None)) is None


async def test_a_change_is_told_once_with_a_number_of_the_same_row(layer):
    channel = await layer.new_channel()
    await layer.group_add("alarm.status", channel)
    board.changed(status(1))

    await announce()
    await announce()
    await Station().push_alarm(status(2))

    first, second = [json.loads((await layer.receive(channel))["text"]) for _ in range(2)]
    assert (first["type"], first["payload"]) == ("alarm_state", alarm_json(status(1)))
    assert second["payload"]["version"] == 2


async def test_what_another_process_did_is_not_told_as_our_own(layer):
    board.learn(status(1))

    assert board.take_news() is None


async def test_changes_and_pushes_share_their_numbers(layer):
    station = Station()

    mails = [await station.push(HEALTH), await station.push_alarm(status(1)), await station.push(HEALTH)]

    assert [mail.sequence for mail in mails] == [1, 2, 3]


async def test_a_push_that_was_composed_before_a_change_elsewhere_is_told_with_the_change(layer):
    here, elsewhere = Station(), Station()
    board.learn(status(1))
    stale = layer_message(await elsewhere.push(HEALTH))
    board.learn(status(2))

    assert version_in(here.read(stale)) == 2


async def test_a_change_that_comes_late_does_not_bring_the_older_state_back(layer):
    late = layer_message(await Station().push_alarm(status(1)))
    board.learn(status(2))

    assert version_in(Station().read(late)) == 2


async def test_the_snapshot_for_a_new_client_has_the_alarm_of_now(layer):
    station = Station()
    board.learn(status(1))
    await station.push(HEALTH)
    board.learn(status(2))

    snapshot = station.latest()

    assert (version_in(snapshot), snapshot.sequence) == (2, 1)


async def test_a_change_heard_of_by_the_layer_is_known_to_this_process(layer):
    message = layer_message(await Station().push_alarm(status(5)))
    board.reset()

    Station().read(message)

    assert board.status == status(5)


async def test_a_status_from_a_process_that_knows_no_alarm_yet_is_passed_on(layer):
    mail = await Station().push(HEALTH)
    message = json.loads(mail.text)
    del message["payload"]["alarm"]

    passed = Station().read(layer_message(mail) | {"text": json.dumps(message)})

    assert json.loads(passed.text) == message


async def test_a_channel_layer_that_fails_does_not_stop_who_changed_the_alarm(layer, settings, caplog):
    settings.CHANNEL_LAYERS = {
        "default": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": ["redis://127.0.0.1:1"]},
        }
    }
    board.changed(status(1))

    await announce()

    assert "arming was not pushed" in caplog.text


async def test_a_push_is_passed_on_to_clients_as_it_came_without_decoding_it(layer):
    news = {
        "type": "status.message",
        "kind": "system_status",
        "text": "as it was encoded",
        "source": "elsewhere",
        "sequence": 7,
        "alarm": alarm_json(status(1)),
    }
    station = Station()

    assert station.read(news) == Mail(text="as it was encoded", source="elsewhere", sequence=7)
    assert station.latest() == Mail(text="as it was encoded", source="elsewhere", sequence=7)


async def test_what_goes_through_the_layer_is_what_clients_get(layer):
    channel = await layer.new_channel()
    await layer.group_add("alarm.status", channel)

    pushed = await Station().push(HEALTH)

    assert Station().read(await layer.receive(channel)) == pushed
