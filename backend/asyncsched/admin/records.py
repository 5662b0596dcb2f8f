"""How tables look in the admin that the scheduler writes, and that may hold millions of rows."""

from functools import cached_property
from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import QuerySet

MOST_COUNTED = 1_000


class BoundedPaginator(Paginator):
    """Pages through the first MOST_COUNTED rows and counts no further; beyond that people filter."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        return self.object_list.order_by()[:MOST_COUNTED].count()


class RecordAdmin(admin.ModelAdmin):
    """Rows that people read and the scheduler writes."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50
    actions = None

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_delete_permission(self, *_: object, **__: object) -> bool:
        return False
