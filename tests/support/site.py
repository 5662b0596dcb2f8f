"""The whole deployment under Daphne, with an administrator and a resident who are signed in.

people = make_people(folder)                       # once: a migrated database
with Site(folder, people) as site:
    async with site.client("resident") as client, client.ws_connect("/ws/status/") as socket: ...
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import aiohttp

from tests.support import django_process
from tests.support.servers import DAPHNE, Server


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """A database to copy, and the session key of each person in it."""

    database: Path
    sessions: dict[str, str]

    def copied_to(self, folder: Path) -> Path:
        """Return a copy of the database, in *folder*."""
        return Path(shutil.copy(self.database, folder / "db.sqlite3"))


def make_people(folder: Path) -> People:
    """Make a database in *folder* with the people in it."""
    database = folder / "people.sqlite3"
    url = f"sqlite:///{database}"
    sessions = json.loads(django_process.output_of(Path(__file__).with_name("make_people.py"), database_url=url))
    return People(database=database, sessions=sessions)


class RunningSite:
    """A server with people who are signed in at it; ``with`` starts it, and ends it whatever happens."""

    def __init__(self, server: Server, people: People) -> None:
        self.server = server
        self._sessions = people.sessions

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.kill()

    def start(self) -> None:
        """Start the server, again if it was stopped, and return once it answers."""
        self.server.start()
        self.server.wait_until_serving()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    def cookie(self, person: str) -> str:
        return f"sessionid={self._sessions[person]}"


class Site(RunningSite):
    """One deployment; *environment* is added to its own, *dev* is Python's development mode."""

    def __init__(self, folder: Path, people: People, *, dev: bool = True, **environment: str) -> None:
        folder.mkdir(exist_ok=True)
        self.database_url = f"sqlite:///{people.copied_to(folder)}"
        settings = {"DATABASE_URL": self.database_url, "DEBUG": "0"} | environment
        super().__init__(Server(DAPHNE, folder=folder, environment=settings, dev=dev), people)

    def client(self, person: str | None = None) -> aiohttp.ClientSession:
        """Return an HTTP and WebSocket client with the session of *person*, None for nobody."""
        headers = {"Cookie": self.cookie(person)} if person else {}
        return aiohttp.ClientSession(self.url, headers=headers, cookie_jar=aiohttp.DummyCookieJar())
