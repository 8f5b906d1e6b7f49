"""What a member wants to be told and when: defaults by role, quiet hours (pure)."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tenants.models import NotificationSettings
from tenants.notifications.news import Kind, Severity
from tenants.roles import Role

INBOX = frozenset(Kind) - {Kind.FILL}
LETTERS_TO_OWNERS = frozenset(Kind) - {Kind.FILL, Kind.POSITION, Kind.SUMMARY}


@dataclass(frozen=True, slots=True)
class Wishes:
    """One member's."""

    inbox_kinds: frozenset[str]
    email_kinds: frozenset[str]
    least_severity: int
    time_zone: str = "UTC"
    quiet_from: time | None = None
    quiet_until: time | None = None

    def wants_in_inbox(self, kind: str) -> bool:
        """Whether the inbox is told of this kind."""
        return kind in self.inbox_kinds

    def wants_letter(self, kind: str, severity: int) -> bool:
        """Whether a letter is written; the summary comes however little it weighs."""
        heavy = severity >= self.least_severity or kind == Kind.SUMMARY
        return kind in self.email_kinds and heavy

    def next_letter_at(self, now: datetime) -> datetime:
        """Now, or when the quiet hours end."""
        if self.quiet_from is None or self.quiet_until is None:
            return now
        zone = ZoneInfo(self.time_zone)
        local = now.astimezone(zone)
        begins, ends = self.quiet_from, self.quiet_until
        clock = local.time()
        if begins <= ends:
            is_quiet = begins <= clock < ends
        else:  # over midnight
            is_quiet = clock >= begins or clock < ends
        if not is_quiet:
            return now
        day = local.date() + timedelta(days=1 if clock >= ends else 0)
        return max(now, datetime.combine(day, ends, tzinfo=zone).astimezone(UTC))


def default_wishes(role: str) -> Wishes:
    """Everything in the inbox; what is critical also by letter to owners."""
    letters = LETTERS_TO_OWNERS if role == Role.OWNER else frozenset()
    return Wishes(frozenset(INBOX), frozenset(letters), Severity.CRITICAL)


def wishes_of(kept: NotificationSettings | None, role: str) -> Wishes:
    """What was saved, or the role's defaults."""
    if kept is None:
        return default_wishes(role)
    return Wishes(
        inbox_kinds=frozenset(kept.inbox_kinds),
        email_kinds=frozenset(kept.email_kinds),
        least_severity=kept.least_severity,
        time_zone=kept.time_zone,
        quiet_from=kept.quiet_from,
        quiet_until=kept.quiet_until,
    )
