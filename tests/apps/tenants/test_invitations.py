"""Invitations: from the form by the letter's link to a membership, once, and for one address alone."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core import mail
from django.db import connections
from django.test import Client
from django.utils import timezone

from tenants import operations, queries
from tenants.models import AuditEntry, Invitation, Notice, Tenant, User
from tenants.notifications.acts import tell_acts
from tenants.notifications.delivering import deliver_due
from tenants.operations.invitations import MOST_OPEN
from tenants.roles import Role
from tenants.scoping import staff_scope, tenant_scope
from tenants.tasks import expire_invitations
from tests.apps.step_up import step_up
from tests.factories import NOW, PASSWORD, make_tenant, make_user
from tests.pages import free_port

NEW = "newcomer@people.example"
PAGE = "/invitation/"
GONE = "No invitation is open here"
WEEK = timedelta(days=7)
Invite = Callable[..., str]


def rows(people) -> list[Invitation]:
    with tenant_scope(people.acme.id):
        return list(Invitation.objects.order_by("created_at", "id"))


def log(people) -> list[tuple[str, str]]:
    with tenant_scope(people.acme.id):
        entries = AuditEntry.objects.filter(action__startswith="invitation.").order_by("sequence")
        return [(one.action, one.actor_label) for one in entries]


def roles_of(user: User) -> dict[str, str]:
    return {one.slug: one.role for one in queries.memberships(user_id=user.pk)}


def answer(client: Client, people, word: str = "accept"):
    return client.post(PAGE, {"workspace": str(people.acme.id), "answer": word}, follow=True)


def sign_up(client: Client, email: str = NEW):
    given = {"email": email, "password1": PASSWORD, "password2": PASSWORD, "next": PAGE}
    return client.post("/accounts/signup/", given)


def link_of(letter) -> str:
    found = re.search(r"http://testserver(/invitation/[\w-]+/)", str(letter.body))
    assert found, letter.body
    return found[1]


@pytest.fixture
def invite(people, mailoutbox, redis_url, django_capture_on_commit_callbacks) -> Invite:
    """Olga fills in the form; the link of the letter it sends."""

    def by_form(email: str = NEW, role: str = "VIEWER") -> str:
        before = len(mailoutbox)
        with django_capture_on_commit_callbacks(execute=True):
            page = people.client("olga").post("/team/", {"email": email, "role": role})
        assert page.status_code == 302, page.content.decode()
        (letter,) = mailoutbox[before:]
        assert letter.to == [email.lower()]
        return link_of(letter)

    return by_form


def test_a_newcomer_comes_by_the_link_signs_up_and_is_in(people, invite, mailoutbox):
    link, browser = invite(), Client()

    offered = browser.get(link, follow=True)
    signed_up = sign_up(browser)
    asked = browser.get(PAGE).content.decode()
    inside = answer(browser, people)

    assert offered.redirect_chain == [(PAGE, 302)]  # the token is not in the address line
    assert f"/accounts/signup/?next={PAGE}" in offered.content.decode()
    assert signed_up.url == PAGE  # the link proved the address: no code is asked for
    assert len(mailoutbox) == 1
    assert "Acme invites you as viewer" in asked
    assert inside.redirect_chain == [("/", 302)]
    newcomer = User.objects.get(email=NEW)
    assert roles_of(newcomer) == {"acme": "VIEWER"}
    assert log(people) == [("invitation.send", people.olga.email), ("invitation.accept", NEW)]
    assert browser.get("/team/").status_code == 200


def test_who_has_an_account_signs_in_and_accepts(people, invite):
    link, browser = invite("NINA@people.example", "TRADER"), Client()

    offered = browser.get(link, follow=True).content.decode()
    signed_in = browser.post(
        "/accounts/login/", {"login": people.nina.email, "password": PASSWORD, "next": PAGE}
    )
    answer(browser, people)

    assert f"/accounts/login/?next={PAGE}" in offered
    assert signed_in["Location"] == PAGE
    assert roles_of(people.nina) == {"acme": "TRADER"}


def test_a_second_proven_address_is_ones_own_too(people, invite):
    people.nina.emailaddress_set.create(email="n@other.example", verified=True, primary=False)
    people.nina.emailaddress_set.create(email="not@mine.example", verified=False, primary=False)
    browser = people.client("nina")

    browser.get(invite("not@mine.example"))
    answer(browser, people)
    refused = roles_of(people.nina)
    browser.get(invite("n@other.example"))
    answer(browser, people)

    assert (refused, roles_of(people.nina)) == ({}, {"acme": "VIEWER"})


def test_a_link_is_for_one_address_alone(people, invite):
    link, browser = invite(people.nina.email), people.client("max")

    page = browser.get(link, follow=True).content.decode()
    refused = answer(browser, people).content.decode()

    assert "is for nina@people.example; you are signed in as max@people.example" in page
    assert "Accept and join" not in page
    assert "is for nina@people.example, you are max@people.example" in refused
    assert roles_of(people.max) == {"others": "OWNER"}
    assert rows(people)[0].state == "OPEN"


def test_the_link_proves_no_other_address(people, invite):
    browser = Client()
    browser.get(invite())

    asked = sign_up(browser, "somebody@else.example")

    assert asked.url == "/accounts/confirm-email/"
    assert "_auth_user_id" not in browser.session


def test_a_link_taken_back_proves_nothing(people, invite):
    browser = Client()
    browser.get(invite())
    people.client("olga").post(f"/team/invitations/{rows(people)[0].pk}/revoke/")

    asked = sign_up(browser)

    assert asked.url == "/accounts/confirm-email/"
    assert GONE in browser.get(PAGE).content.decode()
    assert log(people)[-1] == ("invitation.revoke", people.olga.email)


def test_the_token_is_long_and_kept_as_its_hash_only(people, invite):
    token = invite().split("/")[2]

    (row,) = rows(people)
    kept = [str(getattr(row, field.attname)) for field in row._meta.concrete_fields]
    with tenant_scope(people.acme.id):
        told = [f"{one.subject} {one.before} {one.after}" for one in AuditEntry.objects.all()]

    assert len(token) >= 22  # 128 bits of base64
    assert row.digest == operations.digest_of(token)
    assert not [text for text in [*kept, *told] if token in text]


def test_a_link_is_used_once(people, invite):
    link, browser = invite(people.nina.email), people.client("nina")
    browser.get(link)
    answer(browser, people)
    with tenant_scope(people.acme.id):
        operations.remove_member(membership=people.membership("nina"), actor=None, now=NOW)

    again = browser.get(link, follow=True).content.decode()
    answer(browser, people)

    assert GONE in again
    assert roles_of(people.nina) == {}


def test_a_letter_sent_again_ends_the_first_link(
    people, invite, mailoutbox, django_capture_on_commit_callbacks
):
    first, browser = invite(people.nina.email), people.client("nina")
    browser.get(first)
    (row,) = rows(people)

    with django_capture_on_commit_callbacks(execute=True):
        people.client("olga").post(f"/team/invitations/{row.pk}/renew/")

    answer(browser, people)
    old = (GONE in browser.get(first, follow=True).content.decode(), roles_of(people.nina))
    browser.get(link_of(mailoutbox[-1]))
    answer(browser, people)
    assert old == (True, {})
    assert roles_of(people.nina) == {"acme": "VIEWER"}
    assert [action for action, _ in log(people)][1] == "invitation.renew"


def test_an_invitation_nobody_took_up_ends(people):
    fresh = people.invite(NEW)[1]
    token = people.invite(people.nina.email, now=timezone.now() - WEEK)[1]
    browser = people.client("nina")

    page = browser.get(f"{PAGE}{token}/", follow=True).content.decode()
    ended = [expire_invitations(sent_by="beat") for _ in range(2)]

    assert GONE in page
    assert ended == [1, 0]
    assert {row.email: row.state for row in rows(people)} == {
        people.nina.email: "EXPIRED", NEW: "OPEN",
    }  # fmt: skip
    assert log(people)[-1] == ("invitation.expire", "system")
    now = timezone.now()
    assert queries.find_invitation(digest=operations.digest_of(fresh), now=now) is not None
    with tenant_scope(people.acme.id):
        assert operations.expire_invitations(now=now + WEEK) == 1


@pytest.mark.parametrize("change", ["removed", "demoted", "deactivated"])
def test_an_invitation_falls_with_the_right_to_invite(people, invite, change):
    link, browser = invite(people.nina.email), people.client("nina")
    browser.get(link)
    with tenant_scope(people.acme.id):
        vera, olga = people.membership("vera"), people.membership("olga")
        operations.change_role(membership=vera, role=Role.OWNER, actor=None, now=NOW)
        match change:
            case "removed":
                operations.remove_member(membership=olga, actor=None, now=NOW)
            case "demoted":
                operations.change_role(membership=olga, role=Role.TRADER, actor=None, now=NOW)
            case "deactivated":
                User.objects.filter(pk=people.olga.pk).update(is_active=False)

    page = answer(browser, people).content.decode()

    assert GONE in page
    assert roles_of(people.nina) == {}


def test_declining_settles_it_and_the_inviter_is_told_of_both_answers(people, invite, mailoutbox):
    declining, accepting = people.client("nina"), Client()
    declining.get(invite(people.nina.email))
    accepting.get(invite())

    said = answer(declining, people, "decline").content.decode()
    sign_up(accepting)
    answer(accepting, people)
    mailoutbox.clear()
    with tenant_scope(people.acme.id):
        tell_acts(tenant_id=people.acme.id, now=timezone.now())
        titles = set(Notice.objects.values_list("title", flat=True))
    deliver_due(tenant_id=people.acme.id, clock=timezone.now)

    assert "You declined to join Acme" in said
    assert roles_of(people.nina) == {}
    assert rows(people)[0].state == "DECLINED"
    assert {
        "nina@people.example is invited as viewer",
        "nina@people.example declined the invitation as viewer",
        f"{NEW} joined as viewer",
    } <= titles
    assert {tuple(letter.to) for letter in mailoutbox} == {(people.olga.email,)}


def test_the_form_does_not_tell_who_has_an_account(
    people, redis_url, mailoutbox, django_capture_on_commit_callbacks
):
    pages = []

    for email in (people.max.email, people.nina.email, "nobody@people.example"):
        client = people.client("olga")
        with django_capture_on_commit_callbacks(execute=True):
            page = client.post("/team/", {"email": email, "role": "VIEWER"}, follow=True)
        text = re.sub(r'value="\w{64}"|<td\b.*?</td>', "", page.content.decode(), flags=re.S)
        pages.append((page.redirect_chain, text.replace(email, "them")))
        mailoutbox[-1].body = str(mailoutbox[-1].body).replace(email, "them")
        with tenant_scope(people.acme.id):
            Invitation.objects.all().delete()

    assert pages[0] == pages[1] == pages[2]
    letters = {re.sub(r"/invitation/\S+|\d\d:\d\d", "", str(one.body)) for one in mailoutbox}
    assert len(letters) == 1


@pytest.mark.parametrize(
    ("email", "role", "words"),
    [
        ("tom@people.example", "VIEWER", "is a member of this workspace already"),
        ("no address", "VIEWER", "valid email"),
        ("a@b.example", "ADMIN", "ADMIN is not one of the available choices"),
    ],
)
def test_who_cannot_be_invited_is_told_why(people, redis_url, email, role, words):
    page = people.client("olga").post("/team/", {"email": email, "role": role})

    assert words in page.content.decode()
    assert rows(people) == []


def test_an_address_is_invited_once_at_a_time(people, invite):
    invite(NEW)

    page = people.client("olga").post("/team/", {"email": NEW.upper(), "role": "TRADER"})

    assert f"{NEW} is invited already" in page.content.decode()
    assert [row.role for row in rows(people)] == ["VIEWER"]


def test_a_late_invitation_does_not_stand_in_the_way_of_a_new_one(people, invite):
    people.invite(NEW, now=timezone.now() - WEEK)

    invite(NEW)

    assert [row.state for row in rows(people)] == ["EXPIRED", "OPEN"]


def test_so_many_are_open_and_no_more(people):
    for number in range(MOST_OPEN):
        people.invite(f"p{number}@people.example")

    with pytest.raises(operations.InvitationRefused, match="At most 50"):
        people.invite(NEW)


@pytest.mark.parametrize("name", ["tom", "vera", "max"])
def test_who_may_not_manage_invites_nobody_past_the_form_either(people, name):
    with (
        tenant_scope(people.acme.id),
        pytest.raises(operations.InvitationRefused, match="may invite nobody as viewer"),
    ):
        operations.invite_person(
            tenant_id=people.acme.id, email=NEW, role=Role.VIEWER,
            actor=getattr(people, name), lasts=WEEK, now=NOW,
        )  # fmt: skip


def test_an_owner_is_invited_after_the_second_factor_only(people, redis_url):
    client, asked = people.client("olga"), {"email": NEW, "role": "OWNER"}

    before = client.post("/team/", asked)
    step_up(client, people.olga)
    client.post("/team/", asked)

    assert before.url == "/accounts/2fa/"
    assert [row.role for row in rows(people)] == ["OWNER"]


def test_letters_are_slowed_down(people, redis_url):
    client = people.client("olga")
    invitation = people.invite(NEW)[0]

    for number in range(20):
        client.post("/team/", {"email": f"p{number}@people.example", "role": "VIEWER"})
    page = client.post("/team/", {"email": "last@people.example", "role": "VIEWER"})
    renewed = client.post(f"/team/invitations/{invitation.pk}/renew/", follow=True)

    assert len(rows(people)) == 21
    assert "At most 20 letters an hour" in page.content.decode()
    assert "At most 20 letters an hour" in renewed.content.decode()
    assert rows(people)[0].digest == invitation.digest


def test_guessing_links_is_slowed_down(db, redis_url):
    browser = Client()

    answers = [browser.get(f"{PAGE}guess{number}/") for number in range(21)]

    assert [one.status_code for one in answers] == [302] * 20 + [429]
    assert 0 < int(answers[-1]["Retry-After"]) <= 5


def test_a_letter_nobody_took_is_told_and_sent_again(
    people, redis_url, settings, mailoutbox, django_capture_on_commit_callbacks
):
    client, memory = people.client("olga"), settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()

    with django_capture_on_commit_callbacks(execute=True):
        client.post("/team/", {"email": NEW, "role": "VIEWER"})
    told = client.get("/team/").content.decode()
    settings.EMAIL_BACKEND = memory
    with django_capture_on_commit_callbacks(execute=True):
        client.post(f"/team/invitations/{rows(people)[0].pk}/renew/")

    assert "the mail server did not take it" in told
    assert "did not take it" not in client.get("/team/").content.decode()
    assert link_of(mail.outbox[-1])


def test_a_letter_says_what_it_says_whatever_the_workspace_is_called(
    people, redis_url, settings, mailoutbox, django_capture_on_commit_callbacks
):
    settings.PUBLIC_URL = "https://np.example"
    with staff_scope():
        Tenant.objects.filter(id=people.acme.id).update(name="Acme\nBcc: a@b.example <b>x</b>")

    with django_capture_on_commit_callbacks(execute=True):
        people.client("olga").post("/team/", {"email": NEW, "role": "TRADER"})

    (letter,) = mailoutbox
    page, _ = letter.alternatives[0]
    assert letter.subject == "NovaPulse: an invitation to Acme Bcc: a@b.example <b>x</b>"
    assert letter.recipients() == [NEW]
    assert "olga@people.example invites you" in letter.body
    assert "as trader: sees; pauses, resumes, closes positions" in letter.body
    assert re.search(r"^https://np\.example/invitation/[\w-]{43}/$", letter.body, re.M)
    assert "&lt;b&gt;x" in page
    assert "<b>x" not in page


def test_the_list_is_for_owners(people, invite):
    invite(NEW)

    seen = {name: NEW in people.client(name).get("/team/").content.decode()
            for name in ("olga", "tom", "vera", "max")}  # fmt: skip

    assert seen == {"olga": True, "tom": False, "vera": False, "max": False}


def test_a_suspended_workspace_is_joined_by_nobody_and_may_be_declined(people, invite):
    browser = people.client("nina")
    browser.get(invite(people.nina.email))
    with tenant_scope(people.acme.id):
        operations.change_standing(
            tenant_id=people.acme.id, status="SUSPENDED", reason="a test", actor=None, now=NOW
        )

    page = answer(browser, people).content.decode()
    joined = roles_of(people.nina)
    answer(browser, people, "decline")

    assert "Nobody can join now: the workspace is suspended: a test" in page
    assert (joined, rows(people)[0].state) == ({}, "DECLINED")


def test_an_answer_is_to_what_was_shown(people, invite):
    """Two letters, one browser: the form of the first does not settle the second."""
    second = make_tenant("second", owner=make_user("sam@people.example"))
    browser = people.client("nina")
    browser.get(invite(people.nina.email))
    with tenant_scope(second.id):
        sam = User.objects.get(email="sam@people.example")
        token = operations.invite_person(
            tenant_id=second.id, email=people.nina.email, role=Role.OWNER,
            actor=sam, lasts=WEEK, now=timezone.now(),
        )[1]  # fmt: skip
    browser.get(f"{PAGE}{token}/")

    page = answer(browser, people).content.decode()

    assert "Second invites you as owner" in page
    assert roles_of(people.nina) == {}


def test_who_joined_meanwhile_keeps_their_role(people, invite):
    browser = people.client("nina")
    browser.get(invite(people.nina.email))
    with tenant_scope(people.acme.id):
        operations.add_member(
            tenant_id=people.acme.id, user=people.nina, role=Role.TRADER, actor=None, now=NOW
        )

    page = answer(browser, people).content.decode()

    assert "You are a member of this workspace already" in page
    assert roles_of(people.nina) == {"acme": "TRADER"}


def test_of_two_answers_at_the_same_moment_one_counts(fresh_database):
    olga, nina = make_user("olga@acme.example"), make_user("nina@acme.example")
    acme = make_tenant("acme", owner=olga)
    with tenant_scope(acme.id):
        _, token = operations.invite_person(
            tenant_id=acme.id, email=nina.email, role=Role.VIEWER, actor=olga, lasts=WEEK, now=NOW
        )
    told: list[str] = []
    together = threading.Barrier(2)

    def say(act) -> None:
        try:
            with tenant_scope(acme.id):
                together.wait(20)
                act(digest=operations.digest_of(token), user=nina, now=NOW)
            told.append(act.__name__)
        except operations.InvitationGone:
            told.append("gone")
        finally:
            connections.close_all()

    both = [threading.Thread(target=say, args=(act,))
            for act in (operations.accept_invitation, operations.decline_invitation)]  # fmt: skip
    for one in both:
        one.start()
    for one in both:
        one.join(20)

    assert told.count("gone") == 1
    assert bool(roles_of(nina)) == ("accept_invitation" in told)
