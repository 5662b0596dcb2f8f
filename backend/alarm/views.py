"""The live page: how the house is, and what the scheduler does."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from alarm.cards import cards
from alarm.status import payload
from asyncsched.web.health import health_of
from asyncsched.web.tasks import tasks_context

# Everything the page needs comes from this site, as files; nothing is written into the page.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@require_safe
@never_cache
@login_required
def live(request: HttpRequest) -> HttpResponse:
    """Show it as of now; the script keeps it so."""
    health = health_of(getattr(request, "scope", {}))
    is_staff = bool(getattr(request.user, "is_staff", False))
    context = {"cards": cards(payload(health)), "is_scheduling": health is not None}
    response = render(request, "alarm/live.html", context | tasks_context(with_errors=is_staff))
    response["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead browsers, which ask here from pages that name no icon, to ours."""
    return redirect(static("alarm/icon.svg"), permanent=True)
