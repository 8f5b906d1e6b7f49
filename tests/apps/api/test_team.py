"""Members, invitations and keys by API: what pages do, and what no key may."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tenants.models import ApiKey, AuditEntry, Invitation, Membership, StoredAnswer
from tenants.scoping import tenant_scope
from tests.apps.api.conftest import issue, post, program, role_of
from tests.apps.step_up import step_up
from tests.apps.trading.conftest import signed_in
from tests.factories import make_user

WHO = {"email": "New@Example.org", "role": "TRADER"}


@pytest.fixture
def olga(as_caller):
    return as_caller("olga-admin")


@pytest.fixture
def invited(olga, mailoutbox, boundless, django_capture_on_commit_callbacks):
    """An invitation by letter: (what was answered, the token of the letter)."""
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(olga, "/team/invitations", WHO)
    return answer, token_in(mailoutbox[-1])


def token_in(letter) -> str:
    return re.search(r"/invitation/([\w-]+)/", letter.body)[1]


def kept_invitation(people) -> Invitation:
    with tenant_scope(people.engine.tenant_id):
        return Invitation.objects.get()


def act(client, method: str, path: str, body=None, **headers: str):
    return getattr(client, method)(
        f"/api/v1{path}", body or {}, content_type="application/json", headers=headers
    )


def test_an_invitation_goes_by_letter_and_its_token_nowhere_else(people, invited, mailoutbox):
    answer, token = invited

    told = answer.json()
    assert (answer.status_code, told["email"], told["role"]) == (201, "new@example.org", "TRADER")
    assert (told["state"], told["invited_by"]) == ("OPEN", "olga@example.com")
    assert mailoutbox[-1].to == ["new@example.org"]
    assert token not in answer.content.decode()
    kept = kept_invitation(people)
    assert (str(kept.id), kept.sent_at is None) == (told["invitation"], False)


def test_what_is_listed_is_open(olga, invited):
    (told,) = olga.get("/api/v1/team/invitations").json()["items"]

    gone = act(olga, "delete", f"/team/invitations/{told['invitation']}")
    again = act(olga, "delete", f"/team/invitations/{told['invitation']}")

    assert (gone.status_code, gone.json()["state"], again.status_code) == (200, "REVOKED", 404)
    assert olga.get("/api/v1/team/invitations").json()["items"] == []


def test_a_letter_sent_again_has_the_only_link_that_opens(
    people, olga, invited, mailoutbox, client, django_capture_on_commit_callbacks
):
    answer, first = invited
    path = f"/team/invitations/{answer.json()['invitation']}/renew"
    with django_capture_on_commit_callbacks(execute=True):
        renewed = post(olga, path)

    second = token_in(mailoutbox[-1])
    assert (renewed.status_code, first == second) == (200, False)
    for token, opens in ((first, False), (second, True)):
        page = client.get(f"/invitation/{token}/", follow=True).content.decode()
        assert ("new@example.org" in page) is opens


def test_the_same_request_writes_one_letter(olga, mailoutbox, boundless, django_capture_on_commit_callbacks):  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):
        told = [
            post(olga, "/team/invitations", WHO, **{"Idempotency-Key": "one"}) for _ in range(2)
        ]

    assert [one.status_code for one in told] == [201, 201]
    assert told[0].json() == told[1].json()
    assert len(mailoutbox) == 1


def test_who_is_invited_or_a_member_already_is_not_invited_again(olga, invited):
    for email in ("new@example.org", "tom@example.com"):
        answer = post(olga, "/team/invitations", {**WHO, "email": email})

        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "email"


def test_letters_are_counted_with_those_of_the_page(people, as_caller, redis_url):
    olga = as_caller("olga-admin")
    codes = [
        post(olga, "/team/invitations", {**WHO, "email": f"n{k}@example.org"}) for k in range(21)
    ]

    assert {one.status_code for one in codes[:20]} == {201}
    assert (codes[20].status_code, int(codes[20]["Retry-After"]) > 0) == (429, True)
    page = signed_in(people.olga).post("/team/", {"email": "x@example.org", "role": "VIEWER"})
    assert "letters an hour" in page.content.decode()


def test_members_are_told_to_everybody_and_changed_by_owners(people, as_caller, olga):
    told = as_caller("vera-read").get("/api/v1/team/members").json()["items"]
    vera = role_of(people, "vera").id

    changed = act(olga, "patch", f"/team/members/{vera}", {"role": "TRADER"})
    gone = act(olga, "delete", f"/team/members/{vera}")

    assert [one["role"] for one in told] == ["OWNER", "TRADER", "VIEWER"]
    assert [one["role"] for one in changed.json()["items"]] == ["OWNER", "TRADER", "TRADER"]
    assert [one["email"] for one in gone.json()["items"]] == ["olga@example.com", "tom@example.com"]
    with tenant_scope(people.engine.tenant_id):
        acts = AuditEntry.objects.filter(action__startswith="member.").order_by("sequence")
        assert [one.action for one in acts][-2:] == ["member.role", "member.remove"]


def test_a_workspace_keeps_an_owner(people, olga):
    own = role_of(people, "olga").id

    demoted = act(olga, "patch", f"/team/members/{own}", {"role": "VIEWER"})
    removed = act(olga, "delete", f"/team/members/{own}")

    assert (demoted.status_code, removed.status_code) == (409, 409)
    assert role_of(people, "olga").role == "OWNER"


OWNERS = (
    ("post", "/team/invitations", {**WHO, "role": "OWNER"}),
    ("patch", "/team/members/{tom}", {"role": "OWNER"}),
    ("post", "/keys", {"label": "Twin", "scope": "admin"}),
)


@pytest.mark.parametrize(("method", "path", "body"), OWNERS)
def test_no_key_makes_an_equal_and_a_person_does_with_a_second_factor(
    people, olga, boundless, method, path, body
):
    path = path.format(tom=role_of(people, "tom").id)
    session = signed_in(people.olga)

    by_key, by_password = act(olga, method, path, body), act(session, method, path, body)
    step_up(session, people.olga)
    by_second_factor = act(session, method, path, body)

    assert (by_key.status_code, by_password.status_code) == (403, 403)
    assert "No key can do this" in by_key.json()["detail"]
    assert "second factor" in by_password.json()["detail"]
    assert by_second_factor.status_code in (200, 201)


def test_a_key_is_shown_once_opens_and_is_revoked(olga):
    made = post(olga, "/keys", {"label": "Watchdog", "days": 7}, **{"Idempotency-Key": "one"})
    again = post(olga, "/keys", {"label": "Watchdog", "days": 7}, **{"Idempotency-Key": "one"})

    told = made.json()
    assert (made.status_code, told["scope"], told["secret"][:9]) == (201, "read", told["hint"])
    assert again.json() == {**told, "secret": None}
    assert again["Idempotent-Replayed"] == "true"
    watchdog = program(told["secret"])
    assert watchdog.get("/api/v1/status").status_code == 200
    assert told["secret"] not in olga.get("/api/v1/keys").content.decode()
    assert act(olga, "delete", f"/keys/{told['api_key']}").json()["revoked_at"]
    assert watchdog.get("/api/v1/status").status_code == 401
    assert act(olga, "delete", f"/keys/{told['api_key']}").status_code == 404


def test_the_key_itself_is_kept_nowhere(people, olga):
    made = post(olga, "/keys", {"label": "Watchdog"}, **{"Idempotency-Key": "one"}).json()

    with tenant_scope(people.engine.tenant_id):
        stored = StoredAnswer.objects.get().body
        assert stored["api_key"] == made["api_key"]
        assert made["secret"] not in str(stored)
        assert not ApiKey.objects.filter(digest=made["secret"]).exists()


def test_a_key_hands_on_no_more_time_than_it_has(people):
    asking, secret = issue(people, "olga", "admin", days=30, now=timezone.now())
    program_of_hers = program(secret)

    longer = post(program_of_hers, "/keys", {"label": "Longer", "days": 31})
    as_long = post(program_of_hers, "/keys", {"label": "As long"})
    shorter = post(program_of_hers, "/keys", {"label": "Shorter", "days": 1})

    assert (longer.status_code, longer.json()["errors"][0]["field"]) == (400, "days")
    assert as_long.json()["expires_at_ms"] == round(asking.expires_at.timestamp() * 1000)
    assert shorter.status_code == 201
    with tenant_scope(people.engine.tenant_id):
        latest = ApiKey.objects.order_by("expires_at").last()
        assert latest.expires_at <= asking.expires_at < timezone.now() + timedelta(days=30)


def test_the_accepted_is_a_member_as_invited(people, olga, invited, client):
    _, token = invited
    nina = make_user("new@example.org")
    browser = signed_in(nina)
    browser.get(f"/invitation/{token}/")
    browser.post("/invitation/", {"workspace": str(people.engine.tenant_id), "answer": "accept"})

    with tenant_scope(people.engine.tenant_id):
        assert Membership.objects.get(user=nina).role == "TRADER"
    assert [m["email"] for m in olga.get("/api/v1/team/members").json()["items"]][-1] == nina.email
