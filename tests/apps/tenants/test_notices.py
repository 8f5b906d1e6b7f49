"""Who is told what: inboxes, letters, quiet hours, reminders, and nobody of another workspace."""

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from tenants import operations
from tenants.models import (
    AuditEntry,
    Delivery,
    ExchangeAccount,
    ExchangeCredential,
    Notice,
    Notification,
)
from tenants.notifications import choosing, endpoints, inbox
from tenants.notifications.acts import tell_acts, tell_expiries
from tenants.notifications.delivering import (
    MOST_REPEATS,
    REPEAT_EVERY,
    deliver_due,
    repeat_unacknowledged,
    tenants_with_due,
)
from tenants.notifications.news import Audience, Kind, Severity
from tenants.notifications.outbox import mark_over
from tenants.notifications.wishes import Wishes
from tenants.scoping import tenant_scope
from tenants.tasks import deliver_notices
from tests.apps.tenants.conftest import People
from tests.apps.tenants.notices import (  # noqa: F401 - a fixture
    eager,
    keep_hook,
    some_news,
    tell_all,
    tell_one,
)
from tests.factories import NOW

BERLIN = "Europe/Berlin"
INFO, WARNING, CRITICAL = Severity


def readers(people: People, title: str = "Paper: clock") -> set[str]:
    """Who has it in their inbox."""
    with tenant_scope(people.acme.id):
        found = Notification.objects.filter(notice__title=title).select_related("user")
        return {one.user.email.split("@")[0] for one in found}


def deliver(people: People, now: datetime = NOW) -> int:
    return deliver_due(tenant_id=people.acme.id, clock=lambda: now)


def repeat(people: People, now: datetime) -> int:
    with tenant_scope(people.acme.id):
        return repeat_unacknowledged(now=now)


def wish(people: People, name: str, **changed: object) -> None:
    with tenant_scope(people.acme.id):
        choosing.change_wishes(
            tenant_id=people.acme.id, user_id=getattr(people, name).pk, changed=changed
        )


def addressed(mailoutbox) -> list[str]:
    return sorted(letter.to[0].split("@")[0] for letter in mailoutbox)


def test_everybody_has_it_in_the_inbox_and_owners_get_a_letter(people, mailoutbox):
    tell_all(people.acme.id, some_news())
    deliver(people)

    assert readers(people) == {"olga", "tom", "vera"}
    assert addressed(mailoutbox) == ["olga"]


def test_what_is_not_critical_comes_without_a_letter(people, mailoutbox):
    tell_all(people.acme.id, some_news(severity=WARNING))
    deliver(people)

    assert (readers(people), mailoutbox) == ({"olga", "tom", "vera"}, [])


def test_a_fact_is_told_once_however_often_it_is_found(people, mailoutbox):
    news = some_news()

    assert [tell_all(people.acme.id, news, news), tell_all(people.acme.id, news)] == [1, 0]

    deliver(people)
    deliver(people)
    assert len(mailoutbox) == 1


def test_the_database_refuses_a_second_delivery_to_the_same_recipient(people):
    tell_all(people.acme.id, some_news())
    with tenant_scope(people.acme.id):
        row = Delivery.objects.get()
        with pytest.raises(IntegrityError, match="delivery_once"), transaction.atomic():
            Delivery.objects.create(
                tenant=people.acme, notice=row.notice, channel=row.channel,
                recipient=row.recipient, due_at=NOW,
            )  # fmt: skip


def test_a_letter_is_plain_text_with_a_harmless_html_twin(people, mailoutbox, settings):
    settings.PUBLIC_URL = "https://nova.example"
    tell_all(people.acme.id, some_news(title="Paper:\r\nBcc: a@b <b>", words="<script>x</script>"))
    deliver(people)

    (letter,) = mailoutbox
    ((page, kind),) = letter.alternatives
    assert letter.subject == "NovaPulse: Paper: Bcc: a@b <b>"
    assert "<script>x</script>" in letter.body
    assert "https://nova.example/" in letter.body
    assert kind == "text/html"
    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_owners_business_is_kept_from_others(people):
    tell_all(people.acme.id, some_news(audience=Audience.OWNERS))

    assert readers(people) == {"olga"}


def test_security_always_reaches_whom_it_concerns(people, mailoutbox):
    wish(people, "vera", inbox_kinds=frozenset(), email_kinds=frozenset())
    tell_all(
        people.acme.id,
        some_news(kind=Kind.SECURITY, severity=WARNING, audience=Audience.CONCERNED,
                  concerned_id=people.vera.pk),
    )  # fmt: skip
    deliver(people)

    assert (readers(people), addressed(mailoutbox)) == ({"vera"}, ["vera"])


