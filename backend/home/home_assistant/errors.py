"""What can go wrong between us and Home Assistant."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp


class HomeAssistantError(Exception):
    """Home Assistant did not do what it was asked. The message is fit for people and free of secrets.

    *permanent* is True if trying again cannot help until somebody changes something: the token, the
    address, or the request itself.
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


class TokenRefused(HomeAssistantError):
    """*name* did not take the token, which it said by *how*."""

    def __init__(self, name: str, how: str) -> None:
        super().__init__(
            f"{name} refused the token ({how}): make a new long-lived one and set HOME_ASSISTANT_TOKEN", permanent=True
        )


def check_status(name: str, status: int, path: str) -> None:
    """Raise HomeAssistantError unless *status*, the answer of *name* to *path*, says that all is well."""
    if status in (401, 403):
        raise TokenRefused(name, str(status))
    if not 200 <= status < 300:
        temporary = status >= 500 or status in (408, 425, 429)
        raise HomeAssistantError(f"{name} answered {status} to {path}", permanent=not temporary)


@contextmanager
def told_plainly(name: str, limit: float) -> Iterator[None]:
    """Turn what goes wrong inside the block, on the way to *name*, into HomeAssistantError. *limit* is in seconds."""
    try:
        yield
    except TimeoutError:
        raise HomeAssistantError(f"{name} did not answer within {limit:g} s", permanent=False) from None
    except aiohttp.ClientConnectorError as error:
        reason = error.os_error.strerror or "no connection"
        raise HomeAssistantError(f"{name} cannot be reached: {reason}", permanent=False) from None
    except aiohttp.WSServerHandshakeError as error:
        check_status(name, error.status, "the WebSocket's handshake")
        raise HomeAssistantError(f"{name} does not speak WebSocket", permanent=False) from None
    except (aiohttp.ClientError, ConnectionError) as error:
        # Only the kind: the text of some of these repeats the address with its password.
        raise HomeAssistantError(f"{name}: {type(error).__name__}", permanent=False) from None
    except ValueError:
        raise HomeAssistantError(
            f"{name}: the request cannot be sent: check address, token and data", permanent=True
        ) from None
