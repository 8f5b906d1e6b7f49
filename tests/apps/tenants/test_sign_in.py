"""Signing up, signing in, second factors and forgotten passwords, as a browser would."""

import base64
import hmac
import re
import struct
import time
from io import StringIO
from itertools import pairwise
from types import SimpleNamespace

import pytest
from allauth.account.models import EmailAddress
from allauth.core.internal import ratelimit
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core import mail
from django.core.management import call_command
from django.test import Client

from tenants import queries
from tenants.models import User
from tests.factories import PASSWORD, make_user

NEW = "newcomer@people.example"
PAGES = (
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
    "/accounts/inactive/",
)
OWN_PAGES = (
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/logout/",
    "/accounts/2fa/",
    "/accounts/reauthenticate/",
)


def _code() -> str:
    """The code in the last letter."""
    found = re.search(r"^\s*([A-Z0-9]{3,}(?:-[A-Z0-9]{3,})*)\s*$", str(mail.outbox[-1].body), re.M)
    assert found, mail.outbox[-1].body
    return found[1]


def _sign_up(client: Client, email: str = NEW):
    return client.post(
        "/accounts/signup/", {"email": email, "password1": PASSWORD, "password2": PASSWORD}
    )


def _sign_in(client: Client, email: str, password: str = PASSWORD):
    return client.post("/accounts/login/", {"login": email, "password": password})


def _is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def _totp(secret: str) -> str:
    """RFC 6238, six digits, thirty seconds."""
    key = base64.b32decode(secret)
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30), "sha1")
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


@pytest.fixture
def tom(db) -> User:
    return make_user("tom@people.example")


@pytest.fixture
def tom_with_totp(tom) -> tuple[User, str]:
    client = Client()
    _sign_in(client, tom.email)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = client.get("/accounts/2fa/totp/activate/")
    secret = page.context["form"].secret
    answer = client.post("/accounts/2fa/totp/activate/", {"code": _totp(secret)})
    assert answer.status_code == 302
    return tom, secret


@pytest.mark.parametrize("page", PAGES)
def test_pages_at_the_entrance_are_ours_and_whole(db, page):
    answer = Client().get(page)

    text = answer.content.decode()
    assert answer.status_code == 200
    assert "tabler.min.css" in text
    assert "card-md" in text
    assert re.search(r"<title>\s*\w[^<]*\s· NovaPulse</title>", text)
    assert "Content-Security-Policy" in answer.headers
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|\sstyle=|\son\w+=", text)


@pytest.mark.parametrize("page", OWN_PAGES)
def test_pages_of_an_account_are_ours_and_whole(tom, page):
    client = Client()
    _sign_in(client, tom.email)

    text = client.get(page).content.decode()

    assert "tabler.min.css" in text
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|\sstyle=|\son\w+=", text)


def test_a_newcomer_signs_up_proves_the_address_and_names_a_workspace(db):
    client = Client()

    asked = _sign_up(client)
    letter = mail.outbox[-1]
    proven = client.post("/accounts/confirm-email/", {"code": _code()})
    first = client.get("/", follow=True)

    assert asked["Location"] == "/accounts/confirm-email/"
    assert letter.to == [NEW]
    assert proven.status_code == 302
    assert first.redirect_chain == [("/welcome/", 302)]
    assert _is_signed_in(client)


def test_nobody_is_signed_in_before_the_address_is_proven(db):
    client = Client()

    _sign_up(client)
    for _ in range(5):
        client.post("/accounts/confirm-email/", {"code": "ABC-DEF"})

    assert not _is_signed_in(client)
    assert client.get("/team/").status_code == 302


def test_a_taken_address_is_not_told_at_sign_up(tom):
    new, taken = _sign_up(Client()), _sign_up(Client(), tom.email)

    assert (new.status_code, new["Location"]) == (taken.status_code, taken["Location"])
    assert "already" in str(mail.outbox[-1].body)


def test_an_address_is_one_person_however_it_is_spelt(tom):
    client = Client()

    _sign_in(client, "TOM@People.example")

    assert _is_signed_in(client)
    _sign_up(Client(), "Tom@PEOPLE.example")
    assert User.objects.count() == 1


@pytest.mark.parametrize("password", ["12345678", "password", "short", "newcomer@people"])
def test_a_weak_password_is_refused(db, password):
    answer = Client().post(
        "/accounts/signup/", {"email": NEW, "password1": password, "password2": password}
    )

    assert answer.status_code == 200
    assert not User.objects.exists()


def test_wrong_passwords_are_slowed_down_and_the_right_one_with_them(tom):
    client = Client()

    for _ in range(5):
        assert "not correct" in _sign_in(client, tom.email, "wrong").content.decode()
    answer = _sign_in(client, tom.email)

    assert "Too many failed login attempts" in answer.content.decode()
    assert not _is_signed_in(client)


def test_who_goes_on_guessing_waits_longer_and_longer_but_never_for_good(tom, monkeypatch):
    now, opened = time.time(), list[float]()
    monkeypatch.setattr(
        ratelimit, "time", SimpleNamespace(time=lambda: now, monotonic=time.monotonic)
    )
    began = now
    for number in range(240):  # a guess every other minute of eight hours, each from elsewhere
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        if "not correct" in _sign_in(client, tom.email, "wrong").content.decode():
            opened.append(now)
        now += 120
    pauses = sorted({round((b - a) / 60) for a, b in pairwise(opened)})
    now += 4 * 3600

    assert pauses[0] == 2
    assert max(pauses) > 60
    assert len([at for at in opened if at < began + 3600]) == 10
    assert 30 <= len(opened) <= 42
    assert _sign_in(Client(), tom.email).status_code == 302


