"""Is Home Assistant there? One look, as a value."""

import time
from datetime import UTC, datetime

from home.home_assistant.client import Client
from home.home_assistant.errors import HomeAssistantError
from home.status import HomeAssistantStatus


async def look() -> HomeAssistantStatus:
    """Return how the configured Home Assistant is now. What is wrong with it is in ``error``, never raised."""
    try:
        async with Client.from_settings() as home_assistant:
            started = time.perf_counter()
            await home_assistant.ping()
            latency = time.perf_counter() - started
            config = await home_assistant.config()
    except HomeAssistantError as error:
        return HomeAssistantStatus(error=str(error), checked_at=datetime.now(UTC))
    return HomeAssistantStatus(
        reachable=True,
        latency_ms=round(latency * 1000, 1),
        version=config.version,
        checked_at=datetime.now(UTC),
    )
