"""Adapters of the engine's ports to PostgreSQL: journal, lease, inbox."""
