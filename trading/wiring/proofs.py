"""Proves the books of engines: by themselves, and a live account's against the venue's."""

import asyncio
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from tenants.vault.parts import ExchangeKey
from trading.exchanges.coinbase import statement as coinbase
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.coinbase.sign import UnusableKey
from trading.exchanges.failures import FAILS
from trading.exchanges.kraken import statement as kraken
from trading.exchanges.statement import Statement, StatementTorn
from trading.ledger import rows
from trading.ledger.proof import Difference, prove_books
from trading.models import Engine, Fill, LedgerProof, Order
from trading.queries.bars import CannotFeed
from trading.wiring.directory import ListedEngine, list_engines
from trading.wiring.key_checks import Rest, is_signing, open_rest
from trading.wiring.keys import NoKey, open_usable_key
from trading.wiring.parity import one_view
from trading.wiring.statements import compare, read_ours

SETTLED_SECONDS = 60  # what is younger may not have reached both books yet
MOST_DIFFERENCES = 50
PROVE_EVERY = timedelta(days=1)
NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Proof:
    """What was found of one engine; ``problem`` says why the venue's books could not be had."""

    engine: ListedEngine
    fills: int
    orders: int
    differences: tuple[Difference, ...]
    problem: str
    since: datetime | None
    until: datetime | None

    @property
    def holds(self) -> bool:
        """Whether everything was compared and nothing differs."""
        return not self.differences and not self.problem


def prove_engine(listed: ListedEngine, *, now: datetime) -> Proof:
    """Ask the venue, compare everything of one engine, and keep what was found.

    The venue's books are asked for with the account's key: not beside an engine that signs with it,
    whose nonces would be crossed; such an engine proves its books itself.
    """
    engine = _engine(listed)
    if engine.account.mode != ExchangeAccount.Mode.LIVE:
        return keep_proof(listed, None, problem="", now=now)
    try:
        with tenant_scope(listed.tenant_id):
            opened = open_usable_key(engine.account_id)
        statement = asyncio.run(_ask(engine.account.venue, opened.key))
    except (*FAILS, StatementTorn, NoKey, UnusableKey, CannotFeed) as error:
        return keep_proof(listed, None, problem=str(error), now=now)
    return keep_proof(listed, statement, problem="", now=now)


def keep_proof(
    listed: ListedEngine, statement: Statement | None, *, problem: str, now: datetime
) -> Proof:
    """Compare the books of one engine, also with the venue's where they are given, and write it."""
    engine = _engine(listed)
    with one_view(), tenant_scope(listed.tenant_id):
        found = list(prove_books(engine.account_id))
        if statement is not None:
            found += compare(read_ours(engine, statement), statement)
        proof = Proof(
            engine=listed,
            fills=Fill.objects.filter(account=engine.account_id).count(),
            orders=Order.objects.filter(intent__engine=engine).count(),
            differences=tuple(found),
            problem=problem,
            since=rows.to_datetime(statement.since_ns) if statement else None,
            until=rows.to_datetime(statement.until_ns) if statement else None,
        )
        _record(proof, now=now)
    return proof


def prove_engines(listed: Iterable[ListedEngine], *, now: datetime) -> list[Proof]:
    """One after the other."""
    return [prove_engine(one, now=now) for one in listed]


def list_unproven(*, now: datetime) -> list[ListedEngine]:
    """Engines whose books were not proved for a day and whose key nobody signs with now."""
    return [one for one in list_engines() if _is_due(one, now=now)]


def _is_due(listed: ListedEngine, *, now: datetime) -> bool:
    with tenant_scope(listed.tenant_id):
        engine = Engine.objects.get(id=listed.engine_id)
        return is_unproven(listed.engine_id, now=now) and not is_signing(engine.account_id)


def is_unproven(engine_id: str, *, now: datetime) -> bool:
    """Whether a day has passed since its last proof; inside its tenant's scope."""
    recent = LedgerProof.objects.filter(engine_id=engine_id, proved_at__gt=now - PROVE_EVERY)
    return not recent.exists()


def _engine(listed: ListedEngine) -> Engine:
    with tenant_scope(listed.tenant_id):
        return Engine.objects.select_related("account").get(id=listed.engine_id)


async def _ask(venue: str, key: ExchangeKey) -> Statement:
    rest = open_rest(venue, key)
    try:
        return await read_books(rest)
    finally:
        await rest.close()


async def read_books(rest: Rest) -> Statement:
    """The venue's books of the account this client signs for, but for the last minute.

    Raises:
        ApiError, Unreached, NoAnswer, StatementTorn: they cannot be had.
    """
    if isinstance(rest, CoinbaseRest):
        until_ns = (await rest.time_ns() // NS - SETTLED_SECONDS) * NS
        return await coinbase.read_statement(rest, until_ns=until_ns)
    now_s = int((await rest.public("Time"))["unixtime"])
    return await kraken.read_statement(rest, until_ns=(now_s - SETTLED_SECONDS) * NS)


def _record(proof: Proof, *, now: datetime) -> None:
    LedgerProof.objects.create(
        tenant_id=proof.engine.tenant_id,
        engine_id=proof.engine.engine_id,
        proved_at=now,
        since=proof.since,
        until=proof.until,
        fills=proof.fills,
        orders=proof.orders,
        differing=len(proof.differences),
        differences=[asdict(one) for one in proof.differences[:MOST_DIFFERENCES]],
        problem=proof.problem[:300],
    )
