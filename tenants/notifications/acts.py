"""News of the audit log and of keys: who got in, what changed hands, what expires."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F

from tenants.models import ApiKey, AuditEntry, Notice, User
from tenants.notifications.cursors import read_cursor, write_cursor
from tenants.notifications.news import Audience, Kind, News, Severity
from tenants.notifications.outbox import mark_over, tell

SOURCE = "audit"
MOST_AT_ONCE = 500
TOO_OLD = timedelta(days=1)
EXPIRES_SOON = timedelta(days=7)
ACCOUNTS, BOTS, TEAM, KEYS = "/exchange-accounts/", "/bots/", "/team/", "/keys/"

TITLES: Mapping[str, tuple[str, str]] = {
    "api_key.issue": ("API key made: {subject}", KEYS),
    "api_key.revoke": ("API key revoked: {subject}", KEYS),
    "bot.ask_loosening": ("Looser limits are asked for: {subject}", BOTS),
    "exchange_key.add": ("Exchange key kept: {subject}", ACCOUNTS),
    "exchange_key.rotate": ("Exchange key replaced: {subject}", ACCOUNTS),
    "exchange_key.disable": ("Exchange key disabled: {subject}", ACCOUNTS),
    "invitation.send": ("{subject} is invited as {role}", TEAM),
    "invitation.decline": ("{subject} declined the invitation as {role}", TEAM),
    "invitation.expire": ("Nobody took up the invitation of {subject} as {role}", TEAM),
    "member.add": ("{subject} joined as {role}", TEAM),
    "member.role": ("{subject} is {role} now", TEAM),
    "member.remove": ("{subject} left the workspace", TEAM),
    "webhook.add": ("Webhook added: {subject}", "/notifications/settings/"),
    "webhook.disable": ("Webhook disabled: {subject}", "/notifications/settings/"),
    "webhook.enable": ("Webhook enabled: {subject}", "/notifications/settings/"),
    "webhook.rotate": ("Webhook given another secret: {subject}", "/notifications/settings/"),
    "webhook.remove": ("Webhook removed: {subject}", "/notifications/settings/"),
}


def tell_acts(*, tenant_id: UUID, now: datetime) -> int:
    """Tell what the log holds since the last look; the log's own numbers say how far that was."""
    seen, _ = read_cursor(SOURCE) or (0, "")
    entries = list(AuditEntry.objects.filter(sequence__gt=seen).order_by("sequence")[:MOST_AT_ONCE])
    if not entries:
        return 0
    found: list[News] = []
    for entry in entries:
        if now - entry.at <= TOO_OLD:
            found += read_act(entry)
            _lift(entry, now=now)
    write_cursor(SOURCE, entries[-1].sequence, tenant_id=tenant_id)
    return tell(found, tenant_id=tenant_id, now=now)


def read_act(entry: AuditEntry) -> Iterator[News]:
    """What one entry is worth telling."""
    make: Callable[[AuditEntry], News] | None = None
    if entry.action in TITLES:
        make = _security
    elif entry.action == "exchange_key.check" and entry.after.get("state") == "BAD":
        make = _bad_key
    if make is not None:
        yield make(entry)


def _security(entry: AuditEntry) -> News:
    title, path = TITLES[entry.action]
    role = str(entry.after.get("role", "")).lower()
    return News(
        key=f"act:{entry.sequence}",
        kind=Kind.SECURITY,
        severity=Severity.WARNING,
        title=title.format(subject=entry.subject, role=role),
        words=_words(entry),
        path=path,
        happened_at=entry.at,
        audience=Audience.OWNERS,
        concerned_id=_concerned(entry),
    )


def _words(entry: AuditEntry) -> str:
    if entry.action == "bot.ask_loosening":
        return (
            f"By {entry.actor_label}: {', '.join(entry.after['loosens'])}. Revision "
            f"{entry.after['revision']} waits for an owner to put it in force, or to withdraw it."
        )
    return f"By {entry.actor_label}. If this should not have happened, look at the audit log."


def _concerned(entry: AuditEntry) -> int | None:
    """Who invited, the member whose place changed, or who used their rights."""
    email = entry.after.get("invited_by")
    if email is None and not entry.action.startswith("member."):
        return entry.actor_id
    found = User.objects.filter(email=email or entry.subject)
    return found.values_list("id", flat=True).first()


def _bad_key(entry: AuditEntry) -> News:
    return News(
        key=f"{_bad_key_of(entry)}{entry.sequence}",
        kind=Kind.KEY,
        severity=Severity.CRITICAL,
        title=f"The venue refuses a key: {entry.subject}",
        words="Nothing is entered with it; exits and stops keep running as far as the venue lets them.",
        path=ACCOUNTS,
        happened_at=entry.at,
    )


def _bad_key_of(entry: AuditEntry) -> str:
    """By its account: another key ends otherwise."""
    return f"bad-key:{entry.subject.partition(' of ')[2]}:"


def _lift(entry: AuditEntry, *, now: datetime) -> None:
    """A good check, another key or none: the refusal is history."""
    is_check = entry.action == "exchange_key.check" and entry.after.get("state") == "GOOD"
    if is_check or entry.action in ("exchange_key.rotate", "exchange_key.disable"):
        standing = Notice.objects.filter(key__startswith=_bad_key_of(entry), over_at=None)
        mark_over(keys=list(standing.values_list("key", flat=True)), now=now)


def tell_expiries(*, tenant_id: UUID, now: datetime) -> int:
    """Tell of API keys that will open nothing in a week."""
    ending = ApiKey.objects.filter(
        revoked_at=None, expires_at__gt=now, expires_at__lte=now + EXPIRES_SOON
    )
    long_lived = ending.filter(expires_at__gt=F("created_at") + EXPIRES_SOON)  # else no surprise
    found = [
        News(
            key=f"expiring:{one.id}",
            kind=Kind.KEY,
            severity=Severity.WARNING,
            title=f"API key expires {one.expires_at:%Y-%m-%d}: {one.label}",
            words="Make another one in time; what uses this one is refused then.",
            path=KEYS,
            happened_at=now,
            audience=Audience.OWNERS,
            concerned_id=one.user_id,
        )
        for one in long_lived.order_by("id")
    ]
    return tell(found, tenant_id=tenant_id, now=now)
