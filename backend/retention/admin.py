"""How tables look in the admin that the system writes and people only read."""

from django.contrib import admin


class RecordAdmin(admin.ModelAdmin):
    """Rows to read and, if need be, to delete; never to write.

    Made for tables that grow: it counts no more rows than it has to.
    """

    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, *_: object, **__: object) -> bool:
        return False

    def has_change_permission(self, *_: object, **__: object) -> bool:
        return False
