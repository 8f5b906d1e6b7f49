"""Typed client of NovaPulse's API v1."""

from novapulse_client.client import Client
from novapulse_client.errors import FieldError, NovaPulseError

__all__ = ["Client", "FieldError", "NovaPulseError"]
