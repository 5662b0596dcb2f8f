"""A house with thousands of entities: an answer of 5 MB, and a loop that goes on all the while."""

import asyncio
from pathlib import Path

import pytest

from home.models import Entity
from tests.home.following import following
from tests.support import django_process
from tests.support.deadline import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.django_db(transaction=True)]

ENTITIES = 5_000


@pytest.fixture
def large_house(settings):
    # Of a process of its own, or its work would be taken for ours.
    script = Path(__file__).with_name("many_entities.py")
    with django_process.start(script, str(ENTITIES), database_url="sqlite://:memory:") as process:
        settings.HOME_ASSISTANT_URL = process.stdout.readline().strip()
        settings.HOME_ASSISTANT_TOKEN = "a-long-lived-token"
        yield
        process.stdin.close()


async def test_thousands_of_entities_are_stored_while_the_loop_goes_on(large_house):
    turns = 0

    async def go_round() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.001)
            turns += 1

    going = asyncio.create_task(go_round())
    async with following(connected=False):
        await eventually(all_are_there, within=60)
    going.cancel()

    # Decoded and stored in one go it would be a handful.
    assert turns > ENTITIES / 50


async def all_are_there() -> bool:
    return await Entity.objects.filter(removed_at=None).acount() == ENTITIES
