"""What an attacker tries from outside, at every door the addresses name: each has to fail."""

import re
import time
import uuid

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve

from tenants.api import throttling
from tests.apps.step_up import SECRET, give_second_factor
from tests.factories import PASSWORD, make_user

ELSEWHERE = (
    "https://evil.example/", "//evil.example/", "///evil.example", "/\\evil.example",
    "\\\\evil.example", "http:evil.example", "javascript:alert(1)", "\thttps://evil.example",
    "https://testserver@evil.example/", "https://evil.example\\@testserver/",
)  # fmt: skip
FILLED = {"uuid": str(uuid.UUID(int=7)), "int": "7", "slug": "fills", "str": "x", "path": "x"}
OURS = ("tenants", "trading", "allauth")


def doors() -> dict[str, str]:
    """Every address of ours and of sign-in, by its name; with marks filled in."""
    found: dict[str, str] = {}

    def walk(patterns: list[URLPattern | URLResolver], before: str) -> None:
        for one in patterns:
            here = before + str(one.pattern)
            if isinstance(one, URLResolver):
                walk(one.url_patterns, here)
            elif one.callback.__module__.split(".")[0] in OURS and "^" not in here:
                found[str(one.name)] = "/" + re.sub(r"<(\w+):\w+>", lambda m: FILLED[m[1]], here)

    walk(get_resolver().url_patterns, "")
    return found


DOORS = doors()
PROGRAMS = {name: path for name, path in DOORS.items() if path.startswith("/api/")}
PAGES = {name: path for name, path in DOORS.items() if name not in PROGRAMS}


@pytest.fixture(autouse=True)
def fresh_limits(redis_url, monkeypatch):
    """A code counts once, and tries are counted: not those of another test."""
    cache.clear()
    monkeypatch.setattr(throttling.Bucket, "take", lambda *_, **__: 0.0)


def test_no_page_and_no_sign_in_takes_a_post_from_another_site(people):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.olga)

    taken = {name for name, path in PAGES.items() if browser.post(path).status_code != 403}

    assert taken == set()
    assert len(PAGES) > 80


def test_no_change_through_the_api_is_taken_from_another_site(people):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(people.olga)
    changes = [
        (path, method)
        for path in PROGRAMS.values()
        for method in getattr(resolve(path).func, "needs", {})
        if method != "GET"
    ]

    for path, method in changes:
        json = browser.generic(method, path, "{}", content_type="application/json")
        form = browser.generic(method, path, "{}", content_type="text/plain")
        assert json.status_code == 403, (path, method)
        assert form.status_code in (403, 415), (path, method)
    assert len(changes) > 40


@pytest.mark.parametrize("who", ["anonymous", "olga"])
def test_every_answer_says_what_a_browser_may_do_with_it(people, who):
    browser = people.client(who)
    for name, path in DOORS.items():
        answer = browser.get(path)
        told = (name, answer.status_code, dict(answer.items()))
        policy = answer.get("Content-Security-Policy", "")
        for part in ("default-src 'self'", "script-src 'self'", "frame-ancestors 'none'",
                     "form-action 'self'", "base-uri 'self'", "object-src 'none'"):  # fmt: skip
            assert part in policy, told
        assert "unsafe" not in policy, told
        assert answer["X-Frame-Options"] == "DENY", told
        assert answer["X-Content-Type-Options"] == "nosniff", told
        assert answer["Referrer-Policy"] == "same-origin", told
        assert "Access-Control-Allow-Origin" not in answer, told
        if who == "olga":
            assert "no-store" in answer["Cache-Control"], told


@pytest.mark.parametrize("where", ELSEWHERE)
def test_nobody_is_sent_elsewhere_after_signing_in_or_out(people, where):
    make_user("sent@people.example")
    browser = Client()

    entered = browser.post(
        "/accounts/login/", {"login": "sent@people.example", "password": PASSWORD, "next": where}
    )
    again = browser.get("/accounts/login/", {"next": where})
    left = browser.post("/accounts/logout/", {"next": where})

    assert [one.status_code for one in (entered, again, left)] == [302, 302, 302]
    for answer in (entered, again, left):
        assert re.fullmatch(r"/(accounts/login/)?", answer["Location"]), answer["Location"]


def test_nobody_is_sent_elsewhere_by_the_second_factor(people):
    browser = people.client("olga")
    give_second_factor(people.olga)
    for where in ELSEWHERE:
        for _ in range(2):  # its thirty seconds may end between typing and reading
            cache.clear()
            answer = browser.post("/accounts/2fa/reauthenticate/", {"code": code(), "next": where})
            if answer.status_code == 302:
                break
        assert (answer.status_code, answer["Location"]) == (302, "/"), where


