"""Records by the names of their fields, for what must survive a change of their layout."""

from typing import Any

import numpy as np


class KeptNames:
    """Parts of records by names, each made anew only when a byte of it has changed."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, str], tuple[bytes, dict[str, Any]]] = {}

    def of(self, record: np.void, number: int, part: str) -> dict[str, Any]:
        """A part of the record of this number."""
        raw = record[part].tobytes()
        kept = self._kept.get((number, part))
        if kept is None or kept[0] != raw:
            kept = self._kept[number, part] = (raw, to_names(record[part]))
        return kept[1]


def to_names(record: np.void) -> dict[str, Any]:
    """A record as plain names and values, nested like it; NaN becomes None."""
    return {name: _plain(record[name]) for name in record.dtype.names or ()}


def _plain(value: Any) -> Any:  # any field of a record: a number, a record or an array of either
    if isinstance(value, np.void):
        return to_names(value)
    if isinstance(value, np.ndarray) and value.dtype.names:
        return [_plain(one) for one in value]
    return _without_nan(value.tolist())


def _without_nan(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_nan(one) for one in value]
    return None if value != value else value  # NaN is the only value unlike itself


def from_names(record: np.void, values: dict[str, Any]) -> None:
    """Write values back into the fields that (still) exist; None becomes NaN."""
    for name, value in values.items():
        if name not in (record.dtype.names or ()):
            continue
        if isinstance(value, dict):
            from_names(record[name], value)
        elif isinstance(value, list):
            _fill(record[name], value)
        else:
            record[name] = np.nan if value is None else value


def _fill(array: np.ndarray, values: list[Any]) -> None:
    for k, value in enumerate(values[: len(array)]):
        if isinstance(value, dict):
            from_names(array[k], value)
        elif isinstance(value, list):
            _fill(array[k], value)
        else:
            array[k] = np.nan if value is None else value
