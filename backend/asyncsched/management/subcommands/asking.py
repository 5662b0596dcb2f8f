"""``async_tasks ask``: have the processes that run the scheduler run a task now, in one of them."""

import getpass
import os
import socket
import time
from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import CommandError

from asyncsched import conf
from asyncsched.engine.recollection import REQUEST_LASTS
from asyncsched.engine.runs import RunStatus, SkipReason
from asyncsched.management.names import require_known
from asyncsched.management.parser import FAILED, REFUSED, positive
from asyncsched.management.progress import Progress, open_progress
from asyncsched.management.screen import Screen
from asyncsched.management.sentences import ended
from asyncsched.management.tables import about
from asyncsched.management.tones import tone_of
from asyncsched.server import compose
from asyncsched.storage.asked import ASKED, Fate, fate_of
from asyncsched.storage.database_time import database_now
from asyncsched.storage.history import in_words
from asyncsched.storage.presence_views import presence, short_name
from asyncsched.storage.requests import ask_run

LOOK_EVERY = 0.25  # seconds
KNOWN_WITHIN = timedelta(minutes=2)  # what came of a task below a minute is written once a minute

_BUSY = (SkipReason.OVERLAP, SkipReason.CLAIMED, SkipReason.RUNNING_ELSEWHERE)


def add_arguments(parser: ArgumentParser) -> None:
    """Add what ``ask`` takes."""
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--wait", action="store_true", help="until the runs have ended, and say how, as 'run' does")
    parser.add_argument("--timeout", type=positive, metavar="S", help="wait for so many seconds at most")
    parser.add_argument("--json", action="store_true", help="for programs: a JSON array")


def handle(screen: Screen, *, names: list[str], json: bool, colour: bool | None, **options: Any) -> int:
    """Carry out ``ask``; return the exit code."""
    require_known(names, compose.tasks(conf.load()))
    me = _me()
    asked = {name: ask_run(name, by=me) for name in names}
    if options["wait"] or options["timeout"]:
        fates = _awaited(asked, open_progress(screen.err, colour=colour), options["timeout"])
        sentences = {name: _in_words(fate) for name, fate in fates.items()}
    else:
        fates = dict.fromkeys(asked, Fate())
        sentences = {name: _prospect(name) for name in fates}
    if json:
        screen.json([_as_json(name, asked[name], fate) for name, fate in fates.items()])
    else:
        for name, sentence in sentences.items():
            screen.say(f"{name}: {sentence}", tone_of(sentence))
    return max(map(_exit_code, fates.values()), default=0)


def _me() -> str:
    """Return who asks: the user of the system, and where."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # in a container the user may have no name
        user = f"user {os.getuid()}"
    return f"{user} on {socket.gethostname()}"


def _prospect(name: str) -> str:
    """Say who will run *name*, which was asked for."""
    if not conf.load().election:
        return "asked; a process that runs the scheduler begins it in about 2 s"
    leadership, replicas = presence(database_now())
    if not any(name in replica.tasks for replica in replicas if replica.is_alive):
        who = "of those that live no process knows it" if any(r.is_alive for r in replicas) else "no process lives"
        return f"asked, but {who}: if none begins it within {about(REQUEST_LASTS)}, it is dropped"
    leader = f", {short_name(leadership.holder)}," if leadership.leads else ""
    return f"asked; the process that leads{leader} begins it in about 2 s"


def _awaited(asked: dict[str, datetime], progress: Progress, timeout: float | None) -> dict[str, Fate]:
    """Return what became of all, by name, once all are over; raise CommandError if that takes too long."""
    began = time.monotonic()
    fates: dict[str, Fate] = {}
    try:
        for name, at in asked.items():
            progress.begin(name)
            while not (fate := fate_of(name, at)).is_over:
                _give_up(name, fate, waited=time.monotonic() - began, timeout=timeout)
                time.sleep(LOOK_EVERY)
            fates[name] = fate
    except KeyboardInterrupt:
        raise CommandError("no longer waiting; what was asked for goes on", returncode=FAILED) from None
    finally:
        progress.end()
    return fates


def _give_up(name: str, fate: Fate, *, waited: float, timeout: float | None) -> None:
    """Raise CommandError after *timeout* seconds, or if nobody has begun the run for so long that nobody will."""
    if timeout is not None and waited > timeout:
        stands = f"goes on in {short_name(fate.replica)}" if fate.replica else "has not begun"
        raise CommandError(f"{name}: its run {stands} after {timeout:g} s; nobody waits for it any longer")
    if fate.status == ASKED and waited > (REQUEST_LASTS + KNOWN_WITHIN).total_seconds():
        raise CommandError(f"{name}: nobody has begun it within {about(REQUEST_LASTS)}: is a server running?")


def _in_words(fate: Fate) -> str:
    if fate.reason is not None:
        return f"skipped, {in_words(fate.reason)}"
    where = f" (on {short_name(fate.replica)})" if fate.replica else ""
    return ended(fate.status, fate.duration, value=fate.result, error=fate.error) + where


def _exit_code(fate: Fate) -> int:
    if fate.reason in _BUSY:
        return REFUSED
    is_well = fate.reason == SkipReason.PREDICATE or (fate.reason is None and fate.status == RunStatus.SUCCEEDED)
    return 0 if is_well or not fate.is_over else FAILED


def _as_json(name: str, asked_at: datetime, fate: Fate) -> dict[str, Any]:
    return {
        "task": name,
        "asked_at": asked_at.isoformat(),
        "status": fate.status,
        "reason": fate.reason,
        "run_id": fate.run_id,
        "replica": fate.replica,
        "started_at": fate.started_at.isoformat() if fate.started_at else None,
        "finished_at": fate.finished_at.isoformat() if fate.finished_at else None,
        "duration_s": fate.duration,
        "result": fate.result,
        "error": fate.error,
    }
