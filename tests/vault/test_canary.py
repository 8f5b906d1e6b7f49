"""Planted keys are searched wherever something could have kept them: nowhere is one found."""

import base64
import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import redis
import structlog
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from novapulse import logs
from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from tests.apps.api.conftest import issue, post, program
from tests.apps.step_up import step_up
from tests.apps.trading.conftest import People, people, signed_in  # noqa: F401 - a fixture
from tests.simulator_place import tell_port
from tests.vault.conftest import Kept
from tests.vault.venue import open_venue
from trading.wiring.key_checks import check_due_keys
from trading.wiring.keys import open_account_key

CANARIES = {
    way: (
        f"Kq7{way}Canary{number}Zx9ENDS",
        base64.b64encode(f"Wv4-{way}-canary-{number}".encode() * 2).decode(),
    )
    for number, way in enumerate(("page", "api", "terminal", "refused"))
}


@pytest.fixture
def written(monkeypatch) -> Iterator[io.StringIO]:
    """Everything that is logged, at the lowest level, as production writes it."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    logs.configure(level="DEBUG")
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.DEBUG)
    yield stream
    root.handlers[:], root.level = before
    structlog.contextvars.clear_contextvars()


def traces() -> list[str]:
    """The canaries as they are, in hex, and what their base64 says."""
    found = []
    for key, secret in CANARIES.values():
        plain = base64.b64decode(secret).decode()
        for one in (key, secret, plain):
            found += [one, one.encode().hex(), base64.b64encode(one.encode()).decode()]
    return found


def dump_database() -> str:
    """Every row of every table as text, bytes in hex."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing may wait in a table to be altered
        for table in tables:  # the test's transaction takes this back
            cursor.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
        told = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            told += [f"{table} {row}" for (row,) in cursor.fetchall()]
    return "\n".join(told)


def dump_redis(url: str) -> str:
    with redis.Redis.from_url(url) as client:
        return "\n".join(repr(client.dump(key)) for key in client.scan_iter())


class Told:
    """Collects answers of pages and API."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def __call__(self, answer: Any) -> Any:
        self.texts.append(answer.content.decode() + str(answer.headers))
        return answer


def use_every_way(people: People, kept: Kept, told: Told) -> None:  # noqa: F811
    """Add by page, rotate by API and terminal, be refused, check, look at every page."""
    olga = step_up(signed_in(people.olga), people.olga)
    page = f"/exchange-accounts/{kept.account_id}/key/"
    key, secret = CANARIES["page"]
    told(olga.post(page, {"key": key, "secret": secret}))
    check_due_keys()
    api = f"/accounts/{kept.account_id}"
    client = program(issue(people, "olga", "admin")[1])
    key, secret = CANARIES["api"]
    told(post(client, f"{api}/key", {"key": key, "secret": secret}, **{"Idempotency-Key": "1"}))
    check_due_keys()
    key, secret = CANARIES["refused"]
    told(olga.post(page, {"key": key, "secret": f"{secret}!"}))
    told(post(client, f"{api}/key", {"key": key, "secret": f"{secret}!"}))
    with pytest.MonkeyPatch.context() as patch:
        for words in (f"{key}\n{secret}!", "\n".join(CANARIES["terminal"])):
            patch.setattr("sys.stdin", io.StringIO(words))
            out = io.StringIO()
            try:
                call_command("keys", "rotate", "--tenant", "acme", "--json", stdout=out)
            except CommandError as error:
                told.texts.append(str(error))
            told.texts.append(out.getvalue())
    check_due_keys()
    look_around(olga, client, kept, told)


def look_around(olga: Client, client: Client, kept: Kept, told: Told) -> None:
    for path in ("/", "/exchange-accounts/", f"/exchange-accounts/{kept.account_id}/key/"):
        told(olga.get(path))
    for path in ("/status", "/accounts", f"/accounts/{kept.account_id}"):
        told(client.get(f"/api/v1{path}"))


def look_at_admin(people: People, kept: Kept, told: Told) -> None:  # noqa: F811
    people.max.is_staff = people.max.is_superuser = True
    people.max.save()
    operator = signed_in(people.max)
    row = kept.row()
    for path in ("exchangecredential", "datakey", "auditentry", "storedanswer",
                 f"exchangecredential/{row.id}/change", f"datakey/{row.data_key_id}/change"):  # fmt: skip
        answer = told(operator.get(f"/admin/tenants/{path}/"))
        assert answer.status_code == 200, path


def test_no_canary_is_found_anywhere(
    people: People,  # noqa: F811
    written: io.StringIO,
    settings,
    redis_url: str,
    tmp_path,
) -> None:
    kept = Kept(people.engine.tenant_id, people.engine.account_id)
    with tenant_scope(kept.tenant_id):
        ExchangeAccount.objects.update(venue="simulator")
    told, (key, secret) = Told(), CANARIES["page"]
    with open_venue(key=key, secret=secret) as (simulator, customer):
        customer.further_keys.update([CANARIES["api"], CANARIES["terminal"]])
        settings.DATA_DIR = tmp_path
        tell_port(tmp_path, simulator.port)
        use_every_way(people, kept, told)
    look_at_admin(people, kept, told)
    with tenant_scope(kept.tenant_id):
        assert open_account_key(kept.account_id).key.secret == CANARIES["terminal"][1]

    places = {
        "answers": "\n".join(told.texts),
        "logs": written.getvalue(),
        "database": dump_database(),
        "redis": dump_redis(redis_url),
    }

    assert kept.row().state == "GOOD"
    assert "ENDS" in places["answers"]
    assert "ENDS" in places["database"]
    assert "GetApiKeyInfo" in places["logs"], "the requests themselves were logged"
    found = [(place, one) for place, text in places.items() for one in traces() if one in text]
    assert found == []
