"""A key is rotated while its engine trades at the simulated venue: taken up, or refused, unharmed."""

import asyncio
import base64
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from django.db import connection

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from tests.core.play import plain
from tests.engine.fakes import random_bars
from tests.exchanges.street import KEY, SECRET, LiveStreet, check_books, open_simulator, oracle
from tests.factories import NOW, EngineRows, make_engine, make_instrument
from tests.vault.conftest import Kept
from trading.core.config.profiles import PROFILES
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.simulator.accounts import RIGHTS
from trading.models import EngineCommand
from trading.wiring.key_watch import KeyWatch

ACTIVE = plain(PROFILES["active"])
BARS = random_bars(69, 280)
NEW_KEY, NEW_SECRET = "rotated-key", base64.b64encode(bytes(range(64, 128))).decode()
ROTATED_AT_BAR = 100


class Signed(KrakenRest):
    """Remembers which key each request was signed with."""

    used: list[str]
    ordered_with: set[str]

    async def _ask(self, verb: str, path: str, **given: Any) -> Any:
        if "/private/" in path:
            self.used.append(given["headers"]["API-Key"])
            if path.endswith("AddOrder"):
                self.ordered_with.add(self.used[-1])
        return await super()._ask(verb, path, **given)


class Desk:
    """The database of the engine's tenant, on a thread of its own as in production."""

    def __init__(self, rows: EngineRows) -> None:
        self.rows, self.kept = rows, Kept(rows.tenant_id, rows.account_id)
        self.thread = ThreadPoolExecutor(max_workers=1)

    async def call(self, work: Callable[[], Any]) -> Any:
        def scoped() -> Any:
            with tenant_scope(self.rows.tenant_id):
                return work()

        return await asyncio.get_running_loop().run_in_executor(self.thread, scoped)

    async def rotate(self, key: str, secret: str) -> None:
        def seal() -> Any:
            return tenant_operations.seal_key(
                account_id=self.rows.account_id, key=key, secret=secret, actor=None, now=NOW
            )

        await self.call(seal)

    def close(self) -> None:
        self.thread.submit(lambda: connection.close()).result()
        self.thread.shutdown()


@pytest.fixture
def desk(fresh_database):
    rows = make_engine("acme", make_instrument("simulator"), venue="simulator")
    made = Desk(rows)
    with tenant_scope(rows.tenant_id):
        ExchangeAccount.objects.update(mode="LIVE")
    made.kept.seal(KEY + "-the-first", SECRET)
    yield made
    made.close()


async def trade(desk: Desk, monkeypatch, *, bars: np.ndarray, new: Callable[[Any], Any]) -> Any:
    """A day at whose hundredth bar ``new`` rotates the key: (simulator, street, keys used)."""
    simulator = await open_simulator(bars)
    account = simulator.exchange.accounts[KEY]
    monkeypatch.setattr(
        "trading.wiring.key_checks.venue_urls", lambda _: (simulator.address, "", "")
    )
    monkeypatch.setattr("trading.chaos.wires.KrakenRest", Signed)
    monkeypatch.setattr("trading.wiring.key_watch.LOOK_SECONDS", 0.01)
    monkeypatch.setattr("trading.wiring.key_watch.AGAIN_SECONDS", 0.05)
    Signed.used, Signed.ordered_with = [], set()
    street = LiveStreet(simulator, ACTIVE, bars)
    tasks: list[asyncio.Task[None]] = []

    def before_bar(number: int) -> None:
        if number != ROTATED_AT_BAR:
            return
        watch = KeyWatch(
            account_id=desk.rows.account_id, venue="simulator", rest=street.desk.rest, version=1
        )
        tasks.append(asyncio.create_task(watch.run(desk.call)))
        tasks.append(asyncio.create_task(new(account)))

    street.before_bar = before_bar
    try:
        await asyncio.wait_for(street.run(), 120)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await simulator.stop()
    return simulator, street


def test_a_trading_engine_takes_a_new_key_up_without_a_restart(desk, monkeypatch) -> None:
    async def rotate(account: Any) -> None:
        account.further_keys[NEW_KEY] = NEW_SECRET
        await desk.rotate(NEW_KEY, NEW_SECRET)

    simulator, street = asyncio.run(trade(desk, monkeypatch, bars=BARS, new=rotate))

    used = Signed.used
    assert {used[0], used[-1]} == {KEY, NEW_KEY}
    assert used == sorted(used, key=[KEY, NEW_KEY].index), "once changed, never back"
    assert NEW_KEY in Signed.ordered_with
    assert oracle(simulator, "invalid_nonce") == []
    check_books(simulator, street)
    row = desk.kept.row()
    assert (row.version, row.state, row.check_asked_at) == (2, "GOOD", None)


def test_a_new_key_that_may_withdraw_is_not_taken_up_and_holds_entries(desk, monkeypatch) -> None:
    async def rotate(account: Any) -> None:
        account.rights = (*RIGHTS, "withdraw-funds")
        account.further_keys[NEW_KEY] = NEW_SECRET
        await desk.rotate(NEW_KEY, NEW_SECRET)

    simulator, street = asyncio.run(trade(desk, monkeypatch, bars=BARS, new=rotate))

    assert set(Signed.used) == {KEY}
    check_books(simulator, street)
    row = desk.kept.row()
    assert (row.state, "withdraw-funds" in row.detail) == ("BAD", True)
    assert [c.kind for c in _commands(desk)] == ["HOLD_KEY"]


def test_a_mistyped_key_leaves_the_former_one_in_use_until_it_is_mended(desk, monkeypatch) -> None:
    seen: list[str] = []

    async def rotate(account: Any) -> None:
        account.further_keys[NEW_KEY] = NEW_SECRET
        await desk.rotate(NEW_KEY, SECRET)
        while "BAD" not in seen:
            seen.append((await desk.call(desk.kept.row)).state)
            await asyncio.sleep(0.01)
        await desk.rotate(NEW_KEY, NEW_SECRET)

    simulator, street = asyncio.run(trade(desk, monkeypatch, bars=BARS, new=rotate))

    assert set(Signed.used) == {KEY, NEW_KEY}
    assert Signed.used[-1] == NEW_KEY
    check_books(simulator, street)
    assert desk.kept.row().state == "GOOD"
    assert [c.kind for c in _commands(desk)] == ["HOLD_KEY", "LIFT_KEY"]


def test_an_engine_checks_the_key_it_signs_with_itself(desk, monkeypatch) -> None:
    async def ask(account: Any) -> None:
        await desk.call(
            lambda: tenant_operations.ask_check(
                account_id=desk.rows.account_id, actor=None, now=NOW
            )
        )

    simulator, _ = asyncio.run(trade(desk, monkeypatch, bars=BARS[:150], new=ask))

    row = desk.kept.row()
    assert (row.version, row.state, sorted(RIGHTS)) == (1, "GOOD", row.rights)
    assert oracle(simulator, "invalid_nonce") == []


def _commands(desk: Desk) -> list[EngineCommand]:
    with tenant_scope(desk.rows.tenant_id):
        return list(EngineCommand.objects.order_by("requested_at", "id"))
