"""Parquet bars: append, read a range as arrays, gaps. Django-free."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trading.core.records import BAR
from trading.marketdata.files import Files
from trading.marketdata.timeframes import DAY_SECONDS, NS, format_timeframe

CANONICAL = BAR.newbyteorder("<")
PRICES = ("open", "high", "low", "close", "volume")
SCHEMA = pa.schema(
    [pa.field("time", pa.timestamp("ns", tz="UTC"), nullable=False)]
    + [pa.field(name, pa.float64(), nullable=False) for name in PRICES]
)
FOREVER = np.iinfo(np.int64).max
CHUNK = 65_536


class StoreError(Exception):
    """The store cannot do what was asked; the text says why."""


class SeriesNotFound(StoreError):
    """No bars are stored under this key."""


class DamagedSeries(StoreError):
    """A stored file cannot be read."""


@dataclass(frozen=True, slots=True, order=True)
class SeriesKey:
    """What a series is known by; the venue is where the bars come from."""

    venue: str
    symbol: str
    timeframe_seconds: int

    def __post_init__(self) -> None:
        if not re.fullmatch(r"(ccxt:)?[a-z0-9][a-z0-9_-]{0,26}", self.venue):
            raise StoreError(
                f"venue {self.venue!r}: accepted are 1 to 27 of a-z, 0-9, _ and -, such as kraken, and ccxt:kucoin"
            )
        if not re.fullmatch(r"[A-Z0-9][A-Z0-9.]{0,15}/[A-Z0-9][A-Z0-9.]{0,15}", self.symbol):
            raise StoreError(f"symbol {self.symbol!r}: accepted is BASE/QUOTE, such as BTC/USD")
        seconds = self.timeframe_seconds
        if not 1 <= seconds <= DAY_SECONDS or DAY_SECONDS % seconds:
            raise StoreError(
                f"timeframe of {seconds} seconds: a day must hold a whole number of bars"
            )

    def __str__(self) -> str:
        return f"{self.symbol} {format_timeframe(self.timeframe_seconds)} of {self.venue}"

    @property
    def path(self) -> str:
        """Folder of the series below the store's root."""
        return f"{self.venue}/{self.symbol.replace('/', '-')}/{self.timeframe_seconds}"


@dataclass(frozen=True, slots=True)
class Merged:
    """What one merge did: bars new to the series, changed by it, and already there as they are."""

    added: int = 0
    replaced: int = 0
    identical: int = 0

    def __add__(self, other: "Merged") -> "Merged":
        return Merged(
            self.added + other.added,
            self.replaced + other.replaced,
            self.identical + other.identical,
        )


@dataclass(frozen=True, slots=True)
class Summary:
    """A series at a glance. ``sha256`` is over the bars' canonical bytes, whatever files hold them."""

    bars: int
    first_ns: int
    last_ns: int
    missing: int
    longest_gap_ns: int  # from bar to bar across the longest hole; 0 without one
    longest_gap_after_ns: int
    sha256: str
    files: int
    bytes: int


