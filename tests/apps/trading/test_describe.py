"""The docs say what the code declares."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from trading.core.codes import Gate
from trading.core.config.pipeline import STRATEGY_NAMES
from trading.management.reference import pages

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize("name", sorted(pages()))
def test_every_page_in_docs_is_what_the_code_declares(name: str) -> None:
    assert (DOCS / name).read_text() == pages()[name], "run manage.py describe --write docs"


def test_every_strategy_and_gate_is_named() -> None:
    told = pages()

    assert all(f"## {name}\n" in told["strategies.md"] for name in STRATEGY_NAMES)
    assert told["gates.md"].count("\n1. ") == 1
    assert f"{len(Gate)}. minimum" in told["gates.md"]


def test_a_page_is_printed_and_all_are_written(tmp_path: Path) -> None:
    out = StringIO()

    call_command("describe", "gates", stdout=out)
    call_command("describe", write=tmp_path, stdout=StringIO())

    assert out.getvalue().strip() == pages()["gates.md"].strip()
    assert {path.name for path in tmp_path.iterdir()} == set(pages())


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nowhere: No such file"):
        call_command("describe", write=tmp_path / "nowhere", stdout=StringIO())
