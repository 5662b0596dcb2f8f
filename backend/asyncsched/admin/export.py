"""History as CSV: streamed by short queries, for as long as the one who downloads it likes to take."""

import csv
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse

from asyncsched.models import TaskRun

MOST_EXPORTED = 100_000
CHUNK = 1_000
COLUMNS = (
    "task", "status", "trigger", "attempt", "count", "scheduled_for", "started_at", "finished_at", "duration",
    "lateness", "stall_seconds", "result", "error", "replica", "term", "run_id",
)  # fmt: skip
STARTED = COLUMNS.index("started_at") + 1  # behind the primary key
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def as_csv(request: HttpRequest, runs: QuerySet[TaskRun]) -> StreamingHttpResponse:
    """Return the MOST_EXPORTED newest of *runs* as a file, newest first; a last line tells if there are more."""
    text = _text(runs)
    body = _beside_the_loop(text) if isinstance(request, ASGIRequest) else text
    response = StreamingHttpResponse(body, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="runs.csv"'
    return response


def _text(runs: QuerySet[TaskRun]) -> Iterator[str]:
    """Yield the file, a chunk of lines at a time."""
    writer = csv.writer(_Echo())
    yield writer.writerow(COLUMNS)
    count = 0
    for chunk in _chunks(runs):
        left = MOST_EXPORTED - count
        yield "".join(writer.writerow(map(_cell, cells)) for _, *cells in chunk[:left])
        count += len(chunk)
        if count > MOST_EXPORTED:
            yield writer.writerow([f"Cut after the newest {MOST_EXPORTED:,} runs: filter by time for the others"])
            return


def _chunks(runs: QuerySet[TaskRun]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield *runs*, newest first, as primary key and COLUMNS.

    Each chunk comes by a query of its own, so that no cursor stays open for a slow reader.
    """
    cells = runs.order_by("-started_at").values_list("pk", *COLUMNS)
    rest = cells
    told: list[tuple[Any, ...]] = []
    while chunk := list(rest[:CHUNK]):
        yield chunk
        last = chunk[-1][STARTED]
        told = [row for row in (*told, *chunk) if row[STARTED] == last]  # of that instant there may be more
        rest = cells.filter(started_at__lte=last).exclude(pk__in=[pk for pk, *_ in told])


def _cell(value: Any) -> Any:
    """Return *value* for a cell. A spreadsheet shall not take a text, such as of an error, for a formula."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def _next(text: Iterator[str]) -> str | None:
    return next(text, None)


async def _beside_the_loop(text: Iterator[str]) -> AsyncIterator[str]:
    """Yield *text*, made in the thread of the request, as its other queries are."""
    while (part := await sync_to_async(_next)(text)) is not None:
        yield part
