"""The report's tables: months as a heat map, splits with bars, random tries as a strip, trades."""

from collections.abc import Mapping, Sequence
from typing import Any

HEAT = (0.005, 0.02, 0.05, 0.10)  # returns of a month from which its colour deepens
SPLITS = (
    ("strategy", "By strategy", "whose stop and target the entry took"),
    ("regime", "By regime", "of the market when the entry was decided"),
    ("exit_reason", "By exit", "each exit by its reason, with its share of the profit"),
    ("side", "By side", ""),
    ("pair", "By pair", ""),
    ("month", "By month", "of the last exit, UTC"),
    ("hour", "By hour", "of the entry, UTC"),
)
LONG = 12  # rows from which a split is folded


def signed_share(value: float | None) -> str:
    """+1.2%; a dash for nothing."""
    return _text(value, "+.1%" if value else ".1%")


def share(value: float | None) -> str:
    """1.2%; a dash for nothing."""
    return _text(value, ".1%")


def signed_money(value: float | None) -> str:
    """+1,234.50; a dash for nothing."""
    return _text(value, "+,.2f" if value else ",.2f")


def number(value: float | None) -> str:
    """1.23; a dash for nothing."""
    return _text(value, ",.2f")


def _text(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form).replace("-", "−")


def tone(value: float | None) -> str:
    """Class of the colour of a gain or a loss."""
    return "" if not value else "rp-up" if value > 0 else "rp-down"


def heat_map(months: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """One row per year with twelve cells and the year's compound return."""
    years: dict[str, dict[int, float]] = {}
    for month, value in months:
        years.setdefault(month[:4], {})[int(month[5:])] = value
    rows = []
    for year, found in years.items():
        growth = 1.0
        for value in found.values():
            growth *= 1 + value
        cells = [_cell(found.get(month)) for month in range(1, 13)]
        rows.append({"year": year, "cells": cells, "total": _cell(growth - 1)})
    return rows


def _cell(value: float | None) -> dict[str, str]:
    if value is None:
        return {"text": "", "heat": ""}
    depth = sum(abs(value) >= limit for limit in HEAT)
    sign = "up" if value > 0 else "down"
    heat = f"rp-heat-{sign}-{depth}" if depth else "rp-heat-0"
    return {"text": _text(100 * value, "+.1f" if value else ".1f"), "heat": heat}


def splits(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """Tables of trades; a split that does not split is left out."""
    told = []
    for name, title, note in SPLITS:
        rows = found[name]
        if not rows or (name in ("side", "pair", "month") and len(rows) < 2):
            continue
        largest = max(abs(row["profit"]) for row in rows) or 1.0
        told.append(
            {
                "title": title,
                "note": note,
                "is_long": len(rows) > LONG,
                "is_exits": name == "exit_reason",
                "rows": [_split_row(row, largest) for row in rows],
            }
        )
    return told


def _split_row(row: Mapping[str, Any], largest: float) -> dict[str, Any]:
    width = round(50 * abs(row["profit"]) / largest, 1)
    return {
        "key": str(row["key"]).replace("_", " "),
        "count": f"{row['count']:,}",
        "profit": signed_money(row["profit"]),
        "tone": tone(row["profit"]),
        "bar_x": 50 if row["profit"] > 0 else round(50 - width, 1),
        "bar_width": width,
        "win_rate": share(row["win_rate"]),
        "profit_factor": number(row["profit_factor"]),
        "expectancy": signed_money(row["expectancy"]),
        "expectancy_r": number(row.get("expectancy_r")),
    }


def random_strip(found: Mapping[str, Any]) -> dict[str, Any] | None:
    """Where the run stands among random tries, on a scale of 0 to 100; None without tries."""
    if "return_quantiles" not in found:
        return None
    quantiles, own = found["return_quantiles"], found["observed_return"]
    low, high = min(quantiles[0], own, 0.0), max(quantiles[-1], own, 0.0)
    room = (high - low) * 0.06 or 1.0
    low, high = low - room, high + room

    def at(value: float) -> float:
        return round(100 * (value - low) / (high - low), 2)

    five, quarter, middle, three, last = (at(value) for value in quantiles)
    return {
        "wide_x": five, "wide": round(last - five, 2), "narrow_x": quarter,
        "narrow": round(three - quarter, 2), "middle": middle, "own": at(own), "zero": at(0.0),
        "own_text": signed_share(own), "middle_text": signed_share(quantiles[2]),
        "low_text": signed_share(quantiles[0]), "high_text": signed_share(quantiles[-1]),
        "tries": f"{found['tries']:,}", "trades": f"{found['trades']:,}",
    }  # fmt: skip


def flatten(params: Mapping[str, Any], path: str = "") -> list[tuple[str, str]]:
    """(dotted name, value) of every parameter."""
    rows: list[tuple[str, str]] = []
    for name, value in params.items():
        where = f"{path}.{name}" if path else name
        if isinstance(value, Mapping):
            rows += flatten(value, where)
        else:
            rows.append((where, f"{value:g}" if isinstance(value, float) else str(value)))
    return rows


def trade(found: Mapping[str, Any]) -> dict[str, Any]:
    """One closed trade as a row."""
    profit, r = float(found["profit"]), found["r"]
    return {
        "entry_at": found["entry_at"][:16].replace("T", " "),
        "exit_at": found["exit_at"][:16].replace("T", " "),
        "symbol": found["symbol"],
        "side": found["side"],
        "strategy": found["strategy"].replace("_", " "),
        "entry_price": f"{float(found['entry_price']):,.8g}",
        "exit_price": f"{float(found['exit_price']):,.8g}",
        "profit": signed_money(profit),
        "tone": tone(profit),
        "r": number(r),
        "reason": found["reason"],
        "parts": len(found["exits"]),
    }
