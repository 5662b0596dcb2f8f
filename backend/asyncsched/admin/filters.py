"""Filters for tables that grow: none reads all of its table, neither to filter nor to find out what to offer."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import ValidationError
from django.db.models import BooleanField, QuerySet
from django.http import HttpRequest
from django.utils import timezone

from asyncsched.admin.records import MOST_COUNTED, MOST_LOOKED_AT, RecordAdmin, latest

Choices = Iterable[tuple[str, str]]

SPANS = {
    "1h": ("Past hour", timedelta(hours=1)),
    "1d": ("Past 24 hours", timedelta(days=1)),
    "7d": ("Past 7 days", timedelta(days=7)),
    "30d": ("Past 30 days", timedelta(days=30)),
}


class Menu(admin.SimpleListFilter):
    """A filter that is shown as a menu above the list."""

    template = "asyncsched/admin/filter.html"


class ByTime(Menu):
    """Filters by the time of a row: a span up to now, or a day in the project's zone, as ``2026-11-23``."""

    title = "time"
    parameter_name = "when"
    template = "asyncsched/admin/by_time.html"

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: RecordAdmin) -> None:
        super().__init__(request, params, model, model_admin)
        self._column = model_admin.time

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        today = timezone.localdate()
        days = [("Today", today), ("Yesterday", today - timedelta(days=1))]
        return [
            *((day.isoformat(), name) for name, day in days),
            *((value, words) for value, (words, _) in SPANS.items()),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if not value:
            return queryset
        if value in SPANS:
            return queryset.filter(**{f"{self._column}__gte": timezone.now() - SPANS[value][1]})
        begin, end = _day(value)
        return queryset.filter(**{f"{self._column}__gte": begin, f"{self._column}__lt": end})

    @property
    def words(self) -> str:
        """What is chosen, for people."""
        value = self.value() or ""
        return str(dict(self.lookup_choices).get(value, value))

    @property
    def day(self) -> str:
        """The day that is chosen, for the field in which another can be."""
        value = self.value()
        return value if value and value not in SPANS else ""

    def others(self) -> Iterator[tuple[str, str]]:
        """Yield what else the address asks for, to be kept when another day is chosen."""
        for name, values in self.request.GET.lists():
            if name not in (self.parameter_name, "p", "e"):
                yield from ((name, value) for value in values)


class ByColumn(Menu):
    """Filters by the value of a column; see ``by``."""

    column: ClassVar[str]
    is_indexed: ClassVar[bool]
    unless: ClassVar[str]
    values: ClassVar[Any]  # a function without arguments, or None

    def __init__(self, request: HttpRequest, params: dict[str, Any], model: Any, model_admin: RecordAdmin) -> None:
        self._time = model_admin.time
        super().__init__(request, params, model, model_admin)

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        if self.values:
            return list(self.values())
        field = model_admin.model._meta.get_field(self.column)
        if isinstance(field, BooleanField):
            return [("1", "Yes"), ("0", "No")]
        return [(str(value), str(words)) for value, words in field.choices or self._lately(model_admin)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None:
            return queryset
        found = self.is_indexed and not request.GET.get(self.unless)
        among = queryset if found or not self._time else latest(queryset, self._time, MOST_LOOKED_AT)
        try:
            return among.filter(**{self.column: value})
        except (ValueError, ValidationError) as error:  # such as letters for a number
            raise IncorrectLookupParameters(error) from None

    @property
    def hint(self) -> str:
        """What people should know who choose."""
        return "" if self.is_indexed or not self._time else f"Among the latest {MOST_LOOKED_AT:,}"

    def _lately(self, model_admin: RecordAdmin) -> list[tuple[str, str]]:
        """Return the values in the latest rows: asking for all there are would read the whole table."""
        rows = model_admin.model._default_manager.order_by(*[f"-{self._time}"] if self._time else [])
        return [
            (value, value or "(empty)")
            for value in sorted(set(rows.values_list(self.column, flat=True)[:MOST_COUNTED]))
        ]


def by(
    column: str,
    *,
    title: str = "",
    is_indexed: bool = False,
    unless: str = "",
    values: Callable[[], Choices] | None = None,
) -> type[ByColumn]:
    """Return a filter by the value of *column*.

    It offers what *values* returns, the choices of the column, or what there was lately. It looks
    through the latest rows that the filters before it have left, unless it *is_indexed*: then an
    index of the column and the time of the rows finds them all. *unless* is another filter, by its
    parameter, beside which that index is of no use.
    """
    names = {"column": column, "parameter_name": column, "title": title or column.replace("_", " ")}
    facts = {"is_indexed": is_indexed, "unless": unless, "values": staticmethod(values) if values else None}
    return type("By", (ByColumn,), names | facts)


def _day(value: str) -> tuple[datetime, datetime]:
    try:
        day = date.fromisoformat(value)
        begin, end = (timezone.make_aware(datetime.combine(day + timedelta(days=n), time())) for n in (0, 1))
    except (ValueError, OverflowError) as error:
        raise IncorrectLookupParameters(error) from None
    return begin, end