def test_wishes_are_followed(people, mailoutbox):
    wish(people, "tom", email_kinds=frozenset({Kind.POSITION}), least_severity=int(INFO))
    wish(people, "olga", inbox_kinds=frozenset())
    tell_all(people.acme.id, some_news(kind=Kind.POSITION, severity=INFO))
    deliver(people)

    assert (readers(people), addressed(mailoutbox)) == ({"tom", "vera"}, ["tom"])


def test_what_nobody_wants_to_know_is_not_kept(people):
    assert tell_all(people.acme.id, some_news(kind=Kind.FILL, severity=INFO)) == 0

    with tenant_scope(people.acme.id):
        assert not Notice.objects.exists()


def test_a_letter_waits_for_the_end_of_quiet_hours_unless_it_is_critical(people, mailoutbox):
    wish(people, "olga", least_severity=int(INFO), time_zone=BERLIN, quiet_from=time(12),
         quiet_until=time(14))  # fmt: skip
    tell_all(people.acme.id, some_news(severity=WARNING, title="later"))  # 13:00 in Berlin
    tell_all(people.acme.id, some_news(title="now"))

    deliver(people)
    assert [one.subject for one in mailoutbox] == ["NovaPulse: now"]
    deliver(people, NOW + timedelta(hours=1))
    assert [one.subject for one in mailoutbox][1:] == ["NovaPulse: later"]


@given(
    now=st.datetimes(datetime(2026, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    begins=st.times(),
    ends=st.times(),
    zone=st.sampled_from(["UTC", BERLIN, "America/New_York", "Asia/Kolkata", "Pacific/Apia"]),
)
def test_quiet_hours_end_within_a_day_and_never_in_themselves(now, begins, ends, zone):
    wishes = Wishes(frozenset(), frozenset(), 10, zone, begins, ends)

    sent = wishes.next_letter_at(now)

    assert now <= sent <= now + timedelta(hours=26)  # a day may have an hour more
    if sent != now:
        assert sent.astimezone(ZoneInfo(zone)).time() >= ends


def test_a_letter_of_the_hour_that_comes_twice_is_not_due_in_the_past():
    wishes = Wishes(frozenset(), frozenset(), 10, BERLIN, time(1), time(2, 30))
    second = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)  # 02:15, winter time already

    assert wishes.next_letter_at(second) == second


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"email_kinds": frozenset({"WEATHER"})}, "email_kinds"),
        ({"least_severity": 11}, "least_severity"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"quiet_from": time(22)}, "quiet_from"),
        ({"quiet_from": time(22), "quiet_until": time(22)}, "quiet_until"),
    ],
)
def test_wishes_that_cannot_be_kept_are_refused_by_their_field(people, changed, field):
    with pytest.raises(choosing.InvalidWishes) as refused:
        wish(people, "tom", **changed)

    assert refused.value.field == field


def test_something_critical_is_repeated_until_acknowledged(people, mailoutbox):
    tell_all(people.acme.id, some_news())
    deliver(people)

    assert repeat(people, NOW + REPEAT_EVERY - timedelta(seconds=1)) == 0
    for number in (1, 2):
        at = NOW + number * REPEAT_EVERY
        assert repeat(people, at) == 1
        deliver(people, at)
    with tenant_scope(people.acme.id):
        own = Notification.objects.get(user=people.tom)
        inbox.acknowledge(notification_id=own.id, actor=people.tom, now=NOW)
        acts = AuditEntry.objects.filter(action="notice.acknowledge")
        assert acts.get().actor == people.tom

    assert repeat(people, NOW + 9 * REPEAT_EVERY) == 0
    assert [one.subject for one in mailoutbox] == [
        "NovaPulse: Paper: clock",
        "NovaPulse: Paper: clock (reminder 1)",
        "NovaPulse: Paper: clock (reminder 2)",
    ]


def test_reminders_end_with_their_cause_and_after_enough(people, mailoutbox):
    gone, stays = some_news(title="gone"), some_news(title="stays")
    tell_all(people.acme.id, gone, stays)
    deliver(people)
    with tenant_scope(people.acme.id):
        assert mark_over(keys=[gone.key], now=NOW) == 1
    for number in range(1, 20):
        repeat(people, NOW + number * REPEAT_EVERY)
        deliver(people, NOW + number * REPEAT_EVERY)

    titles = [letter.subject.split(" (")[0] for letter in mailoutbox]
    assert titles.count("NovaPulse: gone") == 1
    assert titles.count("NovaPulse: stays") == 1 + MOST_REPEATS


