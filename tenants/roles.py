"""Role enum and the permission matrix (pure)."""

from enum import StrEnum


class Role(StrEnum):
    """What a member is in a workspace."""

    OWNER = "OWNER"
    TRADER = "TRADER"
    VIEWER = "VIEWER"


class Permission(StrEnum):
    """What an act needs."""

    VIEW = "view"
    TRADE = "trade"
    MANAGE = "manage"


GRANTED: dict[Role, frozenset[Permission]] = {
    Role.OWNER: frozenset(Permission),
    Role.TRADER: frozenset({Permission.VIEW, Permission.TRADE}),
    Role.VIEWER: frozenset({Permission.VIEW}),
}


def is_granted(role: str, permission: str) -> bool:
    """Whether a member of this role may do what needs this permission."""
    return Permission(permission) in GRANTED[Role(role)]
