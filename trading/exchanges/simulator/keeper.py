"""Keeps the simulated venue's memory in its journal: recalled at the start, written after every act."""

from trading.exchanges.simulator.coinbase import Coinbase
from trading.exchanges.simulator.exchange import Exchange
from trading.exchanges.simulator.journal import Journal
from trading.exchanges.simulator.memory import Memory


class Keeper:
    """Stands between what happens at a venue and what customers are told of it."""

    def __init__(self, journal: Journal, *, exchange: Exchange, coinbase: Coinbase) -> None:
        self._journal, self._exchange, self._coinbase = journal, exchange, coinbase
        self._memory: Memory | None = None

    def begin(self) -> None:
        """Write down all there is, and from now on what each act changes.

        Raises:
            CannotRemember: it cannot be written.
        """
        self._exchange.settle = self.settle
        self.settle()

    def settle(self) -> None:
        """An act is over.

        Raises:
            CannotRemember: it could not be written; the next call writes everything.
        """
        memory, self._memory = self._memory, None
        if memory is None or self._journal.is_long:
            memory = Memory(self._exchange, self._coinbase)
            everything = memory.news()
            assert everything is not None
            self._journal.begin(everything)
        else:
            news = memory.news()
            if news is not None:
                self._journal.append(news)
        self._memory = memory
