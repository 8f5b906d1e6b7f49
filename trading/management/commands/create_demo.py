"""Make the demo workspace, or what is missing of it."""

import json
from argparse import ArgumentParser
from io import StringIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from tenants import operations as tenant_operations
from trading import operations
from trading.exchanges.synthetic import EPOCH_NS, START_NS, SyntheticBars
from trading.marketdata.catalogue import GivenGrid, register_series
from trading.marketdata.grid import infer_grid, sample
from trading.marketdata.store import SeriesKey
from trading.marketdata.timeframes import parse_timeframe
from trading.models import BarSeries
from trading.operations.demo import DEMO_SYMBOL
from trading.queries.bars import SYNTHETIC_SECONDS, SYNTHETIC_SEED, open_store
from trading.wiring.simulator_state import simulator_key

EXIT_CONFIGURATION = 4
SYNTHETIC = "synthetic"
SAMPLE_BARS = 20_000
MARKETS = {
    "replay": "stored bars of",
    "synthetic": "seeded synthetic market",
    "simulator": "Kraken's wire protocol at the venue simulator,",
    "simulator_coinbase": "Coinbase's wire protocol at the venue simulator,",
    "kraken": "Kraken's public feed,",
    "coinbase": "Coinbase's public feed,",
}


class Command(BaseCommand):
    """Demo tenant, owner, paper account, bot and engine."""

    help = "Create the demo workspace; safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Machine-readable answer."""
        parser.add_argument("--json", action="store_true")

    def handle(self, *, json: bool, **_: Any) -> None:
        """Import NOVA_DEMO_BARS if it is named, then ensure the demo."""
        cards = BarSeries.objects.select_related("instrument").order_by("-bars", "id")
        stored = cards.exclude(instrument__venue=SYNTHETIC)
        if settings.DEMO_BARS is not None:
            stored = stored.filter(**self._import(settings.DEMO_BARS))
        market = settings.DEMO_MARKET
        series = stored.first() if market == "auto" else None
        venue = "simulator" if market == "auto" else market.removesuffix("_live")
        given = simulator_key(venue) if market.endswith("_live") else None
        try:
            demo = operations.ensure_demo(
                series=series,
                speed=settings.DEMO_SPEED,
                now=timezone.now(),
                venue=venue,
                simulator_key=(given.key, given.secret) if given else None,
            )
        except tenant_operations.VaultClosed as error:
            raise CommandError(str(error), returncode=EXIT_CONFIGURATION) from None
        if (
            demo.venue in (SYNTHETIC, "simulator", "simulator_coinbase")
            and not cards.filter(instrument__venue=SYNTHETIC).exists()
        ):
            store_synthetic_history()
        if demo.password is not None:
            write_private(
                settings.DATA_DIR / "run" / "demo.txt", f"{demo.email}\n{demo.password}\n"
            )
        self.stdout.write(self._answer(demo, as_json=json))

    def _import(self, path: Path) -> dict[str, Any]:
        """Import a file; which series it went into."""
        if not path.is_file():
            raise CommandError(
                f"NOVA_DEMO_BARS: {path} is not a file", returncode=EXIT_CONFIGURATION
            )
        answer = StringIO()
        call_command("import_bars", str(path), json=True, stdout=answer)
        imported = json.loads(answer.getvalue())["imported"][0]
        return {
            "instrument__venue": imported["venue"],
            "instrument__symbol": imported["symbol"],
            "timeframe_seconds": parse_timeframe(imported["timeframe"]),
        }

    def _answer(self, demo: "operations.Demo", *, as_json: bool) -> str:
        market = MARKETS[demo.venue]
        if as_json:
            return json.dumps({"email": demo.email, "venue": demo.venue, "market": demo.instrument})
        return f"demo workspace of {demo.email}: {market} {demo.instrument}"


def store_synthetic_history() -> None:
    """The synthetic market before the demo begins, so that there is something to backtest at once."""
    store, key = open_store(), SeriesKey(SYNTHETIC, DEMO_SYMBOL, SYNTHETIC_SECONDS)
    market = SyntheticBars(SYNTHETIC_SEED, DEMO_SYMBOL)
    for bars in market.iter_bars(start_ns=EPOCH_NS, end_ns=START_NS):
        store.merge(key, bars)
    seen = infer_grid(sample(store.tail(key, before_ns=START_NS, count=SAMPLE_BARS)))
    register_series(key=key, summary=store.summarize(key), inferred=seen, given=GivenGrid())


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(text)
