"""``/ws/status/``: everybody who is signed in sees how the house is."""

from alarm.push import GROUP, look, station
from asyncsched.server.lifespan import Application, Receive, Scope, Send
from asyncsched.web.health import health_of
from asyncsched.web.mail import Mail
from asyncsched.web.relay import Relay
from asyncsched.web.sockets import PushSocket, signed_in_only

SILENCE = 10.0  # seconds; a push comes every two


def status_socket() -> Application:
    """Return the socket: the latest status at once, then every push; a slow client gets the newest only."""
    relay = Relay(GROUP, read=station.read, silence=SILENCE)
    socket = PushSocket(relay, refusal=signed_in_only, opening=opening, keep=1)

    async def look_first(scope: Scope, receive: Receive, send: Send) -> None:
        """Have the alarm read before the snapshot is told: another process may have just changed it."""
        if not signed_in_only(scope["user"]):
            await look()
        await socket(scope, receive, send)

    return look_first


def opening(scope: Scope) -> list[Mail]:
    """Return the snapshot for a new client.

    None where this process neither schedules nor has seen a recent push: what it knows of the house
    would be wrong, and the next push of a process that knows is at most two seconds away.
    """
    if latest := station.latest():
        return [latest]
    health = health_of(scope)
    return [station.compose(health)] if health else []
