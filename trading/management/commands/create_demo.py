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

from trading import operations
from trading.marketdata.timeframes import parse_timeframe
from trading.models import BarSeries

EXIT_CONFIGURATION = 4


class Command(BaseCommand):
    """Demo tenant, owner, paper account, bot and engine."""

    help = "Create the demo workspace; safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Machine-readable answer."""
        parser.add_argument("--json", action="store_true")

    def handle(self, *, json: bool, **_: Any) -> None:
        """Import NOVA_DEMO_BARS if it is named, then ensure the demo."""
        stored = BarSeries.objects.select_related("instrument").order_by("-bars", "id")
        if settings.DEMO_BARS is not None:
            stored = stored.filter(**self._import(settings.DEMO_BARS))
        series = stored.first()
        demo = operations.ensure_demo(series=series, speed=settings.DEMO_SPEED, now=timezone.now())
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
        market = "stored bars of" if demo.venue == "replay" else "seeded synthetic market"
        if as_json:
            return json.dumps({"email": demo.email, "venue": demo.venue, "market": demo.instrument})
        return f"demo workspace of {demo.email}: {market} {demo.instrument}"


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner may read."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(text)
