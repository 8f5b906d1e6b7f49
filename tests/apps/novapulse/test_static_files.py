"""Static files are named by their content and travel compressed; so do pages."""

import gzip
from pathlib import Path

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.management import call_command
from django.http import HttpResponse, HttpResponseBase
from django.test import Client, RequestFactory
from whitenoise.middleware import WhiteNoiseMiddleware

TABLER = "vendor/tabler-1.6.1/tabler.min.css"
PACKED = {"accept-encoding": "gzip"}


@pytest.fixture
def collected(settings, tmp_path: Path) -> Path:
    """What a start of the installation leaves."""
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def ask_for(name: str) -> HttpResponseBase:
    """As a browser asks for what a page names."""
    serve = WhiteNoiseMiddleware(lambda _request: HttpResponse(status=404))
    address = staticfiles_storage.url(name)
    return serve(RequestFactory().get(address, headers=PACKED))


def test_a_collected_file_is_small_and_kept_for_good(collected: Path) -> None:
    answer = ask_for(TABLER)

    assert staticfiles_storage.url(TABLER) != f"/static/{TABLER}"
    assert answer["Content-Encoding"] == "gzip"
    assert "immutable" in answer["Cache-Control"]
    assert int(answer["Content-Length"]) < 120_000


def test_what_no_page_of_ours_asks_for_is_not_collected(collected: Path) -> None:
    names = {path.name for path in collected.rglob("*")}

    assert not {name for name in names if ".map" in name}
    assert not {"redoc", "rest_framework"} & names
    assert {"admin", "css", "vendor"} <= names


def test_a_file_has_its_plain_name_while_nothing_is_collected(settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path

    answer = ask_for(TABLER)

    assert staticfiles_storage.url(TABLER) == f"/static/{TABLER}"
    assert (answer.status_code, "immutable" in answer["Cache-Control"]) == (200, False)


def test_a_page_travels_compressed(db) -> None:
    plain = Client().get("/accounts/password/reset/")
    packed = Client().get("/accounts/password/reset/", headers=PACKED)

    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 2
    assert b"NovaPulse" in gzip.decompress(packed.content)


def test_an_answer_of_the_api_keeps_its_bytes(db) -> None:
    answer = Client().get("/api/v1/schema", headers=PACKED)

    assert len(answer.content) > 100_000
    assert "Content-Encoding" not in answer
