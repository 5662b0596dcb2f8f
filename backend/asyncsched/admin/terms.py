"""Looking back at processes: who led when, and when an event loop stood still."""

from django.contrib import admin

from asyncsched.admin import display
from asyncsched.admin.filters import ByTime, by
from asyncsched.admin.names import task_names
from asyncsched.admin.records import RecordAdmin
from asyncsched.models import LoopStall, Term
from asyncsched.schedules import words
from asyncsched.storage.presence_views import short_name


@admin.register(Term)
class TermAdmin(RecordAdmin):
    """Terms of leadership, the latest first."""

    time = "term"
    since = staticmethod(display.moment_of("since"))
    until = staticmethod(display.moment_of("until", "resigned"))
    list_display = ["term", "process", "since", "until", "lasted"]
    list_filter = [by("replica", title="process")]
    sortable_by = ["term"]
    fields = ["term", "replica", "since", "until", "lasted"]
    readonly_fields = ["since", "until", "lasted"]

    @admin.display(description="process")
    def process(self, term: Term) -> str:
        return short_name(term.replica)

    @admin.display(description="lasted")
    def lasted(self, term: Term) -> str:
        """Say for how long; of one that has not resigned nobody knows whether it lasts or its process died."""
        return words.duration(round((term.until - term.since).total_seconds())) if term.until else display.NOTHING


@admin.register(LoopStall)
class LoopStallAdmin(RecordAdmin):
    """When an event loop stood still and who held it up, the latest first."""

    time = "began_at"
    began = staticmethod(display.moment_of("began_at"))
    list_display = ["began", "length", "culprit", "where_text", "process"]
    list_filter = [ByTime, by("task", values=task_names)]
    search_fields = ["culprit", "where"]
    search_help_text = "Part of what held it up, or of the line"
    fields = ["began", "length", "culprit", "where_text", "replica", "task"]
    readonly_fields = ["began", "length", "where_text"]

    @admin.display(description="stood still for")
    def length(self, stall: LoopStall) -> str:
        return f"{stall.seconds:.3f}\N{NO-BREAK SPACE}s"

    @admin.display(description="where")
    def where_text(self, stall: LoopStall) -> str:
        return stall.where

    @admin.display(description="process")
    def process(self, stall: LoopStall) -> str:
        return short_name(stall.replica)
