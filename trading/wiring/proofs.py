"""Proves the books of engines: by themselves, and a live account's against the venue's."""

import asyncio
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from tenants.models import ExchangeAccount
from tenants.scoping import tenant_scope
from trading.exchanges.kraken.errors import FAILS
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.kraken.statement import Statement, StatementTorn, read_statement
from trading.ledger import rows
from trading.ledger.proof import Difference, prove_books
from trading.models import Engine, Fill, LedgerProof, Order
from trading.wiring.directory import ListedEngine
from trading.wiring.feeds import venue_urls
from trading.wiring.parity import one_view
from trading.wiring.plans import CannotRun
from trading.wiring.statements import compare, read_ours
from trading.wiring.streets import simulator_key

SETTLED_SECONDS = 60  # what is younger may not have reached both books yet
MOST_DIFFERENCES = 50
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
    """Compare everything of one engine, and keep what was found."""
    with tenant_scope(listed.tenant_id):
        engine = Engine.objects.select_related("account").get(id=listed.engine_id)
    statement, problem = None, ""
    if engine.account.mode == ExchangeAccount.Mode.LIVE:
        try:
            statement = asyncio.run(_ask(engine.account.venue))
        except (*FAILS, StatementTorn, CannotRun) as error:
            problem = str(error)
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


async def _ask(venue: str) -> Statement:
    key, secret = simulator_key()
    rest = KrakenRest(url=venue_urls(venue)[0], key=key, secret=secret)
    try:
        now_ns = int((await rest.public("Time"))["unixtime"]) * NS
        return await read_statement(rest, until_ns=now_ns - SETTLED_SECONDS * NS)
    finally:
        await rest.close()


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
