"""What is asked for in the admin happens in the running server."""

import asyncio
import re

import aiohttp
import pytest

from tests.support.deadline import eventually

TASKS = "/admin/asyncsched/taskstate/"
MANUAL = "/admin/asyncsched/taskrun/?trigger=manual&status=succeeded"


async def press(site, client, button, task):
    """Press a button on the page of a task."""
    async with client.get(TASKS) as listing:
        assert listing.status == 200
    async with client.get(f"{TASKS}{task}/change/") as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', await page.text()).group(1)
        cookie = f"{site.cookie('admin')}; csrftoken={page.cookies['csrftoken'].value}"
    form, headers = {"csrfmiddlewaretoken": token}, {"Cookie": cookie}
    address = f"{TASKS}{task}/act/{button}/"
    async with client.post(address, data=form, headers=headers, allow_redirects=False) as answer:
        assert answer.status == 302


@pytest.mark.slow
async def test_a_task_paused_in_the_admin_stops_within_two_seconds_and_goes_on_when_resumed(site):
    async with site.client("admin") as client, client.ws_connect("/ws/status/") as pushes:
        await pushes.receive_str(timeout=30)
        await press(site, client, "pause", "broadcast_system_status")
        await drain(pushes, 2.0)
        assert await drain(pushes, 4.5) == 0

        await press(site, client, "resume", "broadcast_system_status")
        await pushes.receive_str(timeout=30)


@pytest.mark.slow
async def test_a_task_that_is_run_from_the_admin_has_run_soon_afterwards(site):
    async with site.client("admin") as client:

        async def has_run():
            async with client.get(MANUAL) as listing:
                return "cleanup_expired_sessions</td>" in (await listing.text()).replace("<wbr>", "")

        assert not await has_run()
        await press(site, client, "run", "cleanup_expired_sessions")
        await eventually(has_run)


async def drain(socket: aiohttp.ClientWebSocketResponse, seconds: float) -> int:
    """Receive for *seconds*; return how many messages came."""
    count = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                await socket.receive_str()
                count += 1
    except TimeoutError:
        return count
