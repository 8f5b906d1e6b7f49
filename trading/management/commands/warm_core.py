"""Compile the decision core into its cache, so that the first engine starts at once."""

from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Compile or load every kernel once."""

    help = "Compile the decision core into its cache."

    def handle(self, **_: Any) -> None:
        """Run the doors over a few bars and say which core is warm."""
        from trading.backtest import two_stage
        from trading.core.jit import CORE_HASH
        from trading.wiring.plots import warm_plots
        from trading.wiring.warm import warm_core

        warm_core()
        warm_plots()
        two_stage.warm()
        self.stdout.write(f"core {CORE_HASH[:16]} is warm")
