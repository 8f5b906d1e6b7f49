"""Dashboard page, and the buttons that send commands to an engine."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from tenants.auth import permission_required, refusal_of_word, require_standing
from tenants.standing import Effect
from tenants.step_up import ask_step_up, has_stepped_up
from trading import operations
from trading.models import Engine
from trading.queries import dashboard as queries
from trading.queries.first_steps import read_first_steps
from trading.queries.notices import digest, list_notices
from trading.queries.overview import get_overview


@require_GET
@never_cache
@permission_required("view")
def dashboard(request: HttpRequest, engine_id: uuid.UUID | None = None) -> HttpResponse:
    """One engine's live page; of a workspace with several, all of them at a glance."""
    if engine_id is None and Engine.objects.count() > 1:
        return render(request, "trading/overview.html", {"o": get_overview()})
    try:
        shown = queries.get_dashboard(engine_id=engine_id)
    except Engine.DoesNotExist:
        raise Http404 from None
    if shown is None:
        return render(request, "trading/no_engine.html", {"steps": read_first_steps()})
    context = {
        "d": shown,
        **_notices(shown.engine),
        "controls": controls_for(request),
        "key": uuid.uuid4().hex,
        "steps": None if shown.decisions else read_first_steps(),
    }
    return render(request, "trading/dashboard.html", context)


@require_GET
@never_cache
@permission_required("view")
def notices(request: HttpRequest, engine_id: uuid.UUID) -> HttpResponse:
    """What stands above its page; without content while the page tells it already."""
    try:
        engine = queries.get_engine(engine_id=engine_id)
    except Engine.DoesNotExist:
        raise Http404 from None
    found = _notices(engine)
    if request.GET.get("told") == found["told"]:
        return HttpResponse(status=204)
    context = {**found, "engine": engine, "key": uuid.uuid4().hex}
    return render(request, "trading/_notices.html", context)


def _notices(engine: Engine) -> dict[str, Any]:
    found = list_notices(engine, now=timezone.now())
    return {"notices": found, "told": digest(found)}


@dataclass(frozen=True, slots=True)
class Control:
    """A button that sends a command; with ``says``, what will happen, it asks for ``word`` first."""

    name: str
    words: str
    look: str = ""
    says: str = ""
    word: str = ""


def controls_for(request: HttpRequest) -> Sequence[Control]:
    """The buttons this person has."""
    may_manage = request.tenant.allows("manage")  # type: ignore[attr-defined]
    return (*CONTROLS, *OWNERS_CONTROLS) if may_manage else CONTROLS


CONTROLS = (
    Control("pause", "Pause entries", "btn-primary"),
    Control(
        "close_all",
        "Close all",
        "btn-outline-danger",
        "Every open position is closed at the next price, and entries are paused.",
        "close all",
    ),
)
COMMANDS: dict[str, Callable[..., Any]] = {
    "pause": operations.pause_engine,
    "resume": operations.resume_engine,
    "close_all": operations.close_all,
    "kill": operations.kill_engine,
    "revive": operations.revive_engine,
}
LETS_ENTER = ("resume", "revive")
OWNERS_CONTROLS = (
    Control(
        "kill",
        "Kill",
        "btn-danger",
        "Everything is closed now, and nothing is entered until an owner revives the engine.",
        "kill",
    ),
)
WORDS = {one.name: one.word for one in (*CONTROLS, *OWNERS_CONTROLS) if one.word}
OWNERS_ONLY = ("kill", "revive")
ANSWERS = {
    "pause": "Pausing: no new entries. Exits and stops keep running.",
    "resume": "Resuming entries.",
    "close_all": "Closing every position at the next price, and pausing entries.",
    "kill": "Killed: closing everything; nothing is entered until an owner revives it.",
    "revive": "Reviving: entries may go on.",
}


WISHES: dict[str, Callable[..., None]] = {
    "start": operations.start_engine,
    "stop": operations.stop_engine,
}
WISHED = {
    "start": "The engine is asked to start; a fleet does it within seconds.",
    "stop": "The engine is asked to stop. Open positions keep their stops.",
}


@require_POST
@permission_required("trade", Effect.HARMLESS)
def wish(request: HttpRequest, engine_id: uuid.UUID, act: str) -> HttpResponse:
    """Say whether an engine is to run; a fleet sees to it. Exits and stops need it to, always."""
    if act not in WISHES:
        raise Http404
    try:
        WISHES[act](engine_id=engine_id, actor=request.user, now=timezone.now())
    except operations.EngineNotFound:
        raise Http404 from None
    except operations.EngineRefused as error:
        messages.error(request, f"{error}.")
    else:
        messages.success(request, WISHED[act])
    return redirect("engine", engine_id=engine_id)


@require_POST
@permission_required("trade", Effect.HARMLESS)
def command(request: HttpRequest, engine_id: uuid.UUID, name: str) -> HttpResponse:
    """Put a command into the engine's inbox."""
    if name not in COMMANDS:
        raise Http404
    if name in OWNERS_ONLY and not request.tenant.allows("manage"):  # type: ignore[attr-defined]
        raise PermissionDenied
    if name in LETS_ENTER:
        require_standing(request, Effect.OPEN)
    if name in WORDS and (refusal := refusal_of_word(request, WORDS[name])):
        return _refuse(request, refusal, engine_id)
    is_dear = name in OWNERS_ONLY and queries.trades_real_money(engine_id=engine_id)
    if is_dear and not has_stepped_up(request):
        return _ask_step_up(request, engine_id)
    try:
        COMMANDS[name](
            engine_id=engine_id,
            actor=request.user,
            reason=f"{name.replace('_', ' ')} from the dashboard by {request.user}",
            idempotency_key=f"{name}-{request.POST.get('key') or uuid.uuid4().hex}"[:80],
            now=timezone.now(),
        )
    except operations.EngineNotFound:
        raise Http404 from None
    if request.headers.get("HX-Request"):
        return render(
            request,
            "trading/_answer.html",
            {
                "words": ANSWERS[name],
                "controls": controls_for(request),
                "key": uuid.uuid4().hex,
            },
        )
    return redirect("engine", engine_id=engine_id)


def _refuse(request: HttpRequest, words: str, engine_id: uuid.UUID) -> HttpResponse:
    """In the button's own place, or above the page."""
    if request.headers.get("HX-Request"):
        return HttpResponse(words, status=400, content_type="text/plain; charset=utf-8")
    messages.error(request, words)
    return redirect("engine", engine_id=engine_id)


def _ask_step_up(request: HttpRequest, engine_id: uuid.UUID) -> HttpResponse:
    """The whole page goes to where the second factor is given, and comes back to the engine's."""
    answer = ask_step_up(request, back=reverse("engine", args=[engine_id]))
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": answer["Location"]})
    return answer
