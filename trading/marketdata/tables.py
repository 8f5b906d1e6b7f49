"""Bars of feather and Parquet files, a batch at a time, each with its row numbers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trading.core.records import BAR
from trading.marketdata.formats import ALIASES, UNIT_NS, NotBars, UnknownLayout, time_unit
from trading.marketdata.lines import UnreadableFile
from trading.marketdata.parsing import FIELDS, INT64_MAX, LineError, Parsed

BATCH_ROWS = 65_536
MAGIC = {"feather": b"ARROW1", "parquet": b"PAR1"}


class TableSource:
    """One feather (version 2) or Parquet file; column names as in CSV headers, case aside."""

    unit = "row"

    def __init__(self, path: Path, kind: str) -> None:
        """Look at the columns and the first batch.

        Raises:
            UnreadableFile: no such columns, other types, or a damaged file.
        """
        self.path, self._kind = path, kind
        self.notes: list[str] = []
        self.damage: LineError | None = None
        first = self._first_batch()
        self._columns = find_columns(first.schema)
        moments = first.column(self._columns["time"])
        self._time_unit = _unit_of(first.schema.field(self._columns["time"]), moments)
        self.head_opens = self._parse(first, 1).bars["open_ns"]
        self.description = f"{kind}, {len(first.schema)} columns, time in {self._time_unit}"

    def __iter__(self) -> Iterator[Parsed]:
        row = 1
        try:
            for batch in self._batches():
                yield self._parse(batch, row)
                row += batch.num_rows
        except (pa.ArrowException, OSError) as error:
            self.damage = row, f"damaged {self._kind} file ({_first_line(error)}): nothing after it"

    def _first_batch(self) -> pa.RecordBatch:
        try:
            first = next(iter(self._batches()), None)
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, FileNotFoundError | PermissionError):
                raise
            raise UnreadableFile(f"damaged {self._kind} file: {_first_line(error)}") from error
        if first is None or first.num_rows == 0:
            raise UnreadableFile("the file holds no row")
        return first

    def _batches(self) -> Iterator[pa.RecordBatch]:
        with self.path.open("rb") as handle, pa.PythonFile(handle, mode="r") as file:
            if self._kind == "parquet":
                yield from pq.ParquetFile(file).iter_batches(BATCH_ROWS, use_threads=False)
                return
            reader = pa.ipc.open_file(file)
            for number in range(reader.num_record_batches):
                batch = reader.get_batch(number)
                for start in range(0, batch.num_rows, BATCH_ROWS):
                    yield batch.slice(start, BATCH_ROWS)

    def _parse(self, batch: pa.RecordBatch, first_row: int) -> Parsed:
        rows = np.arange(first_row, first_row + batch.num_rows)
        opens, known = self._times(batch.column(self._columns["time"]))
        bars = np.empty(batch.num_rows, BAR)
        bars["open_ns"] = opens
        for name in FIELDS:
            values = batch.column(self._columns[name]).cast(pa.float64(), safe=False)
            bars[name] = values.to_numpy(zero_copy_only=False)  # a null becomes NaN and is named
        errors = [(int(row), "time is absent or out of range") for row in rows[~known]]
        return Parsed(bars[known], rows[known], errors)

    def _times(self, column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
        """Nanoseconds, and where there are any."""
        present = column.is_valid().to_numpy(zero_copy_only=False)
        if self._time_unit in UNIT_NS:
            whole, unit = column.cast(pa.int64()), UNIT_NS[self._time_unit]
        else:
            held = pa.timestamp("s" if pa.types.is_date(column.type) else column.type.unit)
            whole, unit = column.cast(held).cast(pa.int64()), UNIT_NS[held.unit]
        raw = pc.fill_null(whole, -1).to_numpy()
        known = present & (raw >= 0) & (raw <= INT64_MAX // unit)
        return np.where(known, raw, 0) * unit, known


def find_columns(schema: pa.Schema) -> dict[str, str]:
    """Column of the time and of each field of a bar.

    Raises:
        NotBars: a column is absent; the text says which were seen.
        UnknownLayout: a column holds text or something else than numbers.
    """
    by_name = {name.lower(): name for name in schema.names}
    found = {
        field: by_name[alias]
        for field, aliases in ALIASES.items()
        for alias in reversed(aliases)
        if alias in by_name
    }
    seen = ", ".join(schema.names[:12])
    if "price" in by_name and "open" not in found:
        raise NotBars(f"single trades, not bars: its columns are {seen}; give them as CSV")
    if missing := [field for field in ALIASES if field not in found]:
        raise NotBars(
            f"no column for {', '.join(missing)}: the columns are {seen}; "
            "bars need time, open, high, low, close and volume"
        )
    for field in FIELDS:
        kind = schema.field(found[field]).type
        if not (
            pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        ):
            raise UnknownLayout(f"column {found[field]!r} holds {kind}; accepted are numbers")
    return found


def _unit_of(field: pa.Field, moments: pa.Array) -> str:
    if pa.types.is_timestamp(field.type) or pa.types.is_date(field.type):
        return str(field.type)
    if not pa.types.is_integer(field.type):
        raise UnknownLayout(
            f"column {field.name!r} holds {field.type}; accepted are timestamps and whole numbers "
            "of seconds, ms, µs or ns since 1970"
        )
    unit = time_unit([str(moment) for moment in moments[:50].to_pylist()])
    if unit == "ms of day":
        raise UnknownLayout(f"column {field.name!r} holds times smaller than any date")
    return unit


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
