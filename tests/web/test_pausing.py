"""A task paused in the admin rests in the running server, too."""

import asyncio
import re

import aiohttp
import pytest

from tests.support.site import Site

TASK = "/admin/asyncsched/taskstate/broadcast_system_status/"


async def set_paused(site, client, *, paused):
    async with client.get("/admin/asyncsched/taskstate/") as listing:
        assert listing.status == 200
    async with client.get(f"{TASK}change/") as page:
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', await page.text()).group(1)
        cookie = f"{site.cookie('admin')}; csrftoken={page.cookies['csrftoken'].value}"
    button = f"{TASK}act/{'pause' if paused else 'resume'}/"
    form = {"csrfmiddlewaretoken": token}
    async with client.post(button, data=form, headers={"Cookie": cookie}, allow_redirects=False) as answer:
        assert answer.status == 302


@pytest.mark.slow
async def test_a_task_paused_in_the_admin_stops_within_two_seconds_and_goes_on_when_resumed(people, tmp_path):
    with Site(tmp_path / "site", people) as site:
        async with site.client("admin") as client, client.ws_connect("/ws/status/") as pushes:
            await pushes.receive_str(timeout=10)
            await set_paused(site, client, paused=True)
            await drain(pushes, 2.0)
            assert await drain(pushes, 4.5) == 0

            await set_paused(site, client, paused=False)
            await pushes.receive_str(timeout=6)


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
