"""Every place where people can look at a running deployment."""

import json
import re
import sqlite3
import subprocess
import sys
from contextlib import closing

import aiohttp

from tests.support import django_process

LINK = re.compile(r'href="(/[^"?#]*)"')
NOT_FOLLOWED = ("/logout", "/delete/", "/password", "/static/", "/jsi18n")
COMMANDS = (
    ("list", "--json"),
    ("history", "--limit", "1000", "--json"),
    ("history",),
    ("show", "sync_entity_states"),
    ("history", "--skipped"),
    ("status", "--json"),
)
CALL_THEM = """
import contextlib, io, json
from django.core.management import call_command
said = dict()
for words in {commands}:
    out = said[" ".join(words)] = io.StringIO()
    with contextlib.suppress(SystemExit), contextlib.redirect_stderr(out):
        call_command("async_tasks", *words, stdout=out, stderr=out)
print(json.dumps(dict((words, out.getvalue()) for words, out in said.items())))
"""
MOST_PAGES = 150


async def pages_of(client: aiohttp.ClientSession, *starts: str) -> dict[str, str]:
    """Return every page that links lead to from *starts*, by address."""
    found: dict[str, str] = {}
    waiting = list(starts)
    while waiting and len(found) < MOST_PAGES:
        address = waiting.pop(0)
        if address in found or any(part in address for part in NOT_FOLLOWED):
            continue
        async with client.get(address) as response:
            found[address] = await response.text(errors="replace")
        waiting += LINK.findall(found[address])
    return found


def rows_of(database: str) -> dict[str, str]:
    """Return the content of every table, by name."""
    with closing(sqlite3.connect(database)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: repr(connection.execute(f'SELECT * FROM "{name}"').fetchall()) for name in names}


def output_of_commands(database_url: str, environment: dict[str, str]) -> dict[str, str]:
    """Return what the commands print, by their names. One process calls them all: each needs seconds to begin."""
    said = manage("shell", "-c", CALL_THEM.format(commands=COMMANDS), database_url=database_url, **environment)
    return json.loads(said.splitlines()[-1]) | {"in front": said.rpartition("\n{")[0]}


def manage(*words: str, database_url: str, **environment: str) -> str:
    """Run ``manage.py`` with *words* and return all it prints. That something is not well (1) is no failure."""
    done = subprocess.run(
        [sys.executable, str(django_process.ROOT / "manage.py"), *words],
        env=django_process.environment(database_url, **environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0 or words[0] == "async_tasks", done.stdout
    return done.stdout