def code() -> str:
    return totp.format_hotp_value(totp.hotp_value(SECRET, int(time.time()) // 30))


def test_a_code_that_was_seen_opens_no_second_session_and_no_step_up(people):
    give_second_factor(people.olga)
    seen, first, second = code(), Client(), Client()
    for browser in (first, second):
        given = {"login": people.olga.email, "password": PASSWORD}
        assert browser.post("/accounts/login/", given)["Location"] == "/accounts/2fa/authenticate/"

    opened = first.post("/accounts/2fa/authenticate/", {"code": seen})
    replayed = second.post("/accounts/2fa/authenticate/", {"code": seen})
    stepped_up = first.post("/accounts/2fa/reauthenticate/", {"code": seen})

    assert opened.status_code == 302
    assert "_auth_user_id" in first.session
    assert (replayed.status_code, stepped_up.status_code) == (200, 200)
    assert "_auth_user_id" not in second.session


CHANGES_OF_FACTORS = (
    "totp/deactivate/", "webauthn/add/", "recovery-codes/generate/", "recovery-codes/",
)  # fmt: skip


@pytest.mark.parametrize("change", CHANGES_OF_FACTORS)
def test_a_session_and_the_password_touch_no_second_factor(people, change):
    give_second_factor(people.olga)
    RecoveryCodes.activate(people.olga)
    stolen = people.client("olga")
    factors = list(Authenticator.objects.values_list("id", "data"))

    by_password = stolen.post("/accounts/reauthenticate/", {"password": PASSWORD})
    answers = [stolen.get(f"/accounts/2fa/{change}"), stolen.post(f"/accounts/2fa/{change}")]

    assert by_password["Location"] == "/accounts/2fa/reauthenticate/"
    assert {one.status_code for one in answers} <= {302, 405}
    assert answers[0]["Location"].startswith("/accounts/2fa/reauthenticate/")
    assert list(Authenticator.objects.values_list("id", "data")) == factors


def test_the_second_factor_or_a_recovery_code_takes_a_second_factor_away(people):
    give_second_factor(people.olga)
    kept = RecoveryCodes.activate(people.olga)
    browser = people.client("olga")

    browser.post("/accounts/2fa/reauthenticate/", {"code": kept.get_unused_codes()[0]})
    browser.post("/accounts/2fa/totp/deactivate/")

    assert not Authenticator.objects.filter(type=Authenticator.Type.TOTP).exists()


def test_a_session_that_somebody_else_chose_is_nobodys_after_sign_in(people):
    browser = Client()
    browser.cookies["sessionid"] = "chosen0by0somebody0else0abcdefgh"
    browser.get("/accounts/login/")

    browser.post("/accounts/login/", {"login": people.vera.email, "password": PASSWORD})
    mine = browser.cookies["sessionid"].value
    browser.post("/accounts/logout/")
    browser.cookies["sessionid"] = mine  # and what was mine is nobody's after sign-out

    assert mine != "chosen0by0somebody0else0abcdefgh"
    assert browser.get("/team/").status_code == 302


@pytest.mark.parametrize("host", ["evil.example", "testserver.evil.example", "evil.example:80"])
@pytest.mark.parametrize("path", ["/accounts/password/reset/", "/mailbox/", "/api/v1/health"])
def test_a_request_for_another_host_is_none(people, path, host):
    answer = Client(headers={"Host": host, "X-Forwarded-Host": "testserver"}).get(path)

    assert answer.status_code == 400
    assert host not in answer.content.decode()


def test_a_forwarded_host_is_in_no_letter(people, mailoutbox):
    sender = Client(headers={"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"})

    sender.post("/accounts/password/reset/", {"email": people.vera.email})

    assert "http://testserver/" in mailoutbox[-1].body
    assert "evil" not in mailoutbox[-1].body


class CountingHasher(MD5PasswordHasher):
    """Says how often the slow part of a sign-up was done."""

    algorithm = "counting"
    done = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).done += 1
        return super().encode(password, salt)


def test_a_sign_up_and_a_sign_in_take_as_long_and_say_as_much_of_an_account_as_of_none(
    people, settings, mailoutbox
):
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    make_user("known@people.example")
    told: dict[str, list[object]] = {"/accounts/signup/": [], "/accounts/login/": []}
    for email in ("known@people.example", "none@people.example"):
        for path, seen in told.items():
            CountingHasher.done, browser = 0, Client()
            answer = browser.post(
                path,
                {"email": email, "login": email, "password": "wrong" + PASSWORD,
                 "password1": PASSWORD, "password2": PASSWORD},
            )  # fmt: skip
            page = browser.get(answer["Location"]) if answer.status_code == 302 else answer
            text = re.sub(r'value="[^"]{64}"', "", page.content.decode()).replace(email, "")
            seen.append((answer.status_code, answer.get("Location"), text, CountingHasher.done))
        assert mailoutbox[-1].to == [email]

    for known, none in told.values():
        assert known == none
        assert known[-1] > 0
