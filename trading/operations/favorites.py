"""Pairs a member marks for themselves."""

import uuid
from datetime import datetime

from tenants.models import User
from trading.models import Favorite

MOST_FAVORITES = 200


class TooManyFavorites(Exception):
    """A member has as many as there may be."""


class FavoriteNotFound(Exception):
    """The member has not marked this pair."""


def mark_favorite(*, tenant_id: uuid.UUID, user: User, pair: str, now: datetime) -> Favorite:
    """Mark a pair; marking it twice is marking it once.

    Raises:
        TooManyFavorites: as many are marked as there may be.
    """
    User.objects.select_for_update().get(pk=user.pk)  # one at a time: the count must hold
    mine = Favorite.objects.filter(user=user)
    marked: Favorite | None = mine.filter(pair=pair).first()
    if marked is not None:
        return marked
    if mine.count() >= MOST_FAVORITES:
        raise TooManyFavorites(f"pair: {pair}, and {MOST_FAVORITES} are marked already")
    made: Favorite = Favorite.objects.create(
        tenant_id=tenant_id, user=user, pair=pair, created_at=now
    )
    return made


def unmark_favorite(*, user: User, pair: str) -> None:
    """Take the mark away.

    Raises:
        FavoriteNotFound: there is none.
    """
    gone, _ = Favorite.objects.filter(user=user, pair=pair).delete()
    if not gone:
        raise FavoriteNotFound(f"{pair} is none of your favourites")
