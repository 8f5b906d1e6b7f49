"""What programs of ours load before they know any setting; tests/forking.py forks them after it.

Nothing here may read the configuration: each program is given its own, and loads models with it.
"""

import gc
import importlib
import pkgutil

from django.conf import settings

# Neither Django nor the environment is known to these, as the import contracts see to.
OURS = ("backtest", "core", "engine", "exchanges", "research", "tape")
OTHERS = (
    "allauth.account", "autobahn.twisted.websocket",
    "celery.bin.celery", "channels.generic.websocket", "cryptography.fernet",
    "django.contrib.staticfiles", "django.core.management.base", "django.db.backends.postgresql.base",
    "django.forms", "django.http", "django.template.defaulttags", "django.test", "django.urls",
    "drf_spectacular", "fido2.server", "httpx", "kombu.transport.redis", "psycopg", "pydantic_settings",
    "qrcode", "redis.asyncio", "rest_framework", "structlog", "twisted.web.http", "uvloop",
)  # fmt: skip


def load() -> None:
    """The modules, and the decision core as it was compiled."""
    for name in OTHERS:
        importlib.import_module(name)
    for room in OURS:
        package = importlib.import_module(f"trading.{room}")
        for module in pkgutil.walk_packages(package.__path__, f"trading.{room}."):
            importlib.import_module(module.name)
    importlib.import_module("trading.wiring.warm").warm_core()
    assert not settings.configured, "a program's settings are its own"
    gc.collect()
    gc.freeze()


try:
    load()
except ImportError as error:  # which a fork server passes over in silence
    raise RuntimeError(f"nothing was loaded ahead: {error}") from error
