"""The engine: one asyncio loop that acts on what the core decides; Django-free."""
