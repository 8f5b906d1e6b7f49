"""CSV for spreadsheets (pure): exact decimals, UTC times, and text that is never a formula."""

import csv
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TextIO

# What a spreadsheet takes for the beginning of a formula, full-width forms included, and the
# blanks it skips before looking.
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
GUARD = "'"


def exact(value: Decimal) -> str:
    """All digits of a number and no more; normalize() would round to 28."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) if value else "0"


def cell(value: Any) -> str:
    """A value as it stands in a file.

    Numbers are numbers, also negative ones; text that could be taken for a formula, or for text
    guarded by us, begins with an apostrophe.
    """
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case float():
            return repr(value)
        case Decimal():
            return exact(value)
        case int():
            return str(value)
        case datetime():
            return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
        case bytes() | memoryview():
            return bytes(value).hex()
        case dict() | list():
            return cell(json.dumps(value, ensure_ascii=False, sort_keys=True))
    text = str(value)
    return GUARD + text if text.lstrip(" ").startswith((*FORMULA_SIGNS, GUARD)) else text


def shown(value: Any) -> str:
    """A value as it stands on a page: as in a file, without the guard, times to the second."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    return value if isinstance(value, str) else cell(value)


def write_csv(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write header and rows (RFC 4180); how many rows."""
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(header)
    count = 0
    for row in rows:
        writer.writerow([cell(value) for value in row])
        count += 1
    return count
