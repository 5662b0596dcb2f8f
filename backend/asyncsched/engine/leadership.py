"""Who runs the tasks of scope ``cluster``: one process at a time leads, all others stand by.

**Who is authoritative.** The database. One row, the lease, says who leads and in which term. A term
is a number that rises by one whenever another process becomes leader; it is the fencing token. Every
change of the row names the term, the holder and the beat it expects to find (``election``), so of two
processes that want the same change one gets it. Nobody may conclude from his own state alone that he leads.

**What local time may do.** Only end trust, never make it. Both sides measure lengths of time on their
own monotonic clocks, which no operator and no NTP sets:

- The leader looks at the row every tenth of the lease time. A look that *began* at t and succeeded
  lets it trust itself until t + 0.7 of the lease time. When that moment passes it steps down, also if
  the database never answers. Trust is looked at right before each start.
- A candidate watches the row. It takes the lead over once it has seen no sign of life for 0.8 of the
  lease time, so always after the leader's trust has ended; the tenth in between is the margin. No
  more than a lease time passes from a crash to the next term.

A clock of the database does not decide who leads. (Kubernetes' leader election observes in the same
way; River and Oban compare with the database's clock, which may step.) Only one thing takes two clocks:
before a candidate ends the session of a leader that hangs, the database's clock must agree.

**Signs of life cost nothing while nobody looks.** A candidate marks the row as watched. A leader that
finds it watched answers with a beat, in the same statement that checks its term. One that finds it
unwatched writes nothing: nobody can take over who has not waited for an answer that did not come.
The proof: a candidate counts only the time for which the row was watched and no beat came. A look that
began within that time would have found the row watched and written a beat; so every look that
succeeded began before it, and the trust it gave has ended.

**A second guard on PostgreSQL.** The leader also holds a session advisory lock on the connection by
which it looks. Who takes over needs the lock, too; as long as the session of the leader lives and is
used, nobody gets it, whatever he believes to have seen. A leader whose session was ended gets the
lock again and goes on in its term, for the row still bears its name. Through a pooler that hands the
connection to others between two statements such a lock protects nobody: there the row decides alone.

**Time is the database's.** Occurrences are named by wall time, so leaders whose clocks disagree would
give the same name twice. Each process measures how far its clock is off the database's, and the
scheduler goes by the database's (``shared_clock``). SQLite's clock is the machine's own.

**A term starts with occurrences after its own start.** Sub-minute occurrences have no row: they
belong to the term that was trusted when they came due. What its predecessor may have begun lies
before that start, because its trust has ended; one that resigned says until when it may have. All
other occurrences are claimed by a row, in a transaction that checks the term as well. So a leader
that was frozen and wakes up can start nothing twice: its trust has ended, its claims are refused.

What each failure leads to:

==============================================  ======================================================
The leader is stopped (SIGTERM)                 It resigns first, then drains: another leads within
                                                a second.
It is killed                                    Another leads after at most the lease time.
It is frozen, and goes on later                 The same; it then finds that it leads no more.
Its event loop hangs                            Looks go on, from a thread of their own, for 30 s, so
                                                that a view that blocks costs nothing; then it resigns.
Its machine is suspended                        Its trust ends meanwhile, where the system tells for
                                                how long that was, as Linux does.
Its connection breaks                           It connects again and goes on in its term.
It cannot reach the database                    It steps down. Another that can takes over.
Nobody can                                      Nobody leads. Tasks of scope ``replica`` go on.
It restarts                                     It is another process: identity is a uuid per start.
It knows fewer tasks than another               It resigns, and the one that knows more takes over.
==============================================  ======================================================

A project with one process that would rather run its tasks without the database than not at all sets
``ELECTION`` to False: ``AlwaysLeader``.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

LOOK = 0.1  # of the lease time: the leader looks at the row so often ...
TRUST = 0.7  # ... and trusts for so long what it has seen
SILENCE = 0.8  # for so long a candidate must have seen no sign of life
WATCH = 0.05  # a candidate looks so often
LOOP_PATIENCE = 30.0  # seconds for which the event loop may hang and the process still lead


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a process leads, in which term, and since when."""

    leads: bool
    term: int | None = None
    """The fencing token; None where nobody is elected."""
    since: datetime | None = None
    """Occurrences that are not after this belong to an earlier term."""


FOLLOWS = Standing(leads=False)
LEADS_ALONE = Standing(leads=True)


class AlwaysLeader:
    """Keeps the Leadership contract of a process that is the only one, or is told so."""

    standing = LEADS_ALONE

    async def join(self) -> None:
        """There is nobody to ask."""

    async def changed(self, known: Standing) -> Standing:
        if known == self.standing:
            await asyncio.Event().wait()
        return self.standing

    async def leave(self, patience: float) -> None:
        """There is nobody to tell."""
