"""The mailbox of a developer's machine, and that there is none anywhere else."""

from pathlib import Path

import pytest
from django.core.mail import EmailMessage, get_connection
from django.test import Client

BACKEND = "django.core.mail.backends.filebased.EmailBackend"


@pytest.fixture
def folder(db, settings, tmp_path) -> Path:
    settings.EMAIL_FILE_PATH = str(tmp_path / "mailbox")
    settings.DEV_MAILBOX = True
    return tmp_path / "mailbox"


def _send(folder: Path, *codes: str) -> None:
    """Letters one after the other, in a file of their own."""
    with get_connection(BACKEND, file_path=str(folder)) as connection:
        for code in codes:
            letter = EmailMessage("Your code", f"Grüße, {code}", to=["nina@people.example"])
            letter.connection = connection
            letter.send()
    (written,) = set(folder.glob("*.log")) - set(folder.glob("kept-*.log"))
    written.rename(folder / f"kept-{len(list(folder.iterdir()))}.log")


def test_an_empty_mailbox_says_so(folder):
    assert "No letters yet" in Client().get("/mailbox/").content.decode()


def test_letters_are_shown_with_their_codes_the_newest_first(folder):
    _send(folder, "AAA-111")
    _send(folder, "BBB-222")

    page = Client().get("/mailbox/").content.decode()

    assert "nina@people.example" in page
    assert "Grüße" in page
    assert page.index("BBB-222") < page.index("AAA-111")


def test_two_letters_in_one_file_are_both_shown(folder):
    _send(folder, "AAA-111", "BBB-222")

    page = Client().get("/mailbox/").content.decode()

    assert page.index("BBB-222") < page.index("AAA-111")


def test_a_letter_is_shown_as_text_whatever_it_holds(folder):
    _send(folder, "<script>alert(1)</script>")

    assert "<script>alert" not in Client().get("/mailbox/").content.decode()


def test_a_long_history_is_cut(folder):
    _send(folder, *(f"N{number:03d}" for number in range(40)))

    page = Client().get("/mailbox/").content.decode()

    assert "N039" in page
    assert "N001" not in page


def test_there_is_none_in_production_or_where_letters_are_really_sent(folder, settings):
    settings.DEV_MAILBOX = False

    assert Client().get("/mailbox/").status_code == 404
    assert "mailbox" not in Client().get("/accounts/login/").content.decode()


@pytest.mark.parametrize(
    "where",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": "10.0.0.5"},
        {"REMOTE_ADDR": ""},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"REMOTE_ADDR": "127.0.0.1", "HTTP_FORWARDED": "for=192.0.2.7"},
    ],
)
def test_from_another_machine_there_is_none(folder, where):
    _send(folder, "AAA-111")

    assert Client(**where).get("/mailbox/").status_code == 404


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1"])
def test_on_the_machine_itself_the_entrance_leads_to_it(folder, address):
    client = Client(REMOTE_ADDR=address)

    assert "/mailbox/" in client.get("/accounts/login/").content.decode()
    assert client.get("/mailbox/").status_code == 200
