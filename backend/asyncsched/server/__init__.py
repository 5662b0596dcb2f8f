"""Room 3: where the scheduler meets the ASGI server."""

from asyncsched.server.lifespan import SchedulerLifespan

__all__ = ["SchedulerLifespan"]
