"""How tables look in the admin that machines write, and that may hold millions of rows.

No page of theirs reads more than a bounded number of rows: what an index finds is found in all of
the table, anything else among the latest rows.
"""

from functools import cached_property
from typing import Any, ClassVar, TypeVar

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)

MOST_COUNTED = 1_000
MOST_SEARCHED = 10_000
MOST_LOOKED_AT = 50_000


def latest(rows: QuerySet[Row], column: str, most: int) -> QuerySet[Row]:
    """Return the *most* latest of *rows* by *column*, which has an index; more, if several are of the same instant."""
    moments = rows.order_by(f"-{column}").values_list(column, flat=True)
    for earliest in moments[most - 1 : most]:
        return rows.filter(**{f"{column}__gte": earliest})
    return rows


class BoundedPaginator(Paginator):
    """Pages through the first MOST_COUNTED rows and counts no further; beyond that people filter."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        # In the order of the list: it is to be counted along the index that the list is read by.
        return self.object_list[:MOST_COUNTED].count()

    @property
    def is_cut(self) -> bool:
        """True if there may be rows that no page shows."""
        return self.count == MOST_COUNTED


class RecordList(ChangeList):
    """A list in the order of an index, whatever the address asks for."""

    def get_ordering_field(self, field_name: Any) -> Any:
        """Return by what a column is sorted, None if it cannot be; Django asks only where it draws the links."""
        return super().get_ordering_field(field_name) if field_name in (self.sortable_by or ()) else None

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        """Return the order, without a primary key that Django adds: with it MySQL sorts all of the table."""
        ordering = list(super().get_ordering(request, queryset))
        is_added = len(ordering) > 1 and ordering[-1] == "-pk" and "-pk" not in self.model_admin.get_ordering(request)
        return ordering[:-1] if is_added else ordering


class RecordAdmin(admin.ModelAdmin):
    """Rows that people read and machines write."""

    time = ""
    """The column by which the newest come first; it has an index. Empty: the table is small."""
    may_be_deleted = False
    """True if who has the permission may delete rows."""

    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50
    sortable_by: ClassVar[Any] = ()
    change_list_template = "asyncsched/admin/records.html"
    actions: Any = None

    class Media:
        css = {"all": ["asyncsched/admin.css"]}

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_change_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.may_be_deleted and super().has_delete_permission(request, obj)

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RecordList

    def get_ordering(self, request: HttpRequest) -> Any:
        return self.ordering or self.model._meta.ordering or ([f"-{self.time}"] if self.time else [])

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Search among the latest: no index helps to find a part of a text, and there may be millions."""
        among = latest(queryset, self.time, MOST_SEARCHED) if search_term and self.time else queryset
        return super().get_search_results(request, among, search_term)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Return whether the address may filter so: by what the list's filters offer, and nothing that would scan."""
        return lookup in {getattr(one, "parameter_name", None) for one in self.list_filter}
