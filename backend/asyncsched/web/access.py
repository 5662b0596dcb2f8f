"""Who may see and do what on the pages and sockets of the scheduler."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

VIEW, RUN = "asyncsched.view_tasks", "asyncsched.run_tasks"
# Everything a page needs comes from this site, as files; nothing is written into the page.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


def may_view(user: Any) -> bool:
    """True for who may see runs, errors, tracebacks and log lines: staff, and who has the permission VIEW or RUN."""
    return bool(user.is_active and (user.is_staff or user.has_perm(VIEW) or user.has_perm(RUN)))


def may_run(user: Any) -> bool:
    """True for who may run, pause and resume tasks: who has the permission RUN, as superusers do."""
    return bool(user.is_active and user.has_perm(RUN))


def page(view: View[P]) -> View[P]:
    """Make a sync view a page of the scheduler: for who may see it, by GET, never stored, and free of foreign parts.

    Who is not signed in is sent to LOGIN_URL; who is, and may not see it, gets 403.
    """

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if not may_view(request.user):
            raise PermissionDenied("This is for staff, and for who has the permission asyncsched.view_tasks")
        response = view(request, *args, **kwargs)
        response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
        return response

    return require_safe(never_cache(login_required(guarded)))
