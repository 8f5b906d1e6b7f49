"""``manage.py notifications test``."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from tests.apps.tenants.notices import keep_hook


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("notifications", "test", *arguments, stdout=out)
    return out.getvalue()


def test_an_operator_tries_the_channels_of_a_workspace(people, mailoutbox):
    told = json.loads(run("--tenant", "acme", "--user", "tom@people.example", "--json"))

    assert [(one["channel"], one["sent"]) for one in told] == [("inbox", True), ("email", True)]
    assert mailoutbox[0].to == ["tom@people.example"]


def test_a_channel_that_fails_is_told_and_ends_with_one(people):
    keep_hook(people.acme.id, "https://nobody.invalid/")

    with pytest.raises(CommandError) as failed:
        run("--tenant", "acme")

    assert failed.value.returncode == 1


@pytest.mark.parametrize("who", [("--tenant", "nobody"), ("--tenant", "acme", "--user", "max@x")])
def test_who_is_not_there_ends_with_two(people, who):
    with pytest.raises(CommandError) as failed:
        run(*who)

    assert failed.value.returncode == 2