class BarStore:
    """Series of bars as zstd Parquet files, one per UTC day, month or year by timeframe.

    Gaps stay gaps. Every file is replaced as a whole, so a killed import leaves a readable store
    and running it again completes it.
    """

    def __init__(self, root: str | Path) -> None:
        self._files = Files(root)
        self.root = self._files.base

    def stored_keys(self) -> list[SeriesKey]:
        """All stored series."""
        found = []
        for venue in self._files.names(""):
            for symbol in self._files.names(venue):
                for seconds in self._files.names(f"{venue}/{symbol}"):
                    if seconds.isdigit() and self._files.names(f"{venue}/{symbol}/{seconds}"):
                        found.append(SeriesKey(venue, symbol.replace("-", "/"), int(seconds)))
        return sorted(found)

    def merge(self, key: SeriesKey, bars: np.ndarray) -> Merged:
        """Add bars to a series; where a time is stored already the new bar wins.

        Raises:
            ValueError: times do not increase strictly (a mistake of the caller).
            DamagedSeries: a file that would have to be merged with cannot be read.
        """
        if len(bars) == 0:
            return Merged()
        if (np.diff(bars["open_ns"]) <= 0).any():
            raise ValueError("bars to merge must have strictly increasing times")
        unit = _partition_unit(key)
        parts = bars["open_ns"].astype("datetime64[ns]").astype(f"datetime64[{unit}]")
        starts = np.flatnonzero(np.r_[True, parts[1:] != parts[:-1]])
        total = Merged()
        with self._files.exclusive(key.path):
            for start, end in zip(starts, [*starts[1:], len(bars)], strict=True):
                total += self._merge_file(f"{key.path}/{parts[start]}.parquet", bars[start:end])
        return total

    def _merge_file(self, path: str, new: np.ndarray) -> Merged:
        old = self._load(path) if self._files.exists(path) else np.empty(0, BAR)
        if len(old) == 0:
            self._files.put(path, _to_parquet(new))
            return Merged(added=len(new))
        slot = np.searchsorted(old["open_ns"], new["open_ns"])
        known = slot < len(old)
        known[known] = old["open_ns"][slot[known]] == new["open_ns"][known]
        same = int((old[slot[known]] == new[known]).sum())
        merged = Merged(
            added=len(new) - int(known.sum()), replaced=int(known.sum()) - same, identical=same
        )
        if merged.added or merged.replaced:
            old[slot[known]] = new[known]
            both = np.concatenate([old, new[~known]])
            self._files.put(path, _to_parquet(both[np.argsort(both["open_ns"], kind="stable")]))
        return merged

    def iter_bars(
        self,
        key: SeriesKey,
        *,
        start_ns: int = 0,
        end_ns: int = FOREVER,
        chunk: int = CHUNK,
    ) -> Iterator[np.ndarray]:
        """Bars with ``start_ns <= open_ns < end_ns`` in pieces of at most ``chunk``.

        One file is held in memory at a time.

        Raises:
            SeriesNotFound: nothing is stored under the key.
            DamagedSeries: a file cannot be read.
        """
        for path in self._paths(key, start_ns, end_ns):
            bars = self._load(path)
            low, high = np.searchsorted(bars["open_ns"], [start_ns, end_ns])
            for position in range(low, high, chunk):
                yield bars[position : min(position + chunk, high)]

    def read(self, key: SeriesKey, *, start_ns: int = 0, end_ns: int = FOREVER) -> np.ndarray:
        """The whole range as one array.

        Raises: as ``iter_bars``.
        """
        chunks = list(self.iter_bars(key, start_ns=start_ns, end_ns=end_ns))
        return np.concatenate(chunks) if chunks else np.empty(0, BAR)

    def tail(self, key: SeriesKey, *, before_ns: int, count: int) -> np.ndarray:
        """The last ``count`` bars that opened before a moment, fewer where there are fewer.

        Raises: as ``iter_bars``.
        """
        pieces: list[np.ndarray] = []
        wanted = count
        for path in reversed(self._paths(key, 0, before_ns)):
            if wanted <= 0:
                break
            bars = self._load(path)
            bars = bars[: np.searchsorted(bars["open_ns"], before_ns)][-wanted:]
            pieces.insert(0, bars)
            wanted -= len(bars)
        return np.concatenate(pieces) if pieces else np.empty(0, BAR)

    def first_open_ns(self, key: SeriesKey) -> int:
        """When the oldest bar opened.

        Raises: as ``iter_bars``.
        """
        return int(self._load(self._paths(key, 0, FOREVER)[0])["open_ns"][0])

    def summarize(self, key: SeriesKey) -> Summary:
        """Count, span, holes and hash of a series.

        Raises: as ``iter_bars``.
        """
        frame_ns = key.timeframe_seconds * NS
        digest = hashlib.sha256()
        count, first, last, longest, longest_after = 0, 0, 0, 0, 0
        for bars in self.iter_bars(key):
            digest.update(np.ascontiguousarray(bars, CANONICAL).tobytes())
            opens = bars["open_ns"]
            first = int(opens[0]) if count == 0 else first
            previous = np.r_[opens[0] if count == 0 else last, opens[:-1]]
            widest = int(np.argmax(opens - previous))
            if opens[widest] - previous[widest] > max(longest, frame_ns):
                longest, longest_after = (
                    int(opens[widest] - previous[widest]),
                    int(previous[widest]),
                )
            count, last = count + len(bars), int(opens[-1])
        paths = self._paths(key, 0, FOREVER)
        return Summary(
            bars=count,
            first_ns=first,
            last_ns=last,
            missing=(last - first) // frame_ns + 1 - count,
            longest_gap_ns=longest,
            longest_gap_after_ns=longest_after,
            sha256=digest.hexdigest(),
            files=len(paths),
            bytes=sum(self._files.size(path) for path in paths),
        )

    def weigh(self, key: SeriesKey) -> tuple[int, int]:
        """How many files a series has, and their bytes together."""
        return self._files.weigh(key.path)

    def _paths(self, key: SeriesKey, start_ns: int, end_ns: int) -> list[str]:
        names = [name for name in self._files.names(key.path) if name.endswith(".parquet")]
        if not names:
            raise SeriesNotFound(f"no bars of {key} are stored in {self.root}")
        unit = _partition_unit(key)
        chosen = []
        for name in names:
            part = np.datetime64(name.removesuffix(".parquet"), unit)
            opens, ends = (
                int(edge.astype("datetime64[ns]").astype("i8")) for edge in (part, part + 1)
            )
            if opens < end_ns and ends > start_ns:
                chosen.append(f"{key.path}/{name}")
        return chosen

    def _load(self, path: str) -> np.ndarray:
        try:
            with self._files.open(path) as file:
                table = pq.ParquetFile(file, page_checksum_verification=True).read(
                    columns=SCHEMA.names, use_threads=False
                )
            bars = np.empty(table.num_rows, BAR)
            bars["open_ns"] = table.column("time").cast(SCHEMA.field("time").type).cast(pa.int64())
            for name in PRICES:
                bars[name] = table.column(name)
        except (pa.ArrowException, OSError, ValueError, KeyError) as error:
            raise DamagedSeries(
                f"{self._files.full(path)} cannot be read ({str(error).splitlines()[0]}); "
                "remove it and import its span again"
            ) from error
        return bars


def _partition_unit(key: SeriesKey) -> Literal["D", "M", "Y"]:
    """NumPy unit of a file: at most some 90,000 bars each, so a rewrite stays small."""
    if key.timeframe_seconds < 60:
        return "D"
    return "M" if key.timeframe_seconds < 3600 else "Y"


def _to_parquet(bars: np.ndarray) -> pa.Buffer:
    arrays = [pa.array(np.ascontiguousarray(bars["open_ns"])).cast(SCHEMA.field("time").type)]
    arrays += [pa.array(np.ascontiguousarray(bars[name])) for name in PRICES]
    sink = pa.BufferOutputStream()
    pq.write_table(
        pa.Table.from_arrays(arrays, schema=SCHEMA),
        sink,
        compression="zstd",
        write_page_checksum=True,
    )
    return sink.getvalue()
