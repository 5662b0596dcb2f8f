"""The processes that run the scheduler, and which of them leads."""

from typing import Any

from django.contrib import admin
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from asyncsched.admin import display
from asyncsched.admin.filters import by
from asyncsched.admin.records import RecordAdmin
from asyncsched.models import Lease, Replica
from asyncsched.storage.database_time import database_now
from asyncsched.storage.presence_views import DEAD, LEADER, STANDBY, short_name


@admin.register(Replica)
class ReplicaAdmin(RecordAdmin):
    """Processes, the latest first. Whether one is alive is judged by the database's clock."""

    started = staticmethod(display.moment_of("started_at"))
    seen = staticmethod(display.moment_of("seen_at"))
    expires = staticmethod(display.moment_of("expires_at"))
    list_display = ["process", "role", "started", "seen", "task_count", "version"]
    list_filter = [by("version")]
    search_fields = ["replica"]
    search_help_text = "Part of the name of a host"
    ordering = ["-started_at", "replica"]
    sortable_by = ["started", "seen"]
    fields = ["replica", "role", "version", "started", "seen", "expires", "known_tasks"]
    readonly_fields = ["role", "started", "seen", "expires", "known_tasks"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        is_alive = ExpressionWrapper(Q(expires_at__gt=database_now()), output_field=BooleanField())
        holds = Exists(Lease.objects.filter(holder=OuterRef("replica")))
        replicas: QuerySet[Any] = super().get_queryset(request).annotate(is_alive=is_alive, holds_lease=holds)
        return replicas

    @admin.display(description="process", ordering="replica")
    def process(self, replica: Replica) -> str:
        return short_name(replica.replica)

    @admin.display(description="role")
    def role(self, replica: Any) -> str:
        return (LEADER if replica.holds_lease else STANDBY) if replica.is_alive else DEAD

    @admin.display(description="tasks")
    def task_count(self, replica: Replica) -> int:
        return len(replica.tasks)

    @admin.display(description="tasks it knows")
    def known_tasks(self, replica: Replica) -> str:
        facts = sorted(replica.tasks.items())
        return format_html_join("", "{}: {}, {}<br>", ((name, task["schedule"], task["scope"]) for name, task in facts))


@admin.register(Lease)
class LeaseAdmin(RecordAdmin):
    """Who leads, and since when."""

    since = staticmethod(display.moment_of("since"))
    list_display = ["leader", "term", "since", "resigned", "terms"]
    fields = ["holder", "leader", "term", "since", "resigned", "terms"]
    readonly_fields = ["leader", "since", "resigned", "terms"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        alive = Replica.objects.filter(replica=OuterRef("holder"), expires_at__gt=database_now())
        leases: QuerySet[Any] = super().get_queryset(request).annotate(holder_lives=Exists(alive))
        return leases

    @admin.display(description="leader")
    def leader(self, lease: Any) -> str:
        if not lease.holder:
            return "nobody: the last leader resigned"
        name = short_name(lease.holder)
        return name if lease.holder_lives else f"nobody: {name} has died"

    @admin.display(description="resigned")
    def resigned(self, lease: Lease) -> str:
        return display.NOTHING if lease.holder else display.moment(lease.until)

    @admin.display(description="before")
    def terms(self, lease: Lease) -> SafeString:
        return display.links([("All terms", display.page("admin:asyncsched_term_changelist"))])
