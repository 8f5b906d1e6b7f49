"""Where this installation keeps its bars."""

from novapulse import env as environment
from trading.marketdata.store import BarStore


def open_store() -> BarStore:
    """The bar store of the environment: NOVA_BARS_DIR, or bars below the data directory."""
    env = environment.load()
    return BarStore(env.bars_dir or env.data_dir / "bars")
