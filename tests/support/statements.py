"""Counting what the database is asked for, by every connection of this process."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

WRITES = ("INSERT", "UPDATE", "DELETE")


@dataclass(slots=True)
class Statements:
    """So many statements that read, and so many transactions that wrote; a statement of its own is one."""

    reads: int = 0
    writes: int = 0
    texts: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, connection: BaseDatabaseWrapper, statement: str) -> None:
        """Count *statement*, which *connection* carries out."""
        with self._lock:
            self.texts.append(statement)
            if not statement.lstrip().upper().startswith(WRITES):
                self.reads += 1
            elif not connection.in_atomic_block:
                self.writes += 1
            elif not any(function == self._committed for _, function, _ in connection.run_on_commit):
                connection.on_commit(self._committed)

    def _committed(self) -> None:
        with self._lock:
            self.writes += 1


@contextmanager
def counted_statements() -> Iterator[Statements]:
    """Count the statements of each connection that is opened inside the block."""
    statements = Statements()
    watched: list[tuple[BaseDatabaseWrapper, Callable[..., Any]]] = []

    def watch(connection: BaseDatabaseWrapper, **_: object) -> None:
        if any(known is connection for known, _ in watched):
            return

        def execute(carry_out: Callable[..., Any], sql: str, *arguments: Any) -> Any:
            statements.note(connection, sql)
            return carry_out(sql, *arguments)

        watched.append((connection, execute))
        connection.execute_wrappers.append(execute)

    connection_created.connect(watch, weak=False)
    try:
        yield statements
    finally:
        connection_created.disconnect(watch)
        for connection, execute in watched:
            connection.execute_wrappers.remove(execute)
