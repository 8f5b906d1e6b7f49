"""Bots: what each is set to, by revision, with unit, range, default and meaning of every parameter."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from tenants.auth import permission_required
from trading.filters import RevisionFilter
from trading.models import Bot, BotRevision
from trading.queries import bots as queries


@require_GET
@never_cache
@permission_required("view")
def bots(request: HttpRequest) -> HttpResponse:
    """Every bot of the workspace."""
    return render(request, "trading/bots/list.html", {"bots": queries.list_bots()})


@require_GET
@never_cache
@permission_required("view")
def bot(request: HttpRequest, bot_id: uuid.UUID) -> HttpResponse:
    """One revision of a bot, and what it changed."""
    form = RevisionFilter(request.GET)
    asked: dict[str, Any] = form.cleaned_data if form.is_valid() else {}
    try:
        shown = queries.show_revision(bot_id=bot_id, **asked)
    except (Bot.DoesNotExist, BotRevision.DoesNotExist):
        raise Http404 from None
    context = {"shown": shown, "form": form}
    return render(request, "trading/bots/one.html", context, status=200 if form.is_valid() else 400)
