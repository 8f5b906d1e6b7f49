"""The pairs a member marked."""

from typing import Any

from trading.models import Favorite


def list_favorites(*, user_id: Any) -> list[Favorite]:
    """A member's own, by pair."""
    return list(Favorite.objects.filter(user=user_id).order_by("pair", "id"))
