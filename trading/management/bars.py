"""What the commands about bars share: their words, their exit codes, their options."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from trading.marketdata.checks import moment
from trading.marketdata.gaps import GapReport, Hole
from trading.marketdata.importing import ImportReport
from trading.marketdata.names import InvalidSymbol, parse_symbol
from trading.marketdata.store import Summary
from trading.marketdata.timeframes import InvalidTimeframe, format_timeframe, parse_timeframe

EXIT_ERROR, EXIT_NOT_FOUND, EXIT_CONFIGURATION = 1, 2, 4


def symbol(text: str) -> str:
    """Option type: BASE/QUOTE."""
    try:
        return parse_symbol(text)
    except InvalidSymbol as error:
        raise ArgumentTypeError(str(error)) from None


def timeframe(text: str) -> int:
    """Option type: seconds of a timeframe."""
    try:
        return parse_timeframe(text)
    except InvalidTimeframe as error:
        raise ArgumentTypeError(str(error)) from None


def day(text: str) -> date:
    """Option type: a day as 2018-04-04 or 20180404."""
    for form in ("%Y-%m-%d", "%Y%m%d"):
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise ArgumentTypeError(f"date {text!r}: accepted is YYYY-MM-DD or YYYYMMDD")


def positive(text: str) -> Decimal:
    """Option type: a decimal number above 0."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal(0)
    if not (value.is_finite() and value > 0):
        raise ArgumentTypeError(f"{text!r}: accepted is a decimal number above 0")
    return value


def add_grid_options(parser: ArgumentParser) -> None:
    """Options that override what is inferred about an instrument."""
    for name, what in (
        ("--tick", "price step"),
        ("--lot", "quantity step"),
        ("--min-quantity", "least quantity of an order"),
        ("--min-notional", "least value of an order in quote currency"),
    ):
        parser.add_argument(name, type=positive, help=f"{what} of the instrument")


def summary_facts(summary: Summary) -> dict[str, Any]:
    """A series' facts for ``--json``."""
    return {
        "bars": summary.bars,
        "first_at": utc(summary.first_ns),
        "last_at": utc(summary.last_ns),
        "missing": summary.missing,
        "longest_gap_seconds": summary.longest_gap_ns // 1_000_000_000,
        "sha256": summary.sha256,
        "files": summary.files,
        "bytes": summary.bytes,
    }


def utc(time_ns: int) -> str:
    """A time for ``--json``."""
    return f"{moment(time_ns).replace(' ', 'T')}Z"


def hole_facts(hole: Hole) -> dict[str, Any]:
    """A hole for ``--json``: from the first missing bar's open to the next bar's open."""
    return {
        "from": utc(hole.from_ns),
        "to": utc(hole.to_ns),
        "missing": hole.missing,
        "seconds": (hole.to_ns - hole.from_ns) // 1_000_000_000,
    }


def gap_facts(gaps: GapReport) -> dict[str, Any]:
    """A gap report for ``--json``."""
    return {
        "holes": gaps.holes,
        "missing": gaps.missing,
        "share_missing": gaps.share_missing,
        "longest_holes": [hole_facts(hole) for hole in gaps.longest],
    }


def hole_text(hole: Hole) -> str:
    """A hole in words."""
    minutes = (hole.to_ns - hole.from_ns) / 60_000_000_000
    return (
        f"{moment(hole.from_ns)} to {moment(hole.to_ns)}: "
        f"{hole.missing:,} bars, {minutes:,g} minutes"
    )


def gap_lines(gaps: GapReport, *, most: int) -> list[str]:
    """A gap report in words."""
    if not gaps.holes:
        return ["no hole"]
    lines = [f"{gaps.holes:,} holes, {gaps.missing:,} bars missing ({gaps.share_missing:.3%})"]
    lines += [f"  {hole_text(hole)}" for hole in gaps.longest[:most]]
    if gaps.holes > most:
        lines.append(f"  … and {gaps.holes - most:,} shorter or later ones")
    return lines


def import_facts(report: ImportReport) -> dict[str, Any]:
    """An import's facts for ``--json``."""
    read = report.read
    return {
        "path": report.path,
        "venue": report.key.venue,
        "symbol": report.key.symbol,
        "timeframe": format_timeframe(report.key.timeframe_seconds),
        "layout": read.layout,
        "rows": read.rows,
        "bars": read.bars,
        "broken": read.broken,
        "broken_by_reason": dict(read.reasons),
        "broken_lines": [{"line": line, "reason": reason} for line, reason in read.shown],
        "duplicates": read.duplicates,
        "order_breaks": read.order_breaks,
        "added": report.merged.added,
        "replaced": report.merged.replaced,
        "identical": report.merged.identical,
        "notes": read.notes,
        "interrupted": report.interrupted,
        "series": summary_facts(report.summary) if report.summary else None,
        "gaps": gap_facts(report.gaps) if report.gaps else None,
    }


def import_text(report: ImportReport) -> str:
    """An import in words."""
    read, merged, whole = report.read, report.merged, report.summary
    lines = [
        report.path,
        f"  read as    {read.layout}",
        f"  series     {report.key}",
        f"  rows       {read.rows:,} read, {read.broken:,} broken and left out, "
        f"{read.duplicates:,} repeated, order broken {read.order_breaks:,} times",
        f"  store      {merged.added:,} added, {merged.replaced:,} replaced, "
        f"{merged.identical:,} already there",
    ]
    if whole:
        lines.append(f"  now holds  {span_text(whole)}")
        lines.append(f"  sha256     {whole.sha256}")
    if report.gaps:
        lines += [f"  {line}" for line in gap_lines(report.gaps, most=3)]
    lines += [f"  note: {note}" for note in read.notes]
    lines += [f"  {read.unit} {line}: {reason}" for line, reason in read.shown]
    if read.broken > len(read.shown):
        lines.append(f"  … and {read.broken - len(read.shown):,} more broken {read.unit}s")
    if report.interrupted:
        lines.append("  interrupted: what was merged is kept; run it again to complete it")
    return "\n".join(lines)


def span_text(summary: Summary) -> str:
    """A series' span and holes in words."""
    text = (
        f"{summary.bars:,} bars, {moment(summary.first_ns)} to {moment(summary.last_ns)} UTC, "
        f"{summary.missing:,} missing"
    )
    if summary.longest_gap_ns:
        minutes = summary.longest_gap_ns / 60_000_000_000
        text += f", longest hole {minutes:,g} minutes after {moment(summary.longest_gap_after_ns)}"
    return text
