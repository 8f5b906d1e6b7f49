"""What the account's pages and letters say: in the house's spelling, and by whom in names people know."""

import gettext
import re
from pathlib import Path

import allauth
import pytest
from django.conf import settings
from django.core import mail
from django.template.loader import render_to_string
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tenants.notifications.browsers import BROWSERS, LONGEST, SYSTEMS, name_browser
from tests.factories import PASSWORD, make_user

ALLAUTH = Path(allauth.__file__).parent
(LOCALE,) = settings.LOCALE_PATHS
CATALOGUE = LOCALE / "en" / "LC_MESSAGES" / "django.po"
SUBJECTS = sorted(
    f"{app}/email/{path.name}"
    for app in ("account", "mfa")
    for path in (ALLAUTH / "templates" / app / "email").glob("*_subject.txt")
)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
APPLE = "AppleWebKit/537.36 (KHTML, like Gecko)"


def our_words() -> dict[str, str]:
    """The catalogue as people read it."""
    found = re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', CATALOGUE.read_text(), re.M)
    return dict(found)


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_letter_begins_one_word_large(name: str) -> None:
    _, *others = render_to_string(name).split()

    assert [word for word in others if word != word.lower()] == []


def test_the_catalogue_in_use_is_the_one_people_read_and_every_word_of_it_is_said() -> None:
    with CATALOGUE.with_suffix(".mo").open("rb") as file:
        used = gettext.GNUTranslations(file)
    kinds = ("*.html", "*.txt", "*.py")
    said = "\n".join(path.read_text() for kind in kinds for path in ALLAUTH.rglob(kind))

    assert len(our_words()) > 50
    for theirs, ours in our_words().items():
        assert used.gettext(theirs) == ours
        assert theirs in said, f"allauth says {theirs!r} no more"


def test_a_letter_of_a_change_says_which_browser_made_it(db) -> None:
    tom, client = make_user("tom@people.example"), Client(headers={"User-Agent": FIREFOX})
    client.force_login(tom)
    new = {"oldpassword": PASSWORD, "password1": f"{PASSWORD}2", "password2": f"{PASSWORD}2"}

    client.post("/accounts/password/change/", new)

    (letter,) = mail.outbox
    assert letter.subject == "NovaPulse: Password changed"
    assert "By Firefox on Linux, from 127.0.0.1, " in letter.body
    assert "Mozilla" not in letter.body


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {APPLE} Chrome/140.0 Safari/537.36", "Chrome on Windows"),
        (f"Mozilla/5.0 (X11; Linux) {APPLE} HeadlessChrome/140.0 Safari/537", "Chrome on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0) {APPLE} Chrome/140.0 Edg/140.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Macintosh) {APPLE} Version/18.5 Safari/605.1.15", "Safari on a Mac"),
        (f"Mozilla/5.0 (iPhone; like Mac OS X) {APPLE} Safari/604.1", "Safari on an iPhone"),
        (f"Mozilla/5.0 (Linux; Android 10) {APPLE} Chrome/140.0 Safari/5", "Chrome on Android"),
        ("curl/8.5.0", "curl/8.5.0"),
        ("", "A browser without a name"),
    ],
)
def test_a_browser_goes_by_the_name_people_know(agent: str, name: str) -> None:
    assert name_browser(agent) == name


@given(st.text(max_size=300))
def test_whatever_it_says_of_itself_is_one_short_line(agent: str) -> None:
    name = name_browser(agent)

    longest = max(LONGEST, *(len(f"{a} on {b}") for _, a in BROWSERS for _, b in SYSTEMS))
    assert 0 < len(name) <= longest
    assert name == " ".join(name.split())
