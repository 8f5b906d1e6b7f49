"""News: a fact that may be told, before anybody knows to whom."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from tenants.models import Notice

Kind = Notice.Kind
Severity = Notice.Severity


class Audience(Enum):
    """Whose business it is, whatever they wish."""

    MEMBERS = "everybody in the workspace"
    OWNERS = "owners, and the person concerned"
    CONCERNED = "the person concerned alone"


@dataclass(frozen=True, slots=True)
class News:
    """One fact; ``key`` names it, so that it is told once however often it is found."""

    key: str
    kind: Notice.Kind
    severity: Notice.Severity
    title: str
    happened_at: datetime
    words: str = ""
    path: str = ""
    audience: Audience = Audience.MEMBERS
    concerned_id: int | None = None
