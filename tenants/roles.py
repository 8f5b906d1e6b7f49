"""Roles of people, scopes of API keys, and the permission matrix (pure)."""

from enum import StrEnum


class Role(StrEnum):
    """What a member is in a workspace."""

    OWNER = "OWNER"
    TRADER = "TRADER"
    VIEWER = "VIEWER"

    @property
    def meaning(self) -> str:
        """In words."""
        return MEANINGS[self]


MEANINGS = {
    Role.OWNER: "sees, trades, manages members and accounts",
    Role.TRADER: "sees; pauses, resumes, closes positions",
    Role.VIEWER: "sees everything, changes nothing",
}


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


class Scope(StrEnum):
    """What an API key may do at most; its maker's own role limits it further."""

    READ = "read"
    TRADE = "trade"
    ADMIN = "admin"


REACHED: dict[Scope, frozenset[Permission]] = {
    Scope.READ: frozenset({Permission.VIEW}),
    Scope.TRADE: frozenset({Permission.VIEW, Permission.TRADE}),
    Scope.ADMIN: frozenset(Permission),
}


def is_in_scope(scope: str, permission: str) -> bool:
    """Whether a key of this scope may do what needs this permission."""
    return Permission(permission) in REACHED[Scope(scope)]


def is_granted(role: str, permission: str) -> bool:
    """Whether a member of this role may do what needs this permission."""
    return Permission(permission) in GRANTED[Role(role)]


def may_give(giver: str, role: str) -> bool:
    """Whether a member of the first role may invite somebody into the second: none above their own."""
    return is_granted(giver, Permission.MANAGE) and GRANTED[Role(role)] <= GRANTED[Role(giver)]