def test_a_page_that_is_asked_too_often_says_when_it_answers_again(tom):
    for _ in range(21):
        answer = Client().post("/accounts/password/reset/", {"email": NEW})

    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 900


def test_guesses_for_one_person_do_not_lock_out_another(tom):
    other = make_user("vera@people.example")
    for _ in range(6):
        _sign_in(Client(REMOTE_ADDR="192.0.2.7"), tom.email, "wrong")
    client = Client(REMOTE_ADDR="192.0.2.8")

    _sign_in(client, other.email)

    assert _is_signed_in(client)


def test_a_forwarded_address_is_not_believed_outside_production(tom):
    for number in range(6):
        _sign_in(Client(HTTP_X_FORWARDED_FOR=f"198.51.100.{number}"), tom.email, "wrong")

    assert "Too many" in _sign_in(Client(), tom.email).content.decode()


def test_signing_in_changes_the_session_key(tom):
    client = Client()
    client.get("/accounts/login/")
    session = client.session
    session["kept"] = 1
    session.save()
    before = client.session.session_key

    _sign_in(client, tom.email)

    assert client.session.session_key != before


def test_signing_out_takes_a_click_and_ends_the_session(tom):
    client = Client()
    _sign_in(client, tom.email)

    client.get("/accounts/logout/")
    still = _is_signed_in(client)
    client.post("/accounts/logout/")

    assert (still, _is_signed_in(client)) == (True, False)


def test_with_a_second_factor_the_password_alone_does_not_sign_in(tom_with_totp):
    tom, _ = tom_with_totp
    client = Client()

    asked = _sign_in(client, tom.email)
    alone = _is_signed_in(client)
    client.post("/accounts/2fa/authenticate/", {"code": "000000"})
    guessed = _is_signed_in(client)

    assert asked["Location"] == "/accounts/2fa/authenticate/"
    assert (alone, guessed) == (False, False)


def test_a_recovery_code_signs_in_once(tom_with_totp):
    tom, _ = tom_with_totp
    found = Authenticator.objects.get(user=tom, type=Authenticator.Type.RECOVERY_CODES)
    code = RecoveryCodes(found).get_unused_codes()[0]

    signed_in = []
    for _ in range(2):
        client = Client()
        _sign_in(client, tom.email)
        client.post("/accounts/2fa/authenticate/", {"code": code})
        signed_in.append(_is_signed_in(client))

    assert signed_in == [True, False]


def test_a_code_of_the_app_is_accepted_once(tom_with_totp):
    """ASVS 6.5.1: somebody who read it over a shoulder cannot use it again."""
    tom, secret = tom_with_totp
    first, second = Client(), Client()
    for client in (first, second):
        _sign_in(client, tom.email)

    code = _totp(secret)
    for client in (first, second):
        client.post("/accounts/2fa/authenticate/", {"code": code})

    assert (_is_signed_in(first), _is_signed_in(second)) == (True, False)


def test_a_reset_password_does_not_get_around_the_second_factor(tom_with_totp):
    tom, _ = tom_with_totp
    client = Client()

    client.post("/accounts/password/reset/", {"email": tom.email})
    link = re.search(
        r"http://testserver(/accounts/password/reset/key/\S+)", str(mail.outbox[-1].body)
    )
    assert link
    form = client.get(link[1])
    new = {"password1": "another horse entirely 7", "password2": "another horse entirely 7"}
    client.post(form["Location"], new)
    reset = _is_signed_in(client)
    asked = _sign_in(client, tom.email, "another horse entirely 7")

    assert reset is False
    assert asked["Location"] == "/accounts/2fa/authenticate/"
    assert not _is_signed_in(client)


def test_asking_to_reset_an_unknown_address_tells_nothing(tom):
    known = Client().post("/accounts/password/reset/", {"email": tom.email})
    unknown = Client().post("/accounts/password/reset/", {"email": "nobody@people.example"})

    assert known["Location"] == unknown["Location"]


def test_changing_factors_asks_for_the_password_again(tom):
    client = Client()
    client.force_login(tom)

    answer = client.get("/accounts/2fa/totp/activate/")

    assert answer["Location"].startswith("/accounts/reauthenticate/")


@pytest.mark.parametrize("act", ["action_add", "action_primary", "action_remove"])
def test_an_open_session_alone_moves_no_account_to_another_address(tom, act):
    client = Client()
    client.force_login(tom)
    own = list(EmailAddress.objects.values_list("email", "primary"))
    asked = {act: "", "email": NEW if act == "action_add" else tom.email}

    answer = client.post("/accounts/email/", asked)

    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert list(EmailAddress.objects.values_list("email", "primary")) == own


def test_who_gives_the_password_again_adds_an_address(tom):
    client = Client()
    client.force_login(tom)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    client.post("/accounts/email/", {"action_add": "", "email": NEW})

    assert mail.outbox[-1].to == [NEW]


def test_passkey_pages_work_under_the_strict_policy(tom):
    client = Client()
    _sign_in(client, tom.email)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    page = client.get("/accounts/2fa/webauthn/add/")

    text = page.content.decode()
    assert page.status_code == 200
    assert "webauthn" in text
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)|\sstyle=|\son\w+=", text)


def test_the_first_operator_is_made_on_the_command_line(db, monkeypatch):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)

    call_command(
        "createsuperuser", email="Root@Platform.example", interactive=False, stdout=StringIO()
    )

    root = User.objects.get()
    assert (root.email, root.is_staff, root.is_superuser) == ("root@platform.example", True, True)
    assert root.check_password(PASSWORD)
    assert queries.memberships(user_id=root.pk) == []
