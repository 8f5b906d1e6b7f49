"""Bots with their revisions: every parameter as declared, and what differs between two revisions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, QuerySet

from trading.core.config.profiles import PROFILES
from trading.core.params import params_hash
from trading.models import Bot, BotRevision, Engine, RevisionWait
from trading.queries.places import Place, older_than
from trading.research.space import list_parameters

PROFILE_OF_HASH = {params_hash(params): name for name, params in PROFILES.items()}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a revision beside its declaration."""

    name: str
    value: float
    default: float
    low: float
    high: float
    unit: str
    help: str

    @property
    def is_default(self) -> bool:
        """Whether it stands as declared."""
        return self.value == self.default

    @property
    def short(self) -> str:
        """Its name within its group."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Difference:
    """A parameter that two revisions do not share; None where one does not have it."""

    name: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class ShownRevision:
    """One revision of a bot with all of its parameters, by group."""

    bot: Bot
    revision: BotRevision
    revisions: Sequence[BotRevision]
    groups: Sequence[tuple[str, Sequence[Parameter]]]
    compared: BotRevision | None
    differences: Sequence[Difference]
    profile: str
    wait: RevisionWait | None

    @property
    def asks_proof(self) -> bool:
        """Whether it trades real money, so that new parameters need proof."""
        return self.bot.account.is_real

    @property
    def params(self) -> dict[str, Any]:
        """Its parameters, whole."""
        return whole_params(self.revision.params)


def list_bots() -> list[Bot]:
    """The workspace's bots with their accounts, active revisions, pairs, and how many revisions."""
    return list(_with_all().order_by("account__label", "name", "id"))


def page_bots(*, before: Place | None, most: int) -> list[Bot]:
    """Bots after a place in the list, the newest made first."""
    found = older_than(_with_all(), before, time="created_at", key="id")
    return list(found.order_by("-created_at", "-id")[:most])


def get_bot(*, bot_id: UUID) -> Bot:
    """One of them.

    Raises:
        Bot.DoesNotExist: not in this workspace.
    """
    found: Bot = _with_all().get(id=bot_id)
    return found


def _with_all() -> QuerySet[Bot]:
    listed = Bot.objects.select_related("account__engine", "active_revision").annotate(
        revision_count=Count("revisions")
    )
    return listed.prefetch_related("bot_instruments__instrument")


def engine_of(bot: Bot) -> UUID | None:
    """The engine of its account, or None."""
    try:
        found: UUID = bot.account.engine.id
    except Engine.DoesNotExist:
        return None
    return found


def list_revisions(*, bot_id: UUID, before: int | None, most: int) -> list[BotRevision]:
    """A bot's revisions of smaller numbers, newest first, with their authors."""
    found = BotRevision.objects.filter(bot=bot_id).select_related("author")
    if before is not None:
        found = found.filter(number__lt=before)
    return list(found.order_by("-number", "-id")[:most])


def get_revision(*, bot_id: UUID, number: int) -> BotRevision:
    """One revision with its author.

    Raises:
        BotRevision.DoesNotExist: not in this workspace, or no such number.
    """
    found: BotRevision = BotRevision.objects.select_related("author").get(bot=bot_id, number=number)
    return found


def waits_of(revisions: Sequence[BotRevision]) -> dict[UUID, RevisionWait]:
    """The waits of those revisions that had to wait."""
    waits = RevisionWait.objects.filter(revision__in=[one.id for one in revisions])
    return {wait.revision_id: wait for wait in waits.select_related("revision").order_by("id")}


def show_revision(
    *, bot_id: UUID, number: int | None = None, beside: int | None = None
) -> ShownRevision:
    """One revision, the active one without a number, and what it changed of another.

    Raises:
        Bot.DoesNotExist, BotRevision.DoesNotExist: not in this workspace, or no such number.
    """
    bot = Bot.objects.select_related("account", "active_revision").get(id=bot_id)
    revisions = list(bot.revisions.select_related("author").order_by("-number", "-id"))
    chosen = _numbered(revisions, number if number is not None else _active_number(bot))
    other = _numbered(revisions, beside) if beside is not None else _before(revisions, chosen)
    return ShownRevision(
        bot=bot,
        revision=chosen,
        revisions=revisions,
        groups=_groups(chosen.params),
        compared=other,
        differences=differences(other.params, chosen.params) if other else [],
        wait=bot.waits.filter(ended_at=None).select_related("revision__author").first(),
        profile=PROFILE_OF_HASH.get(chosen.params_hash, ""),
    )


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What two stored sets of parameters do not share, in the order they are declared."""
    old, new = _flat(before), _flat(after)
    return [
        Difference(name, old.get(name), new.get(name))
        for name in (old | new)
        if old.get(name) != new.get(name)
    ]


def whole_params(stored: Mapping[str, Any]) -> dict[str, Any]:
    """Stored parameters as declared today: what lacks stands at its default, what is unknown goes."""
    flat = _flat(stored)
    found: dict[str, Any] = {}
    for one in list_parameters():
        *groups, leaf = one["name"].split(".")
        inner = found
        for name in groups:
            inner = inner.setdefault(name, {})
        inner[leaf] = flat.get(one["name"], one["default"])
    return found


def _flat(params: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in params.items():
        inner = f"{prefix}{name}"
        found |= _flat(value, f"{inner}.") if isinstance(value, Mapping) else {inner: value}
    return found


def _active_number(bot: Bot) -> int:
    if bot.active_revision is None:
        raise BotRevision.DoesNotExist
    return bot.active_revision.number


def _numbered(revisions: Sequence[BotRevision], number: int) -> BotRevision:
    found = next((one for one in revisions if one.number == number), None)
    if found is None:
        raise BotRevision.DoesNotExist
    return found


def _before(revisions: Sequence[BotRevision], chosen: BotRevision) -> BotRevision | None:
    return next((one for one in revisions if one.number < chosen.number), None)


def _groups(params: Mapping[str, Any]) -> list[tuple[str, list[Parameter]]]:
    """Parameters as declared today, by group; those a stored revision lacks stand at their default."""
    stored = _flat(params)
    groups: dict[str, list[Parameter]] = {}
    for one in list_parameters():
        group, _, _ = one["name"].rpartition(".")
        told = {key: one[key] for key in ("name", "default", "low", "high", "unit", "help")}
        value = stored.get(one["name"], one["default"])
        groups.setdefault(group, []).append(Parameter(value=value, **told))
    return list(groups.items())
