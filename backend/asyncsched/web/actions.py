"""What people do to a task on the pages: run it now, pause it, resume it."""

import asyncio
import logging
from http import HTTPStatus

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_POST

from asyncsched.engine.boundary import Boundary
from asyncsched.engine.runner import describe
from asyncsched.listeners.channels import GROUP, ChannelsListener
from asyncsched.registry import registry
from asyncsched.storage import requests
from asyncsched.web.access import may_run

logger = logging.getLogger("asyncsched.web")

VERBS = frozenset({"run", "pause", "resume"})
TAG = "asyncsched"  # of our messages, so that a project's page can tell them from its own
PATIENCE = 2.0  # seconds for the channel layer


@require_POST
@never_cache
@csrf_protect
@login_required
async def act(request: HttpRequest, name: str, verb: str) -> HttpResponse:
    """Do *verb* to the task *name* and lead back to the page, with a message; JSON for who takes no HTML.

    The field ``next`` is the address to lead back to, on this site. Answers 403 to who may not run
    tasks, 404 if there is no such task or verb.
    """
    user = await request.auser()
    if not await sync_to_async(may_run)(user):
        return _refuse(request, PermissionDenied("You may not run, pause or resume tasks"))
    if verb not in VERBS or name not in {task.name for task in registry}:
        return _refuse(request, Http404("There is no such task, or it cannot do that"))
    by = user.get_username()
    said = await sync_to_async(_do)(verb, name, by)
    logger.info("%s %s by %s", verb, name, by, extra={"action": f"task_{verb}", "task": name, "by": by})
    await _tell_pages()
    if _wants_json(request):
        return JsonResponse({"said": said})
    await sync_to_async(messages.success)(request, said, extra_tags=TAG, fail_silently=True)
    return HttpResponseRedirect(_back(request))


def _do(verb: str, name: str, by: str) -> str:
    """Do it and return what to tell who wanted it."""
    if verb == "run":
        requests.ask_run(name, by=by)
        return f"{name} is to run now."
    changed = requests.set_paused(name, value=verb == "pause")
    is_now = "paused" if verb == "pause" else "resumed"
    return f"{name} is {is_now}." if changed else f"{name} was {is_now} already."


async def _tell_pages() -> None:
    """Have every live page ask anew, at once, for what it shows. Who does not hear of it asks by himself, later."""
    if not ChannelsListener.is_wanted():
        return
    from channels.layers import get_channel_layer  # noqa: PLC0415 - an optional extra

    with Boundary() as boundary:
        async with asyncio.timeout(PATIENCE):
            layer = get_channel_layer()  # type: ignore[no-untyped-call]
            await layer.group_send(GROUP, {"type": "run.message", "run": {"type": "resync"}})
    if boundary.error:
        logger.warning("open pages were not told of it: %s", describe(boundary.error), extra={"action": "pages_untold"})


def _refuse(request: HttpRequest, error: PermissionDenied | Http404) -> JsonResponse:
    if not _wants_json(request):
        raise error
    status = HTTPStatus.NOT_FOUND if isinstance(error, Http404) else HTTPStatus.FORBIDDEN
    return JsonResponse({"error": str(error)}, status=status)


def _wants_json(request: HttpRequest) -> bool:
    return not request.accepts("text/html")


def _back(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, require_https=request.is_secure())
    return wanted if is_ours else resolve_url("asyncsched:live")
