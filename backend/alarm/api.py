"""The alarm over HTTP, as JSON: for the page's script and for programs with a session."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from functools import wraps
from http import HTTPStatus
from typing import Any, TypeVar

from asgiref.sync import sync_to_async
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from alarm import arming, lately, operate, push
from alarm.codes import MAX_LENGTH
from alarm.machine import MODES, Command, Mode
from alarm.models import AlarmEvent
from alarm.operate import Person
from alarm.status import alarm_json

MAX_EXIT_DELAY = 600  # seconds
MAX_LIMIT = 100
ARM = {mode: command for command, mode in MODES.items()}

View = Callable[[HttpRequest], Coroutine[Any, Any, JsonResponse]]
Wanted = TypeVar("Wanted", bound=BaseModel)


class _Strict(BaseModel):
    # Without the input: it may be a code, and errors are shown.
    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Operation(_Strict):
    """What comes with disarm and trigger."""

    code: SecretStr = Field(default=SecretStr(""), max_length=MAX_LENGTH)


class Arming(Operation):
    """What comes with arm; *exit_delay* in seconds."""

    mode: Mode = Field(strict=False)
    exit_delay: int | None = Field(default=None, ge=0, le=MAX_EXIT_DELAY)


class Page(_Strict):
    """Which events are wanted: those before the event *before*, at most *limit*."""

    model_config = ConfigDict(extra="forbid", strict=False, hide_input_in_errors=True)
    before: int | None = Field(default=None, ge=1, lt=2**63)
    limit: int = Field(default=50, ge=1, le=MAX_LIMIT)


def for_signed_in(view: View) -> View:
    """Answer 401 to others, and what is wrong with a request or refused as the API tells it."""

    @wraps(view)
    async def guarded(request: HttpRequest) -> JsonResponse:
        user = await request.auser()
        if not (user.is_authenticated and user.is_active):
            return _error(HTTPStatus.UNAUTHORIZED, "Sign in first")
        try:
            return await view(request)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            field = ".".join(map(str, first["loc"])) or None
            return _error(HTTPStatus.BAD_REQUEST, f"{field or 'body'}: {first['msg']}", field=field)
        except operate.Refused as refused:
            return _refusal(refused)

    return never_cache(guarded)


@require_safe
@for_signed_in
async def state(request: HttpRequest) -> JsonResponse:
    """How the alarm is, as it is stored."""
    return JsonResponse(alarm_json(await sync_to_async(arming.current)()))


@require_POST
@for_signed_in
async def arm(request: HttpRequest) -> JsonResponse:
    """Arm in a mode."""
    wanted = _wanted(request, Arming)
    delay = None if wanted.exit_delay is None else timedelta(seconds=wanted.exit_delay)
    return await _operate(request, ARM[wanted.mode], code=wanted.code, exit_delay=delay)


@require_POST
@for_signed_in
async def disarm(request: HttpRequest) -> JsonResponse:
    """Disarm, with a code if there is any."""
    return await _operate(request, Command.DISARM, code=_wanted(request, Operation).code)


@require_POST
@for_signed_in
async def trigger(request: HttpRequest) -> JsonResponse:
    """Raise the alarm at once, whatever its state; nobody who needs it should need a code."""
    return await _operate(request, Command.TRIGGER, code=_wanted(request, Operation).code)


@require_safe
@for_signed_in
async def events(request: HttpRequest) -> JsonResponse:
    """What happened, newest first, page by page: the next one is ``?before=`` the ``next`` of this one."""
    page = Page.model_validate(request.GET.dict())
    found = await sync_to_async(_events)(page)
    more = found[page.limit - 1]["id"] if len(found) > page.limit else None
    return JsonResponse({"events": found[: page.limit], "next": more})


@require_safe
@for_signed_in
async def house_lately(request: HttpRequest) -> JsonResponse:
    """What happened lately in and around the house."""
    is_staff = bool(getattr(await request.auser(), "is_staff", False))
    found = await sync_to_async(lately.read)()
    return JsonResponse({"now": timezone.now()} | found.as_shown(with_texts=is_staff))


async def _operate(request: HttpRequest, command: Command, **how: Any) -> JsonResponse:
    status = await sync_to_async(operate.operate)(command, await person_of(request), now=timezone.now(), **how)
    await push.announce()
    return JsonResponse(alarm_json(status))


async def person_of(request: HttpRequest) -> Person:
    """Return who asks; they must be signed in."""
    user: Any = await request.auser()
    return Person(user=user, address=request.META.get("REMOTE_ADDR") or "")


def _wanted(request: HttpRequest, model: type[Wanted]) -> Wanted:
    return model.model_validate_json(request.body or b"{}")


def _events(page: Page) -> list[dict[str, Any]]:
    """Return the page and one more, if there is one: so nobody has to count."""
    rows = AlarmEvent.objects.order_by("-pk")
    if page.before is not None:
        rows = rows.filter(pk__lt=page.before)
    return [
        {
            "id": event.pk,
            "kind": event.kind,
            "message": event.message,
            "source": event.source,
            "details": event.details,
            "at": event.created_at.isoformat(),
        }
        for event in rows[: page.limit + 1]
    ]


def _refusal(refused: operate.Refused) -> JsonResponse:
    match refused:
        case operate.LockedOut():
            answer = _error(HTTPStatus.TOO_MANY_REQUESTS, str(refused), retry_after=refused.seconds)
            answer["Retry-After"] = str(refused.seconds)
            return answer
        case operate.NotPossible():
            told = {"state": refused.state.value, "command": refused.command.value}
            return _error(HTTPStatus.CONFLICT, str(refused), **told)
        case operate.CodeNeeded():
            return _error(HTTPStatus.BAD_REQUEST, f"{refused}", field="code")
        case operate.CodeWrong():
            return _error(HTTPStatus.FORBIDDEN, str(refused), field="code")
        case _:
            return _error(HTTPStatus.FORBIDDEN, str(refused))


def _error(status: HTTPStatus, error: str, **more: Any) -> JsonResponse:
    return JsonResponse({"error": error, **more}, status=status)
