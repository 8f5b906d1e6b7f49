"""Frames of Kraken's book channel as text, each with the checksum its book has after it.

The book is a plain dict here, sorted anew for every frame: nothing is shared with what is measured.
"""

import json
import random
import zlib
from pathlib import Path

SYMBOL, DEPTH, CHECKED = "BTC/USD", 25, 10
MIDDLE, TICKS_PER_UNIT, LOTS_PER_UNIT = 640_000, 10, 10**8
Side = dict[int, int]


def write_frames(path: Path, count: int) -> None:
    """A snapshot and ``count`` updates, one frame a line, always the same ones."""
    drawn = random.Random(11)
    bids: Side = {MIDDLE - k: drawn.randrange(1, 10**9) for k in range(1, DEPTH + 1)}
    asks: Side = {MIDDLE + k: drawn.randrange(1, 10**9) for k in range(1, DEPTH + 1)}
    lines = [frame("snapshot", bids, asks, list(bids.items()), list(asks.items()), 0)]
    for number in range(1, count + 1):
        told: tuple[list[tuple[int, int]], list[tuple[int, int]]] = ([], [])
        for _ in range(drawn.choice((1, 1, 1, 2, 3))):
            is_bid = drawn.random() < 0.5
            change(bids if is_bid else asks, told[not is_bid], drawn, sign=-1 if is_bid else 1)
        for side, sign in ((bids, -1), (asks, 1)):
            for price in sorted(side, key=lambda price: sign * price)[DEPTH:]:
                del side[price]
        lines.append(frame("update", bids, asks, *told, number))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))


def change(side: Side, told: list[tuple[int, int]], drawn: random.Random, *, sign: int) -> None:
    """One level more, less or other, mostly near the best; a side that grows thin is filled up."""
    ordered = sorted(side, key=lambda price: sign * price)
    price = ordered[min(int(drawn.expovariate(0.25)), len(ordered) - 1)]
    what = drawn.random()
    if what < 0.25 and len(ordered) > DEPTH - 3:
        side.pop(price)
        told.append((price, 0))
        return
    if what < 0.40:
        price = max(sign * ordered[0] - 1, sign * MIDDLE + 1) * sign
    elif what < 0.55:
        price = ordered[-1] + sign * drawn.randrange(1, 5)
    side[price] = drawn.randrange(1, 10**9)
    told.append((price, side[price]))


def frame(
    kind: str,
    bids: Side,
    asks: Side,
    bids_told: list[tuple[int, int]],
    asks_told: list[tuple[int, int]],
    number: int,
) -> str:
    """One message, in Kraken's words."""
    best = [(p, asks[p]) for p in sorted(asks)[:CHECKED]]
    best += [(p, bids[p]) for p in sorted(bids, reverse=True)[:CHECKED]]
    stamp = f"2026-01-31T12:{number // 600 % 60:02}:{number // 10 % 60:02}.{number % 10}00000Z"
    row = {
        "symbol": SYMBOL,
        "bids": [level(*one) for one in bids_told],
        "asks": [level(*one) for one in asks_told],
        "checksum": zlib.crc32("".join(f"{price}{lots}" for price, lots in best).encode()),
        "timestamp": stamp,
    }
    text = json.dumps({"channel": "book", "type": kind, "data": [row]}, separators=(",", ":"))
    return text.replace('"<', "").replace('>"', "")


def level(price: int, lots: int) -> dict[str, str]:
    """Numbers with all their decimals, as the venue writes them; the marks are taken off again."""
    whole, part = divmod(lots, LOTS_PER_UNIT)
    return {
        "price": f"<{price // TICKS_PER_UNIT}.{price % TICKS_PER_UNIT}>",
        "qty": f"<{whole}.{part:08}>",
    }
