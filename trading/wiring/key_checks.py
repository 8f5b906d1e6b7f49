"""Asks venues what keys may do, in an engine-side process, and writes what they said."""

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from django.db import connection
from django.utils import timezone

from tenants import operations as tenant_operations
from tenants.models import ExchangeAccount, ExchangeCredential
from tenants.scoping import tenant_scope
from tenants.vault.parts import ExchangeKey
from trading.engine.errors import CannotTrade
from trading.exchanges.coinbase import admission as coinbase
from trading.exchanges.coinbase.rest import CoinbaseRest
from trading.exchanges.coinbase.sign import Signer, UnusableKey
from trading.exchanges.failures import FAILS
from trading.exchanges.kraken import admission as kraken
from trading.exchanges.kraken.rest import KrakenRest
from trading.exchanges.venue_clock import VenueClock
from trading.models import Engine
from trading.operations.credentials import KeyReport, record_check
from trading.wiring.feeds import COINBASE_VENUES, venue_urls
from trading.wiring.keys import NoKey, open_account_key

log = structlog.get_logger(__name__)

Rest = KrakenRest | CoinbaseRest

LEFT_TO_ENGINE = timedelta(seconds=10)


class NotChecked(Exception):
    """The venue did not say anything, or there is nothing to ask with; the text says why."""


def list_due_checks(*, now: datetime) -> list[tuple[UUID, UUID]]:
    """(tenant, account) of every key whose check was asked for and is left to us, oldest first.

    An engine checks the key it signs with itself: two clients of one key would cross their nonces.
    Only after a while its account is looked at from outside.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tenant_id, credential_id, check_asked_at FROM credential_work_list()"
            " WHERE check_asked_at IS NOT NULL"
        )
        asked = cursor.fetchall()
    due = []
    for tenant_id, credential_id, asked_at in asked:
        with tenant_scope(tenant_id):
            row = ExchangeCredential.objects.get(id=credential_id)
            if now - asked_at > LEFT_TO_ENGINE or not is_signing(row.account_id):
                due.append((tenant_id, row.account_id))
    return due


def is_signing(account_id: UUID) -> bool:
    """Whether an engine sends orders for the account now."""
    return Engine.objects.filter(
        account_id=account_id,
        account__mode=ExchangeAccount.Mode.LIVE,
        observed=Engine.Observed.RUNNING,
    ).exists()


def check_due_keys() -> int:
    """Check every key whose check was asked for; how many got an answer."""
    done = 0
    for tenant_id, account_id in list_due_checks(now=timezone.now()):
        try:
            check_account(tenant_id=tenant_id, account_id=account_id)
            done += 1
        except NotChecked as error:
            log.warning("key_not_checked", account=str(account_id), why=str(error))
    return done


def check_account(*, tenant_id: UUID, account_id: UUID) -> KeyReport:
    """Ask the venue now, and write what it said.

    Raises:
        NotChecked: there is no key, it does not open, or no answer came.
    """
    with tenant_scope(tenant_id):
        row = ExchangeCredential.objects.select_related("account").filter(account_id=account_id)
        kept = row.first()
        try:
            opened = open_account_key(account_id)
        except NoKey as error:
            if kept is not None:
                _note(kept.id, kept.version, str(error))
            raise NotChecked(str(error)) from None
        assert kept is not None  # it was opened
        venue = kept.account.venue
    try:
        rights, problem = asyncio.run(ask_venue(venue, opened.key))
    except FAILS as error:
        with tenant_scope(tenant_id):
            _note(opened.credential_id, opened.version, str(error))
        raise NotChecked(str(error)) from None
    report = KeyReport(opened.credential_id, opened.version, sorted(rights), problem)
    with tenant_scope(tenant_id):
        record_check(report, now=timezone.now())
    return report


async def ask_venue(venue: str, key: ExchangeKey) -> tuple[frozenset[str], str]:
    """(rights, problem) of a key.

    Raises:
        ApiError, Unreached, NoAnswer: it cannot be asked now.
    """
    try:
        rest = open_rest(venue, key)
    except UnusableKey as error:
        return frozenset(), str(error)
    try:
        return await ask_rights(rest)
    finally:
        await rest.close()


def open_rest(venue: str, key: ExchangeKey) -> Rest:
    """A client of the venue that signs with this key.

    Raises:
        UnusableKey: it cannot sign.
    """
    url = venue_urls(venue)[0]
    if venue in COINBASE_VENUES:
        signer = Signer(name=key.key, secret=key.secret)
        return CoinbaseRest(url=url, clock=VenueClock(), signer=signer)
    return KrakenRest(url=url, key=key.key, secret=key.secret)


async def ask_rights(rest: Rest) -> tuple[frozenset[str], str]:
    """(rights, problem) of the key this client signs with.

    Raises:
        ApiError, Unreached, NoAnswer: it cannot be asked now.
    """
    try:
        if isinstance(rest, CoinbaseRest):
            rights = await coinbase.read_rights(rest)
            return rights, coinbase.problem_of(rights)
        rights = await kraken.read_rights(rest)
    except CannotTrade as error:
        return frozenset(), str(error)
    return rights, kraken.problem_of(rights)


def _note(credential_id: UUID, version: int, detail: str) -> None:
    tenant_operations.note_no_answer(credential_id=credential_id, version=version, detail=detail)
