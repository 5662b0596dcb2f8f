"""This process in the election: it looks at the lease row, and leads, or waits to. Lives in a thread of its own.

``engine.leadership`` says what it does and why; this is how.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from asyncsched.engine.clock import seconds_since_boot
from asyncsched.engine.election import Lease, Move, Watch, is_mine, judge
from asyncsched.engine.leadership import FOLLOWS, LOOK, LOOP_PATIENCE, SILENCE, TRUST, WATCH, Standing
from asyncsched.storage import lease as row
from asyncsched.storage import presence
from asyncsched.storage.database_time import database_now
from asyncsched.storage.glance import Glance
from asyncsched.storage.session_lock import Guard

logger = logging.getLogger("asyncsched.election")

ASK_AGAIN = 30.0  # seconds after which a leader finds out anew whether anybody still watches
INSIST = 60.0  # seconds for which a process leads whose better did not want to; twice as long each further time
LONGEST_INSIST = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """A standing, and the monotonic moment until which it may be trusted."""

    standing: Standing = FOLLOWS
    until: float = 0.0


class Elector:
    """Looks when it is told to. *seconds* is the lease time, *loop_seen* when the event loop last went on."""

    def __init__(
        self,
        *,
        me: str,
        seconds: float,
        now: Callable[[], datetime],
        guard: Guard,
        loop_seen: Callable[[], float],
        loop_patience: float = LOOP_PATIENCE,
        clock: Callable[[], float] = seconds_since_boot,
    ) -> None:
        self.me = me
        self.trust = Trust()
        self.has_company = False
        """True if the last look found that somebody waits to lead, or that we do."""
        self.outdone = False
        """True while another process that lives knows all tasks that this one knows, and others: it should lead."""
        self._seconds = seconds
        self._now = now
        self._guard = guard
        self._loop_seen = loop_seen
        self._loop_patience = loop_patience
        self._clock = clock
        self._glance = Glance(row.question(), row.read)
        self._watch: Watch | None = None
        self._vacant_since: float | None = None
        self._forget_watchers_at = 0.0
        self._insists_until = 0.0
        self._insist = INSIST
        self._blocked_in: int | None = None

    @property
    def leads(self) -> bool:
        """True while it may be trusted that nobody else does."""
        return self.trust.standing.leads and self._clock() < self.trust.until

    @property
    def loop_hangs(self) -> bool:
        """True if the event loop has not gone on for so long that this process had better not be counted on."""
        return self._clock() - self._loop_seen() > self._loop_patience

    def look(self) -> float:
        """Look at the row and act on it; return after how many seconds to look again. Raises what the database does."""
        began = self._clock()
        if self.trust.standing.leads and began >= self.trust.until:
            self._step_down("could not tell in time that it still leads")
        if self.loop_hangs:
            self.resign("its event loop hangs")  # it could run nothing, and must not keep those from leading who can
            return self._seconds * LOOK
        lease = self._glance()
        if self.trust.standing.leads:
            self._stay(lease, began)
        else:
            self._stand(lease, began)
        return self._seconds * (LOOK if self.trust.standing.leads else WATCH)

    def give_way(self) -> None:
        """Resign if another should lead, unless that one was given the chance and did not take it."""
        if self.outdone and self.leads and self._clock() >= self._insists_until:
            self.resign("another process knows more tasks")

    def resign(self, reason: str) -> None:
        """Lead no more, and let another at once."""
        term = self.trust.standing.term
        if term is None:
            return
        self._step_down(reason, level=logging.INFO)
        until = self._now()  # after the trust has ended: nothing is begun later
        self._guard.release()
        row.give_up(me=self.me, term=term, until=until)

    def _stay(self, lease: Lease, began: float) -> None:
        term = self.trust.standing.term
        if term is None or not is_mine(lease, me=self.me, term=term):
            self._lose()
            return
        if not self._guard.take():
            return  # the session that held it was ended, and another has it; the row still says who leads
        self.has_company = lease.watched
        if lease.watched:
            forget = began >= self._forget_watchers_at
            if not row.beat(lease, watched=not forget):
                self._lose()
                return
            if forget:
                self._forget_watchers_at = began + ASK_AGAIN
        self.trust = Trust(standing=self.trust.standing, until=began + self._seconds * TRUST)

    def _stand(self, lease: Lease, began: float) -> None:
        self.has_company = True
        silence = max(self._seconds, lease.seconds) * SILENCE  # during a deploy they may differ
        if lease.holder:
            self._vacant_since = None
        move, self._watch = judge(
            lease, self._watch, me=self.me, asked_at=began, answered_at=self._clock(), silence=silence
        )
        if move is Move.ASK:
            row.ask(lease)
        elif move is Move.TAKE_OVER or (move is Move.TAKE and self._is_our_turn(began)):
            if self._guard.take():
                self._take(lease, began)
            else:  # a leader that hangs holds it, or a session of the past that nobody has told the server of
                self._end_silent_holder(lease, silence)

    def _is_our_turn(self, began: float) -> bool:
        """True if nobody who should lead rather than we has taken the vacant lead for a lease time."""
        if not self.outdone or began < self._insists_until:
            return True
        if self._vacant_since is None:
            self._vacant_since = began
        if began - self._vacant_since < self._seconds:
            return False
        self._insists_until = began + self._insist
        self._insist = min(2 * self._insist, LONGEST_INSIST)
        return True

    def _end_silent_holder(self, lease: Lease, silence: float) -> None:
        if not self._guard.end_silent_holder(silence) and self._blocked_in != lease.term:
            self._blocked_in = lease.term
            logger.warning(
                "cannot lead yet: a database session of another process holds the leader's lock. It is ended once it "
                "has been silent for %g s; if this role may not do that, the server does",
                silence,
                extra={"action": "lock_held"},
            )

    def _take(self, lease: Lease, began: float) -> None:
        now = database_now()
        if not row.take(lease, me=self.me, seconds=self._seconds, now=now):
            self._guard.release()
            return
        self._watch, self.has_company = None, lease.watched
        since = max(now, lease.until or now)
        standing = Standing(leads=True, term=lease.term + 1, since=since)
        self.trust = Trust(standing=standing, until=began + self._seconds * TRUST)
        logger.info("leads now, in term %d", standing.term, extra={"action": "leads", "term": standing.term})
        if lease.holder not in ("", self.me):
            presence.expire(lease.holder, now)

    def _lose(self) -> None:
        self._step_down("another process has taken over")
        self._guard.release()

    def _step_down(self, reason: str, *, level: int = logging.WARNING) -> None:
        term = self.trust.standing.term
        self.trust = Trust()
        logger.log(level, "leads no more (term %s): %s", term, reason, extra={"action": "follows", "term": term})
