"""Venues and feeds behind the engine's ports; Django-free."""
