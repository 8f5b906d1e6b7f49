"""Bars as files: import, store, read; Django-free but for the index cards."""
