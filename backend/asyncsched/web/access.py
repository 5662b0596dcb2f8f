"""Who may see and do what on the pages and sockets of the scheduler."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec
from urllib.parse import urlsplit

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import get_script_prefix
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from asyncsched.listeners.channels import ChannelsListener

VIEW, RUN = "asyncsched.view_tasks", "asyncsched.run_tasks"
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def may_view(user: Any) -> bool:
    """True for who may see runs, errors, tracebacks and log lines: staff, and who has the permission VIEW or RUN."""
    return bool(user.is_active and (user.is_staff or user.has_perm(VIEW) or user.has_perm(RUN)))


def may_run(user: Any) -> bool:
    """True for who may run, pause and resume tasks: who has the permission RUN, as superusers do."""
    return bool(user.is_active and user.has_perm(RUN))


def content_security_policy() -> str:
    """Return what a page may load: files of this site, and of the host that serves its static files; nothing inline."""
    place = urlsplit(static("asyncsched/live.css"))
    host = f"{place.scheme}://{place.netloc}" if place.scheme else place.netloc
    files = f"'self' {host}".rstrip()
    return (
        f"default-src 'none'; script-src {files}; style-src {files}; img-src {files}; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def news_address() -> str:
    """Return the path of the WebSocket with news of runs, below the prefix of the project; empty without Channels."""
    return f"{get_script_prefix()}ws/runs/" if ChannelsListener.is_wanted() else ""


def page(view: View[P]) -> View[P]:
    """Make a sync view a page of the scheduler: for who may see it, by GET, never stored, and free of foreign parts.

    Who is not signed in is sent to LOGIN_URL; who is, and may not see it, gets 403.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not may_view(request.user):
            raise PermissionDenied("This is for staff, and for who has the permission asyncsched.view_tasks")
        response = view(request, *args, **kwargs)
        response["Content-Security-Policy"] = content_security_policy()
        return response

    return require_safe(never_cache(login_required(guarded)))
