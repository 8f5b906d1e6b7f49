"""The import contracts catch what they are there to catch: violations planted in a copy."""

import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
OURS = ("novapulse", "tenants", "trading")
LINT = Path(sys.executable).parent / "lint-imports"

PLANTED = [
    ("trading/core/sizing.py", "import logging", "core-pure"),
    ("trading/core/exits.py", "import time", "core-pure"),
    ("trading/core/risk.py", "import numba", "numba"),
    ("trading/engine/guards.py", "from trading.models import Engine", "engine-django-free"),
    ("trading/exchanges/paper.py", "from django.conf import settings", "engine-django-free"),
    ("trading/views.py", "from trading.engine import runner", "thin-interfaces"),
    ("trading/views.py", "from trading.core import pipeline", "pages-without-compiler"),
    ("trading/backtest_views.py", "from trading.wiring import research", "thin-interfaces"),
    ("trading/tasks.py", "from trading.wiring import research", "pages-without-compiler"),
    ("trading/research/space.py", "from django.db import models", "engine-django-free"),
    ("trading/queries/dashboard.py", "from trading import operations", "trading: rooms"),
    ("trading/wiring/warm.py", "from trading.core import sizing", "core-doors"),
    ("tenants/operations.py", "from trading.models import Bot", "apps: each floor"),
    ("trading/operations/funds.py", "from novapulse import env", "apps: each floor"),
    ("trading/helpers.py", "", "trading: rooms"),
    ("trading/account_views.py", "from trading.wiring import keys", "vault-closed"),
    ("trading/api/accounts.py", "from tenants.vault import opening", "vault-closed"),
    ("tenants/operations/data_keys.py", "from tenants.vault import opening", "vault-closed"),
    ("trading/tasks.py", "from trading.wiring import key_checks", "vault-closed"),
    ("tenants/admin.py", "from tenants.vault import opening", "vault-closed"),
    ("trading/wiring/doctor.py", "from tenants.vault import opening", "vault-opener"),
    ("tenants/operations/keys.py", "import cryptography", "cryptography"),
]


def lint(house: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(LINT), "--no-cache"], cwd=house, capture_output=True, text=True, check=False
    )


def test_the_house_as_it_stands_keeps_every_contract() -> None:
    assert lint(ROOT).returncode == 0


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What is told of each broken contract when everything is planted in a copy of the house."""
    copy = tmp_path_factory.mktemp("house")
    for package in OURS:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("*.pyc"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    for file, line, _ in PLANTED:
        path = copy / file
        before = path.read_text() if path.exists() else '"""Planted."""'
        path.write_text(f"{before}\n{line}\n")
    told: dict[str, list[str]] = {}
    found: list[str] = []
    for words, below in pairwise(lint(copy).stdout.partition("Broken contracts")[2].splitlines()):
        if words and below == "-" * len(words):
            found = told[words] = []
        found.append(words.strip(" -"))
    return told


@pytest.mark.parametrize(("file", "line", "contract"), PLANTED)
def test_a_planted_import_breaks_its_contract(
    broken: dict[str, list[str]], file: str, line: str, contract: str
) -> None:
    module = file.removesuffix(".py").replace("/", ".")
    told = [words for title in broken if title.startswith(contract) for words in broken[title]]
    if not line:  # a room that nobody listed
        assert module in told
        return
    imported = line.split()[1]
    if imported.split(".")[0] not in OURS:
        imported = imported.split(".")[0]
    assert any(words.startswith(f"{module} -> {imported}") for words in told), told
