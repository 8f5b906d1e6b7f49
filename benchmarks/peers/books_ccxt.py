"""ccxt.pro's Kraken: the frame as its client decodes it, then its own handler; its checksum is off by default."""

import asyncio

import ccxt.pro
from frame_clock import Levels, read_lines, tell

SYMBOL, SHOWN = "BTC/USD", 25


async def main() -> None:
    """Hear all frames on a client that is not connected."""
    venue = ccxt.pro.kraken()
    client = venue.client("ws://127.0.0.1:1")

    def best() -> Levels:
        book = venue.orderbooks[SYMBOL]
        return [tuple(level[:2]) for side in ("bids", "asks") for level in book[side][:SHOWN]]

    tell(read_lines(), client.handle_text_or_binary_message, best)
    await venue.close()


if __name__ == "__main__":
    asyncio.run(main())
