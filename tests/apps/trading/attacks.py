"""Somebody who owns the database and rewrites a log: every attack on a hash chain, in SQL."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections

from tenants import chain
from tenants.models import ChainCheck
from tenants.scoping import staff_scope
from trading.ledger.chains import ChainName, read_chain

FAR = 1_000_000


@dataclass(frozen=True)
class Log:
    """One chain as its owner meets it: the table, whose rows, and a column that says something."""

    name: ChainName
    table: str
    told: str  # an expression that says something else than the row does
    column: str
    copied: str  # columns of a row that is put in, and where they must differ
    copies: str

    @property
    def scope(self) -> str:
        key = "tenant_id" if self.table == "tenants_auditentry" else "chain"
        return f"{key} = '{self.name.chain}'"

    def run(self, statement: str, *values: Any) -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute(
                statement.format(t=self.table, s=self.scope, told=self.told, column=self.column),
                values,
            )

    def open_up(self) -> None:
        """What no other role may: what refuses changes is off, walls are down."""
        self.run("SET CONSTRAINTS ALL IMMEDIATE")
        for trigger in ("append_only", "append_only_truncate"):
            self.run(f"ALTER TABLE {{t}} DISABLE TRIGGER {trigger}")
        self.run("ALTER TABLE {t} NO FORCE ROW LEVEL SECURITY")

    def rows(self) -> list[chain.Entry]:
        with staff_scope():
            return list(read_chain(self.name))

    def flip(self, at: int) -> None:
        self.run("UPDATE {t} SET {column} = {told} WHERE {s} AND sequence = %s", at)

    def delete(self, at: int) -> None:
        self.run("DELETE FROM {t} WHERE {s} AND sequence = %s", at)

    def delete_and_close_the_gap(self, at: int) -> None:
        self.delete(at)
        self._shift(at + 1, -1)

    def truncate(self, at: int) -> None:
        self.run("DELETE FROM {t} WHERE {s} AND sequence >= %s", at)

    def _shift(self, first: int, by: int) -> None:
        self.run(
            f"UPDATE {{t}} SET sequence = sequence + {FAR} WHERE {{s}} AND sequence >= %s", first
        )
        self.run(
            f"UPDATE {{t}} SET sequence = sequence - {FAR} + {by} WHERE {{s}} AND sequence > {FAR}"
        )

    def insert(self, at: int, *, is_linked: bool) -> None:
        """A copy of an entry that says something else, with or without a right hash of its own."""
        self.run("ALTER TABLE {t} DISABLE TRIGGER USER")
        before = self.rows()
        previous = before[at - 2].hash if at > 1 else chain.GENESIS
        self._shift(at, 1)
        columns = f"tenant_id, {self.copied}, sequence, previous_hash, hash"
        self.run(
            f"INSERT INTO {{t}} ({columns}) SELECT tenant_id, {self.copies}, %s, %s, %s"
            " FROM {t} WHERE {s} AND sequence = %s",
            *(at, previous, b"\x01" * 32, at + 1),
        )
        self.flip(at)
        if is_linked:
            self.rehash(at, at)

    def swap_places(self, first: int, second: int) -> None:
        self._exchange("sequence", first, second)

    def swap_contents(self, first: int, second: int) -> None:
        self._exchange("sequence, previous_hash, hash", first, second)

    def _exchange(self, columns: str, first: int, second: int) -> None:
        """Two rows trade these columns."""
        names = columns.split(", ")
        stored = {}
        with connections["owner"].cursor() as cursor:
            for number in (first, second):
                cursor.execute(
                    f"SELECT {columns} FROM {self.table} WHERE {self.scope} AND sequence = %s",
                    [number],
                )
                stored[number] = cursor.fetchone()
        self.run(f"UPDATE {{t}} SET sequence = {FAR} WHERE {{s}} AND sequence = %s", first)
        sets = ", ".join(f"{name} = %s" for name in names)
        for number, at in ((first, second), (second, FAR)):
            self.run(f"UPDATE {{t}} SET {sets} WHERE {{s}} AND sequence = %s", *stored[number], at)

    def rehash(self, first: int, last: int) -> None:
        """Link the entries from ``first`` to ``last`` anew."""
        entries = self.rows()
        previous = entries[first - 2].hash if first > 1 else chain.GENESIS
        for entry in entries[first - 1 : last]:
            made = chain.link(previous, entry.content)
            self.run(
                "UPDATE {t} SET previous_hash = %s, hash = %s WHERE {s} AND sequence = %s",
                *(previous, made, entry.sequence),
            )
            previous = made

    def flip_and_rehash(self, at: int) -> None:
        self.flip(at)
        self.rehash(at, FAR)


def acts(tenant_id: UUID) -> Log:
    """The audit log of a workspace."""
    same = "at, actor_id, actor_label, action, subject, before, after"
    return Log(
        ChainName(tenant_id, "acme", ChainCheck.Kind.AUDIT, tenant_id),
        "tenants_auditentry", "jsonb_build_object('role', 'OWNER')", "after", same, same,
    )  # fmt: skip


def decided(tenant_id: UUID, engine_id: UUID) -> Log:
    """The decisions of an engine."""
    same = "core_hash, chain, revision_id, instrument_id, stage, reason, record"
    return Log(
        ChainName(tenant_id, "acme", ChainCheck.Kind.DECISIONS, engine_id),
        "trading_decision", "reason + 5", "reason", f"{same}, bar_opened_at",
        f"{same}, bar_opened_at - interval '1 year'",
    )  # fmt: skip
