"""Stored bars into files: CSV, Kraken's archive CSV, freqtrade's JSON and feather, Parquet."""

import gzip
import io
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trading.marketdata.parsing import FIELDS
from trading.marketdata.store import SCHEMA
from trading.marketdata.timeframes import format_timeframe

FORMATS = ("csv", "kraken", "json", "feather", "parquet")
TEXT_FORMATS = ("csv", "kraken", "json")
ENDINGS = {".csv": "csv", ".json": "json", ".feather": "feather", ".parquet": "parquet"}
MS, SECOND = 1_000_000, 1_000_000_000


class ExportRefused(Exception):
    """Nothing was written; the text says why."""


def format_of(path: Path) -> str | None:
    """The format a file's ending stands for; None: it does not say."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() != ".gz"]
    return ENDINGS.get(suffixes[-1]) if suffixes else None


def file_name(form: str, *, symbol: str, timeframe_seconds: int) -> str:
    """What the programs that read a format expect: BTC_USDT-5m.feather, XBTUSD_5.csv."""
    base, quote = symbol.split("/")
    if form == "kraken":
        return f"{base.replace('BTC', 'XBT')}{quote}_{timeframe_seconds // 60}.csv"
    return f"{base}_{quote}-{format_timeframe(timeframe_seconds)}.{form}"


def write_file(path: Path, chunks: Iterable[np.ndarray], *, form: str) -> int:
    """Write bars into a new file that appears when it is whole; the number of bars.

    Raises:
        ExportRefused: the file is there already, cannot be written, or there is no bar.
    """
    if path.suffix == ".gz" and form not in TEXT_FORMATS:
        raise ExportRefused(f"{path}: {form} is packed already; leave .gz away")
    temporary = path.with_name(f".tmp-{os.getpid()}-{path.name}")
    try:
        if path.exists():
            raise ExportRefused(f"{path}: there is such a file; remove it or name another")
        with temporary.open("xb") as file:
            with _packed(file, path.suffix == ".gz") as out:
                count = write_bars(out, chunks, form=form)
            file.flush()
            os.fsync(file.fileno())
        if count == 0:
            raise ExportRefused(f"{path}: there is no bar to write, not one whole bar is stored")
        os.link(temporary, path)  # fails where a file came to be meanwhile
    except OSError as error:
        raise ExportRefused(f"{path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    return count


@contextmanager
def _packed(file: BinaryIO, packed: bool) -> Iterator[BinaryIO]:
    if not packed:
        yield file
        return
    with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as out:
        yield out  # type: ignore[misc]


def write_bars(out: BinaryIO, chunks: Iterable[np.ndarray], *, form: str) -> int:
    """Write bars piece by piece; the number of bars."""
    writer = {"feather": _write_feather, "parquet": _write_parquet}.get(form)
    count = 0

    def counted() -> Iterator[np.ndarray]:
        nonlocal count
        for bars in chunks:
            count += len(bars)
            if len(bars):
                yield bars

    if writer:
        writer(out, counted())
    else:
        for text in _texts(form, counted()):
            out.write(text.encode())
    return count


def _texts(form: str, chunks: Iterable[np.ndarray]) -> Iterator[str]:
    if form == "csv":
        yield "ts,open,high,low,close,volume\n"
    between = "["
    for bars in chunks:
        if form == "json":
            rows = [f"[{row[0] // MS},{','.join(map(repr, row[1:]))}]" for row in bars.tolist()]
            yield between + ",".join(rows)
            between = ","
        else:
            unit, end = (MS, "\n") if form == "csv" else (SECOND, ",0\n")  # trades are not counted
            yield "".join(
                f"{row[0] // unit},{','.join(map(repr, row[1:]))}{end}" for row in bars.tolist()
            )
    if form == "json":
        yield "[]" if between == "[" else "]"


def _table(bars: np.ndarray, schema: pa.Schema) -> pa.Table:
    moment = schema.field(0)
    opens = pa.array(np.ascontiguousarray(bars["open_ns"])).cast(pa.timestamp("ns", tz="UTC"))
    columns = [opens.cast(moment.type)]
    columns += [pa.array(np.ascontiguousarray(bars[name])) for name in FIELDS]
    return pa.Table.from_arrays(columns, schema=schema)


def _write_feather(out: BinaryIO, chunks: Iterable[np.ndarray]) -> None:
    """As freqtrade writes and reads it: ``date`` in ms UTC, version 2, LZ4."""
    schema = pa.schema(
        [("date", pa.timestamp("ms", tz="UTC"))] + [(f, pa.float64()) for f in FIELDS]
    )
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with (
        pa.PythonFile(_Unclosed(out), mode="w") as file,
        pa.ipc.new_file(file, schema, options=options) as writer,
    ):
        for bars in chunks:
            writer.write_table(_table(bars, schema))


def _write_parquet(out: BinaryIO, chunks: Iterable[np.ndarray]) -> None:
    """The columns of the store itself, zstd."""
    with (
        pa.PythonFile(_Unclosed(out), mode="w") as file,
        pq.ParquetWriter(file, SCHEMA, compression="zstd", write_page_checksum=True) as writer,
    ):
        for bars in chunks:
            writer.write_table(_table(bars, SCHEMA))


class _Unclosed(io.RawIOBase):
    """Arrow closes what it writes to; the file is still to be synced."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._out.write(data)

    def flush(self) -> None:
        self._out.flush()
