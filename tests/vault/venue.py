"""The venue simulator on a thread of its own, for code that is not asynchronous."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from trading.exchanges.simulator.accounts import Account
from trading.exchanges.simulator.server import Simulator

START_NS = 1_700_000_000 * 1_000_000_000


@contextmanager
def open_venue(*, key: str, secret: str) -> Iterator[tuple[Simulator, Account]]:
    """A venue with one customer."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    simulator = Simulator(start_ns=START_NS)
    account = simulator.add_account(key=key, secret=secret, balances={"USD": Decimal(100)})
    account.calls.most = 1e9
    asyncio.run_coroutine_threadsafe(simulator.start(), loop).result(10)
    try:
        yield simulator, account
    finally:
        asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
