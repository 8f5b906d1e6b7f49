"""App config of trading."""

from django.apps import AppConfig


class TradingConfig(AppConfig):
    """The trading app; its models live in trading.models."""

    name = "trading"
    verbose_name = "Trading"