def test_a_mail_server_that_is_away_is_asked_again(people, mailoutbox, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    tell_all(people.acme.id, some_news())
    assert deliver(people) == 0
    with tenant_scope(people.acme.id):
        row = Delivery.objects.get()
        assert (row.state, "mail server" in row.reason) == ("PENDING", True)

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert deliver(people, row.due_at) == 1
    assert addressed(mailoutbox) == ["olga"]


def test_two_workers_send_a_letter_once(people, mailoutbox):
    tell_all(people.acme.id, some_news())
    nested: list[int] = []

    def clock() -> datetime:
        """The second worker starts while the first one holds its list."""
        if not nested:
            nested.append(0)
            nested[0] = deliver(people)
        return NOW

    deliver_due(tenant_id=people.acme.id, clock=clock)

    assert len(mailoutbox) == 1


@pytest.mark.usefixtures("eager")
def test_a_worker_is_called_for_each_workspace_with_something_due(people, mailoutbox):
    tell_all(people.acme.id, some_news())

    assert tenants_with_due(now=NOW) == [people.acme.id]
    assert deliver_notices(sent_by="beat") == 1
    assert addressed(mailoutbox) == ["olga"]
    assert deliver_notices() == 0


def test_max_has_nothing_of_acme_and_cannot_touch_it(people):
    told = tell_one(people.acme.id, user=people.olga)
    client = people.client("max")

    assert "Paper: clock" not in client.get("/notifications/").content.decode()
    assert client.get("/notifications/count/").json() == {"unread": 0}
    assert client.post(f"/notifications/{told.id}/acknowledge/").status_code == 404
    client.post("/notifications/read/")
    with tenant_scope(people.acme.id):
        assert Notification.objects.get().read_at is None


def test_the_inbox_is_read_one_by_one_and_all_at_once(people):
    tell_all(people.acme.id, some_news(), some_news(title="<b>second</b>"), some_news())
    client = people.client("vera")
    page = client.get("/notifications/").content.decode()
    with tenant_scope(people.acme.id):
        first = Notification.objects.filter(user=people.vera).first()

    assert "&lt;b&gt;second" in page
    assert 'aria-label="Notifications, 3 unread"' in page
    assert client.post(f"/notifications/{first.id}/read/", {"open": "1"})["Location"] == "/"
    assert client.get("/notifications/count/").json() == {"unread": 2}
    client.post("/notifications/read/")
    assert client.get("/notifications/count/").json() == {"unread": 0}
    assert "No notification fits" in client.get("/notifications/?unread=1").content.decode()
    assert people.client("tom").get("/notifications/count/").json() == {"unread": 3}


@pytest.mark.parametrize(("persona", "letters"), [("olga", 5), ("vera", 0)])
def test_the_roles_defaults_are_what_the_page_shows(people, persona, letters):
    page = people.client(persona).get("/notifications/settings/").content.decode()
    ticked = re.findall(r'name="(inbox|email)_kinds" value="\w+"[^>]* checked', page)

    assert ticked == ["inbox"] * 7 + ["email"] * letters


def test_settings_are_saved_and_shown_again(people):
    client = people.client("tom")
    given = {
        "inbox_kinds": ["ALERT"], "email_kinds": ["ALERT", "SUMMARY"], "least_severity": "20",
        "time_zone": BERLIN, "quiet_from": "22:00", "quiet_until": "07:00",
    }  # fmt: skip

    assert client.post("/notifications/settings/", given).status_code == 302
    with tenant_scope(people.acme.id):
        kept = choosing.get_wishes(user_id=people.tom.pk)
    assert kept == Wishes(
        frozenset({"ALERT"}), frozenset({"ALERT", "SUMMARY"}), 20, BERLIN, time(22), time(7)
    )
    page = client.get("/notifications/settings/").content.decode()
    assert 'value="22:00"' in page
    refused = client.post("/notifications/settings/", {**given, "time_zone": "Mars"})
    assert "is no time zone" in refused.content.decode()


def test_acts_are_told_from_the_log_once(people, mailoutbox):
    with tenant_scope(people.acme.id):
        operations.issue_key(
            tenant_id=people.acme.id, user=people.tom, label="Bot", scope="read", days=None, now=NOW
        )
        membership = people.membership("vera")
        operations.change_role(
            membership=membership, role=operations.people.Role.TRADER, actor=people.olga, now=NOW
        )
        told = [tell_acts(tenant_id=people.acme.id, now=NOW) for _ in range(2)]
        titles = set(Notice.objects.values_list("title", flat=True))
    deliver(people)

    assert told[1] == 0
    assert "vera@people.example is trader now" in titles
    assert any(title.startswith("API key made: Bot") for title in titles)
    assert {"tom", "vera"} <= set(addressed(mailoutbox))


def test_a_member_who_was_removed_is_told_so(people, mailoutbox):
    with tenant_scope(people.acme.id):
        operations.remove_member(membership=people.membership("tom"), actor=people.olga, now=NOW)
        tell_acts(tenant_id=people.acme.id, now=NOW)
    deliver(people)

    to_tom = {one.subject for one in mailoutbox if one.to == ["tom@people.example"]}
    assert "NovaPulse: tom@people.example left the workspace" in to_tom


def test_who_has_left_gets_no_letter_of_what_is_the_workspaces_own(people, mailoutbox):
    wish(people, "tom", email_kinds=frozenset({Kind.ALERT}))
    tell_all(people.acme.id, some_news())
    with tenant_scope(people.acme.id):
        operations.remove_member(membership=people.membership("tom"), actor=people.olga, now=NOW)
    deliver(people)

    assert addressed(mailoutbox) == ["olga"]
    with tenant_scope(people.acme.id):
        refused = Delivery.objects.get(recipient=f"user:{people.tom.pk}")
        assert (refused.state, refused.reason) == (
            "GIVEN_UP", "no member of the workspace any more",
        )  # fmt: skip


def check(people: People, credential: ExchangeCredential, state: str) -> None:
    with tenant_scope(people.acme.id):
        operations.note_check(
            credential_id=credential.id, version=credential.version, state=state,
            detail="no right to trade", rights=[], now=NOW,
        )  # fmt: skip
        tell_acts(tenant_id=people.acme.id, now=NOW)


def test_a_key_the_venue_refuses_is_critical_until_it_is_good(people, mailoutbox):
    with tenant_scope(people.acme.id):
        account = ExchangeAccount.objects.create(
            tenant=people.acme, venue="simulator", label="Play of Tom"
        )
        credential = operations.seal_key(
            account_id=account.id, key="key-of-play-1234", secret="c2VjcmV0", actor=None, now=NOW
        )
    check(people, credential, "BAD")
    deliver(people)
    with tenant_scope(people.acme.id):
        notice = Notice.objects.get(kind=Kind.KEY)
        assert (notice.severity, notice.over_at) == (CRITICAL, None)
    check(people, credential, "GOOD")

    with tenant_scope(people.acme.id):
        assert Notice.objects.get(kind=Kind.KEY).over_at == NOW
    assert any("refuses a key: key …1234" in letter.subject for letter in mailoutbox)
    assert repeat(people, NOW + REPEAT_EVERY) == 0


def test_old_acts_are_no_news(people):
    with tenant_scope(people.acme.id):
        assert tell_acts(tenant_id=people.acme.id, now=NOW + timedelta(days=2)) == 0
        assert not Notice.objects.exists()


def test_a_key_that_expires_soon_is_told_of_once(people):
    with tenant_scope(people.acme.id):
        operations.issue_key(
            tenant_id=people.acme.id, user=people.olga, label="Bot", scope="read", days=30, now=NOW
        )
        told = [
            tell_expiries(tenant_id=people.acme.id, now=NOW + timedelta(days=days))
            for days in (0, 22, 24, 25, 31)
        ]

    assert told == [0, 0, 1, 0, 0]


def test_the_test_button_says_what_came_of_each_channel(people, mailoutbox):
    page = people.client("olga").post("/notifications/test/").content.decode()

    assert page.count("✓ sent") == 2
    assert [letter.subject for letter in mailoutbox] == ["NovaPulse: A test of your notifications"]
    assert readers(people, "A test of your notifications") == {"olga"}


def test_olga_gives_a_webhook_another_secret_and_takes_it_out_of_use_and_back(people) -> None:
    row, first = keep_hook(people.acme.id, "https://example.com/hook")
    client, path = people.client("olga"), f"/notifications/webhooks/{row.id}"

    page = client.post(f"{path}/rotate/").content.decode()
    shown = page.split('id="new-secret">')[1].split("<")[0]
    off = client.post(f"{path}/disable/", follow=True).content.decode()
    on = client.post(f"{path}/enable/", follow=True).content.decode()

    with tenant_scope(people.acme.id):
        kept = endpoints.get_endpoint(row.id)
        assert endpoints.operations.open_hook_secret(kept) == shown != first
        assert kept.disabled_at is None
    assert shown not in off
    assert ("disabled since" in off, "disabled since" in on) == (True, False)
