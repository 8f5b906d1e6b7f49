"""One file into the store: names, layout, checks, merge; the report of it. Django-free."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from trading.core.records import BAR
from trading.marketdata.candles import TradeReader
from trading.marketdata.gaps import GapReport, report_gaps
from trading.marketdata.grid import Grid, infer_grid, sample
from trading.marketdata.lines import LineBlocks, UnreadableFile
from trading.marketdata.names import parse_symbol, read_name
from trading.marketdata.reader import BarReader, ReadOptions, ReadReport
from trading.marketdata.sources import head_lines, sniff
from trading.marketdata.store import BarStore, Merged, SeriesKey, Summary
from trading.marketdata.trades import FORMATS as TRADE_FORMATS
from trading.marketdata.trades import detect_trades

MERGE_BARS = 131_072
LONGEST_HOLES = 20  # named after an import; list_bars --gaps names every one
Progress = Callable[[int], None]


class ImportRefused(Exception):
    """Nothing of the file was imported; the text says why."""


class FileMissing(ImportRefused):
    """There is no such file."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """What to import as what; None: to be found out from name and content."""

    path: Path
    venue: str | None = None
    symbol: str | None = None
    strict: bool = False
    options: ReadOptions = field(default_factory=ReadOptions)


@dataclass(slots=True)
class ImportReport:
    """What an import did."""

    path: str
    key: SeriesKey
    read: ReadReport
    merged: Merged = field(default_factory=Merged)
    summary: Summary | None = None
    grid: Grid | None = None
    gaps: GapReport | None = None  # of the whole series, as it is stored now
    interrupted: bool = False


def import_file(
    store: BarStore, request: ImportRequest, *, now_ns: int, progress: Progress = lambda rows: None
) -> ImportReport:
    """Read a file's bars and merge them into their series.

    On an interrupt what has been merged stays and the report says so.

    Raises:
        ImportRefused: not a file of bars, not known whose bars, no usable row, or with ``strict``
            any broken row.
        StoreError: the store cannot take them.
    """
    (venue, symbol), options, reader = _open(request, now_ns)
    key = SeriesKey(venue, symbol, reader.timeframe_seconds)
    if request.strict:
        _refuse_any_broken(request, options, now_ns)
    report = ImportReport(str(request.path), key, reader.report)
    samples: list[np.ndarray] = []
    try:
        for bars in _batched(reader):
            report.merged += store.merge(key, bars)
            samples.append(sample(bars))
            progress(reader.report.rows)
    except UnreadableFile as error:
        raise ImportRefused(f"{request.path}: {error}") from error
    except KeyboardInterrupt:
        report.interrupted = True
    if not samples and not report.interrupted:
        raise ImportRefused(f"{request.path}: no usable bar; {_first_broken(reader.report)}")
    if samples:
        report.grid = infer_grid(np.concatenate(samples))
    if samples or key in store.stored_keys():
        report.summary = store.summarize(key)
        report.gaps = report_gaps(
            store.iter_bars(key), timeframe_seconds=key.timeframe_seconds, longest=LONGEST_HOLES
        )
    return report


def _open(
    request: ImportRequest, now_ns: int
) -> tuple[tuple[str, str], ReadOptions, BarReader | TradeReader]:
    try:
        sniff(request.path)  # what the file holds says more than what its name does not say
        named, options = _identify(request)
        return named, options, open_reader(request.path, options=options, now_ns=now_ns)
    except FileNotFoundError as error:
        raise FileMissing(f"{request.path}: there is no such file") from error
    except (OSError, UnreadableFile, ValueError) as error:
        raise ImportRefused(f"{request.path}: {_sentence(error)}") from error


def open_reader(path: Path, *, options: ReadOptions, now_ns: int) -> BarReader | TradeReader:
    """The reader of a file of bars, or of trades that bars are built of.

    Raises:
        UnreadableFile, InvalidTimeframe, OSError: as the readers say.
    """
    if options.layout_name in (None, *TRADE_FORMATS) and sniff(path) == "csv":
        head = next(iter(LineBlocks(path)), None)
        layout = head and detect_trades(head_lines(head.data), name=options.layout_name)
        if layout:
            return TradeReader(path, layout, options=options, now_ns=now_ns)
    return BarReader(path, options=options, now_ns=now_ns)


def _identify(request: ImportRequest) -> tuple[tuple[str, str], ReadOptions]:
    named = read_name(request.path.name)
    venue, symbol = request.venue or named.venue, request.symbol or named.symbol
    for what, value, example in (("venue", venue, "kraken"), ("symbol", symbol, "BTC/USD")):
        if value is None:
            raise ImportRefused(
                f"{request.path}: the file name does not say the {what}; give --{what} {example}"
            )
    if request.venue is None and named.quotes:
        venue = f"{venue}-quotes"  # bars of quotes must never overwrite bars of trades
    try:
        pair = parse_symbol(str(symbol))
    except ValueError as error:
        raise ImportRefused(f"{request.path}: {error}") from error
    given = request.options
    return (str(venue), pair), ReadOptions(
        layout_name=given.layout_name,
        day=given.day or named.day,
        timeframe_seconds=given.timeframe_seconds or named.timeframe_seconds,
        show=given.show,
    )


def _refuse_any_broken(request: ImportRequest, options: ReadOptions, now_ns: int) -> None:
    rehearsal = open_reader(request.path, options=options, now_ns=now_ns)
    try:
        for _ in rehearsal:
            pass
    except UnreadableFile as error:
        raise ImportRefused(f"{request.path}: {error}") from error
    if rehearsal.report.broken:
        unit = rehearsal.report.unit
        lines = "; ".join(f"{unit} {line}: {reason}" for line, reason in rehearsal.report.shown)
        raise ImportRefused(
            f"{request.path}: strict, and {rehearsal.report.broken} {unit}s are broken ({lines})"
        )


def _batched(reader: BarReader | TradeReader) -> Iterator[np.ndarray]:
    """Larger pieces, each strictly increasing, so that a stored file is rewritten seldom."""
    held: list[np.ndarray] = []
    for bars in reader:
        if len(bars) == 0:
            continue
        held.append(bars)
        if sum(map(len, held)) >= MERGE_BARS:
            yield _joined(held)
            held = []
    if held:
        yield _joined(held)


def _joined(pieces: list[np.ndarray]) -> np.ndarray:
    bars = np.concatenate(pieces) if pieces else np.empty(0, BAR)
    return bars[np.argsort(bars["open_ns"], kind="stable")]


def _first_broken(report: ReadReport) -> str:
    if not report.shown:
        return "the file holds no rows"
    line, reason = report.shown[0]
    return f"{report.broken} broken {report.unit}s, the first is {report.unit} {line}: {reason}"


def _sentence(error: Exception) -> str:
    if isinstance(error, IsADirectoryError):
        return "this is a folder; name the files in it"
    if isinstance(error, PermissionError):
        return "no permission to read it"
    return str(error)
