"""The lease row: every change names what it expects to find, so of two that want the same one gets it.

``engine.leadership`` says what it is for.
"""

import logging
import time
from datetime import datetime
from typing import Any

from django.db import Error as DatabaseError
from django.db import router
from django.db.models import F, QuerySet

from asyncsched.engine.election import Lease
from asyncsched.models import Lease as LeaseRow
from asyncsched.models import Term

logger = logging.getLogger("asyncsched.election")

NAME = "scheduler"
POLL = 0.05  # seconds between two looks for a sign of life


def question() -> QuerySet[LeaseRow, Any]:
    """Return the query for what the row says."""
    return _row().values_list("term", "holder", "beat", "watched", "seconds", "until")


def read() -> Lease:
    """Return what the row says."""
    found = question().first()
    return Lease() if found is None else Lease(*found)


def ask(lease: Lease) -> None:
    """Want signs of life of the holder of *lease*."""
    _row(term=lease.term, holder=lease.holder).update(watched=True)


def beat(lease: Lease, *, watched: bool) -> bool:
    """Give a sign of life as the holder of *lease*; return False if somebody else holds it."""
    return _row(term=lease.term, holder=lease.holder).update(beat=F("beat") + 1, watched=watched) == 1


def take(lease: Lease, *, me: str, seconds: float, now: datetime) -> bool:
    """Begin the term after that of *lease*; return False if another was first, or the holder gave a sign of life."""
    if lease.term == 0:
        LeaseRow.objects.get_or_create(name=NAME)
    term = lease.term + 1
    expected = _row(term=lease.term, holder=lease.holder, beat=lease.beat)
    if expected.update(term=term, holder=me, beat=0, seconds=seconds, since=now, until=None) != 1:
        return False
    _write_down(term, replica=me, since=now, until=None)
    return True


def gives_sign_of_life(patience: float) -> bool:
    """Ask the holder for a sign of life; return True as soon as it has given one, False after *patience* seconds."""
    asked, deadline = read(), time.monotonic() + patience
    ask(asked)
    while time.monotonic() < deadline:
        time.sleep(POLL)
        if read()[:3] != asked[:3]:
            return True
    return False


def give_up(*, me: str, term: int, until: datetime) -> None:
    """Let another lead: *me* has begun no run later than *until*."""
    if _row(term=term, holder=me).update(holder="", until=until):
        _write_down(term, replica=me, until=until)


def current_term() -> int | None:
    """Return the term that goes on, None before the first."""
    return _row().values_list("term", flat=True).first()


def _write_down(term: int, **facts: Any) -> None:
    """Let people read what became of *term*. Not in the transaction that decides: nobody's lead depends on it."""
    terms = Term.objects.using(router.db_for_write(Term))
    try:
        # Its number may have been used before, if the lease row was lost.
        if not terms.filter(term=term).update(**facts) and "since" in facts:
            terms.create(term=term, **facts)
    except DatabaseError as error:
        logger.warning("the list of terms lacks news of term %d (%s)", term, error, extra={"action": "term_unwritten"})


def _row(**expected: Any) -> QuerySet[LeaseRow, LeaseRow]:
    # Never from a read replica, which lags behind: what is read here decides who leads.
    return LeaseRow.objects.using(router.db_for_write(LeaseRow)).filter(name=NAME, **expected)
