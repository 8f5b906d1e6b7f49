"""Chapters of an account: a paper account that started over counts from then on, and keeps the rest."""

from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Final, Literal
from uuid import UUID

from django.db.models import OuterRef, Q, QuerySet, Subquery

from trading.models import LedgerEntry, Position

Book = LedgerEntry.Book
ALL: Final = "all"  # chapters of an account, or of every one
Which = int | Literal["all"] | None  # a chapter by its number; None: the current one


class NoSuchChapter(ValueError):
    """The account has no chapter of this number; the text says which it has."""


@dataclass(frozen=True, slots=True)
class Chapter:
    """What was traded between two starts; market time, as positions have it."""

    number: int
    ended_at: datetime | None  # None: the current one; wall time
    after: datetime | None  # the last fill of the one before; None: it had none
    until: datetime | None  # its own last fill; None: it is current, or had none

    @property
    def is_current(self) -> bool:
        """Whether the account is in it."""
        return self.ended_at is None

    @property
    def positions(self) -> Q:
        """Those of this chapter."""
        found = Q() if self.after is None else Q(opened_at__gt=self.after)
        if self.is_current:
            return found
        if self.until is None:
            return Q(pk__in=[])
        return found & Q(opened_at__lte=self.until)


def list_chapters(*, account_id: UUID) -> list[Chapter]:
    """Of one account, the oldest first; one where it never started over."""
    return _chapters(list(_closings().filter(account=account_id)))


def positions_of(*, account_id: UUID | None, chapter: Which) -> QuerySet[Position]:
    """Positions of one account's chapter, or of every account's current one; of all chapters if asked.

    Raises:
        NoSuchChapter: the account has no such chapter.
    """
    if account_id is None:
        former = Q(pk__in=[]) if chapter == ALL else _of_former_chapters()
        return Position.objects.exclude(former)
    if chapter == ALL:
        return Position.objects.filter(bot__account=account_id)
    chapters = list_chapters(account_id=account_id)
    if chapter is not None and chapter > len(chapters):
        raise NoSuchChapter(f"{chapter}, this account has 1 to {len(chapters)}")
    chosen = chapters[-1] if chapter is None else chapters[chapter - 1]
    return Position.objects.filter(chosen.positions, bot__account=account_id)


def _closings() -> QuerySet[LedgerEntry]:
    """What was taken out at the end of each chapter, with the moment of the last fill before it."""
    fills = LedgerEntry.objects.filter(account=OuterRef("account"), id__lt=OuterRef("id"))
    last = fills.exclude(fill=None).order_by("-id").values("fill__filled_at")[:1]
    taken = LedgerEntry.objects.filter(book=Book.CAPITAL, amount__gt=0)  # paid in stands below 0
    return taken.annotate(last_fill=Subquery(last)).order_by("account", "id")


def _chapters(closings: list[LedgerEntry]) -> list[Chapter]:
    found: list[Chapter] = []
    after: datetime | None = None
    by_posting = {closing.posting: closing for closing in closings}  # one line for each currency
    for closing in by_posting.values():
        last: datetime | None = closing.last_fill  # type: ignore[attr-defined]  # annotated
        until = None if last == after else last
        found.append(Chapter(len(found) + 1, closing.booked_at, after, until))
        after = last
    return [*found, Chapter(len(found) + 1, None, after, None)]


def _of_former_chapters() -> Q:
    ends = {closing.account_id: closing.last_fill for closing in _closings()}  # type: ignore[attr-defined]  # annotated
    parts = [Q(bot__account=account, opened_at__lte=end) for account, end in ends.items() if end]
    return reduce(or_, parts, Q(pk__in=[]))
