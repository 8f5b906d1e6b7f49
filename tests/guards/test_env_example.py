"""Guard: .env.example names every variable of novapulse/env.py and no other, with safe defaults."""

import re

from novapulse import env

LINE = re.compile(r"^#([A-Z_]+)=(.*)$", re.M)
SERVED_BY_ALIAS = {"DASHBOARD_HOST", "DASHBOARD_PORT", "NOVA_DATABASE_URL", "NOVA_REDIS_URL"}


def _entries() -> dict[str, str]:
    return dict(LINE.findall((env.PROJECT_ROOT / ".env.example").read_text()))


def test_every_variable_is_in_the_example():
    assert env.variable_names() - SERVED_BY_ALIAS - set(_entries()) == set()


def test_the_example_names_no_unknown_variable():
    assert set(_entries()) - env.variable_names() == set()


def test_the_allowed_aliases_still_exist():
    assert env.variable_names() >= SERVED_BY_ALIAS


def test_the_example_as_a_whole_changes_nothing():
    lines = (env.PROJECT_ROOT / ".env.example").read_text().splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == []
