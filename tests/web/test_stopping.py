"""What a server with clients does when it is told to stop."""

import asyncio

from tests.support.site import Site


async def closed_with(socket):
    async for _ in socket:
        continue
    return socket.close_code


async def test_a_server_with_clients_stops_cleanly(people, tmp_path):
    with Site(tmp_path / "site", people) as site:
        async with site.client("admin") as client:
            status = await client.ws_connect("/ws/status/")
            runs = await client.ws_connect("/ws/runs/")
            async with client.get("/healthz"):  # its connection stays open and idle, as a browser's does
                await status.receive_str(timeout=10)
                await runs.receive_str(timeout=10)
            closings = asyncio.gather(closed_with(status), closed_with(runs))
            assert await asyncio.to_thread(site.server.stop) == 0
            assert await closings == [4503, 4503]
        assert site.server.leaks == []
        assert "Traceback" not in site.server.log
