"""The live page: how the house and its alarm are, and what the scheduler does."""

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe
from pydantic import SecretStr

from alarm import api, arming, lately, operate, push
from alarm.board import board
from alarm.cards import cards
from alarm.codes import MAX_LENGTH
from alarm.machine import Command
from alarm.panel import panel
from alarm.status import payload
from asyncsched.web.access import content_security_policy, may_view
from asyncsched.web.health import health_of
from asyncsched.web.tasks import tasks_context, tasks_json
from asyncsched.web.timeline import timeline_context

FOR_PEOPLE = {Command.ARM_AWAY, Command.ARM_HOME, Command.ARM_NIGHT, Command.DISARM}


@require_safe
@never_cache
@login_required
def live(request: HttpRequest) -> HttpResponse:
    """Show it as of now; the script keeps it so."""
    health = health_of(getattr(request, "scope", {}))
    status = board.learn(arming.current())
    context = {
        "panel": panel(status, now=timezone.now()),
        "cards": cards(payload(health)),
        "lately": lately.read().as_shown(with_texts=bool(getattr(request.user, "is_staff", False))),
        **tasks_context(request),
        **(timeline_context() if may_view(request.user) else {}),
    }
    response = render(request, "alarm/live.html", context)
    response["Content-Security-Policy"] = content_security_policy()
    return response


@require_safe
@never_cache
@login_required
def tasks(request: HttpRequest) -> JsonResponse:
    """Every task, in place of the scheduler's own answer: residents see them too, but neither errors nor runs."""
    return JsonResponse(tasks_json(request))


@require_POST
@sensitive_post_parameters("code")
@login_required
async def operate_by_form(request: HttpRequest) -> HttpResponse:
    """Arm or disarm by the page's form, without its script; what was refused is told on the page."""
    command, code = request.POST.get("command", ""), SecretStr(request.POST.get("code", "")[:MAX_LENGTH])
    if command not in FOR_PEOPLE:
        return HttpResponse("command: there is no such one\n", status=400, content_type="text/plain")
    person = await api.person_of(request)
    try:
        await sync_to_async(operate.operate)(Command(command), person, code=code, now=timezone.now())
    except operate.Refused as refused:
        await sync_to_async(messages.error)(request, str(refused))
    await push.announce()
    return redirect("alarm:live")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Lead browsers, which ask here from pages that name no icon, to ours."""
    return redirect(static("alarm/icon.svg"), permanent=True)
