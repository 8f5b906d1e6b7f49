"""Days on which a life hangs at a named point of an order's way, and wakes beside the one that took over."""

from trading.chaos.days import Day, Death, Trouble
from trading.chaos.perils import COMMAND_POINTS, PART_POINTS, POINTS

SEED, BARS = 5, 200  # a market in which every point is met
UNCLEAR = {  # so that there is something to look up
    "kraken": Trouble("reply_lost", "AddOrder", "", every=10),
    "kraken-socket": Trouble("reply_lost", "add_order", "", every=10),
    "coinbase": Trouble("reply_lost", "orders", "", every=10),
}
PAUSED_AFTER = 60  # decisions
HANGS_AT = (*POINTS, *PART_POINTS, *COMMAND_POINTS)


def takeovers(*, venue: str) -> list[Day]:
    """One for each point, over each way that this venue's orders can go."""
    ways = ("", "socket") if venue == "kraken" else ("",)
    return [_day(point, venue=venue, way=way) for way in ways for point in HANGS_AT]


def _day(point: str, *, venue: str, way: str) -> Day:
    unclear = UNCLEAR[f"{venue}-{way}" if way else venue]
    return Day(
        seed=SEED,
        bars=BARS,
        venue=venue,
        way=way,
        name="-".join(("takeover", *point.split("_"), *filter(None, [way]))),
        troubles=(unclear,) if point.endswith("_lookup") else (),
        deaths=(Death(point, hangs=True),),
        pause_after=PAUSED_AFTER if point in COMMAND_POINTS else 0,
    )
