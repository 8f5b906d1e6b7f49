"""Whole files of single trades, oldest first."""

import time
from pathlib import Path

import numpy as np

from trading.marketdata.candles import TradeOrder, find_broken_trades
from trading.marketdata.formats import UnknownLayout
from trading.marketdata.lines import LineBlocks, UnreadableFile
from trading.marketdata.trades import TRADE, TradeLayout, detect_trades, parse_trades

HEAD_LINES = 50


def read_trades(path: Path) -> np.ndarray:
    """Every trade of a file, as TRADE records; a repeated one once.

    Raises:
        UnreadableFile: these are no trades, or a line cannot be read.
        OSError: nor can the file.
    """
    layout: TradeLayout | None = None
    blocks, order, found = LineBlocks(path), TradeOrder(), [np.empty(0, TRADE)]
    for block in blocks:
        layout = layout or _layout_of(block.data)
        parsed = parse_trades(block, layout)
        sound, broken = find_broken_trades(parsed.trades, parsed.lines, now_ns=time.time_ns())
        trades, misplaced = order.push(parsed.trades[sound], parsed.lines[sound])
        for line, words in sorted(parsed.errors + broken + misplaced):
            raise UnreadableFile(f"line {line}: {words}")
        found.append(trades)
    if blocks.damage:
        raise UnreadableFile(f"line {blocks.next_line}: {blocks.damage}")
    trades = np.concatenate([*found, order.finish()])
    if len(trades) == 0:
        raise UnreadableFile("there is not one trade in it")
    return trades


def _layout_of(head: bytes) -> TradeLayout:
    lines = head.decode(errors="replace").splitlines()[:HEAD_LINES]
    if layout := detect_trades(lines, name=None):
        return layout
    raise UnknownLayout(
        f"its first line is {lines[0]!r}; accepted are trades with a header (ts, price, amount) "
        "and time,price,volume without"
    )
