"""What a way of sending looks like to the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class TransportError(Exception):
    """A message was not delivered. The text is fit for people and free of secrets.

    *permanent* is True if trying again cannot help until somebody changes the configuration.
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What people get to read."""

    title: str
    body: str
    urgent: bool = False
    """Whether it may not wait for others to the same place."""


class Target(Protocol):
    """One place that messages go to."""

    @property
    def key(self) -> str:
        """Stable over restarts, fit for the database: it tells nothing of the address."""

    def send(self, message: Message) -> None:
        """Deliver *message*; blocks for at most some 10 s. Raises TransportError."""


class Transport(Protocol):
    """All places that messages can go to."""

    def targets(self, channel: str) -> Sequence[Target]:
        """Return the targets of *channel*, all of them if it is empty.

        Raises TransportError if there is none.
        """
