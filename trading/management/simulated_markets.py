"""Which markets the venue simulator opens: invented, of stored bars, or as they were recorded."""

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from trading.exchanges.replay import BarSource
from trading.exchanges.simulator.market import Grid
from trading.exchanges.simulator.recordings import Recording
from trading.exchanges.simulator.server import Simulator
from trading.exchanges.synthetic import CATALOGUE, SyntheticBars
from trading.management.bars import EXIT_CONFIGURATION, symbol
from trading.marketdata.book_files import Snapshot, read_books
from trading.marketdata.lines import UnreadableFile
from trading.marketdata.series import choose_bars
from trading.marketdata.store import StoreError
from trading.marketdata.trade_files import read_trades
from trading.queries.bars import SYNTHETIC_SEED, open_store

LOT, LEAST_QUANTITY, LEAST_COST = Decimal("0.00000001"), Decimal("0.0001"), Decimal("0.5")
PAIRS = ("BTC/USD", "ETH/USD", "SOL/USD")
FUNDS = {"USD": Decimal(100_000), "BTC": Decimal(1)}


def add_arguments(parser: ArgumentParser) -> None:
    """Which pairs, and whose past they play."""
    parser.add_argument("--pairs", nargs="+", type=symbol, default=list(PAIRS))
    parser.add_argument("--bars", metavar="EXCHANGE",
                        help="play stored bars of this exchange, not invented ones")  # fmt: skip
    parser.add_argument("--trades", type=Path, metavar="FILE",
                        help="play the trades of this file, of one pair")  # fmt: skip
    parser.add_argument("--books", type=Path, metavar="FILE",
                        help="with the order books of this file, or with them alone")  # fmt: skip


@dataclass(frozen=True)
class Markets:
    """The pairs, where their bars come from, and what was recorded of the one that was."""

    pairs: tuple[str, ...]
    sources: tuple[BarSource, ...]  # of the pairs, in their order
    recording: Recording | None
    name: str  # whose memory belongs to them

    @classmethod
    def chosen(cls, options: Mapping[str, Any]) -> "Markets":
        """As a command was asked.

        Raises:
            CommandError: options that exclude each other, a file that cannot be read, or nothing
                fitting is stored.
        """
        pairs, exchange = tuple(options["pairs"]), options["bars"]
        files = {name: options[name] for name in ("trades", "books") if options[name]}
        if files:
            recording, name = _recorded(pairs, exchange, files)
            return cls(pairs, (recording.bars(),), recording, name)
        name = f"the bars of {exchange}" if exchange else f"the invented market {SYNTHETIC_SEED}"
        return cls(pairs, tuple(source_of(pair, exchange) for pair in pairs), None, name)

    @property
    def begin_ns(self) -> int | None:
        """Where what was recorded begins."""
        return self.recording.begin_ns if self.recording else None

    @property
    def funds(self) -> dict[str, Decimal]:
        """What a new account holds: enough of each quote currency."""
        return FUNDS | {pair.split("/")[1]: FUNDS["USD"] for pair in self.pairs}

    def open(self, simulator: Simulator) -> None:
        """Let the venue list them."""
        for pair, source in zip(self.pairs, self.sources, strict=True):
            simulator.list_pair(pair, source=source, grid=grid_of(pair), recorded=self.recording)


def _recorded(
    pairs: tuple[str, ...], exchange: str | None, files: Mapping[str, Path]
) -> tuple[Recording, str]:
    if exchange or len(pairs) != 1:
        problem = "--bars is given, too" if exchange else f"--pairs names {len(pairs)}"
        words = f"--{next(iter(files))}: a file holds one pair alone; {problem}"
        raise CommandError(words, returncode=EXIT_CONFIGURATION)
    grid, books = grid_of(pairs[0]), list[Snapshot]()
    for name, path in files.items():
        try:
            if name == "books":
                books = read_books(path)
            else:
                trades = read_trades(path)
        except (UnreadableFile, OSError) as error:
            words = f"--{name} {path}: {getattr(error, 'strerror', None) or error}"
            raise CommandError(words, returncode=EXIT_CONFIGURATION) from None
    made = Recording(grid, trades, books) if "trades" in files else Recording.of_books(grid, books)
    return made, " and ".join(f"the {name} of {path.name}" for name, path in files.items())


def source_of(pair: str, exchange: str | None) -> BarSource:
    """Invented bars, or stored ones.

    Raises:
        CommandError: nothing fitting is stored.
    """
    if exchange is None:
        return SyntheticBars(SYNTHETIC_SEED, pair)
    try:
        return choose_bars(open_store(), venue=exchange, symbol=pair, timeframe_seconds=60)
    except StoreError as error:
        raise CommandError(f"--bars: {error}", returncode=EXIT_CONFIGURATION) from None


def grid_of(pair: str) -> Grid:
    """Ticks like the venue's."""
    decimals = CATALOGUE.get(pair.split("/")[0], (0.0, 2, 0.0))[1]
    return Grid(Decimal(1).scaleb(-decimals), LOT, LEAST_QUANTITY, LEAST_COST)
