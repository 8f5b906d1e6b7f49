"""Addresses of the environment turned into Django's settings (PostgreSQL roles, Redis, e-mail).

One PostgreSQL database is reached under three roles:

* ``owner``: owns tables, migrates; the address in ``DATABASE_URL``.
* ``default``: the app role; owns nothing, cannot bypass row-level security.
* ``staff``: sees all tenants; used by the admin site and named look-ups only.

The app and staff roles are named after the database and their passwords are derived from the
secret key, unless addresses of their own are given.
"""

import hashlib
import hmac
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from novapulse.env import Env, InvalidEnvironment

DatabaseSettings = dict[str, Any]

# A server that is gone without a word: what is sent to it fails after ten seconds, and who only listens notices within
# half a minute; the kernel's own patience is a quarter of an hour, and two hours.
PATIENCE = {
    "connect_timeout": 5,
    "tcp_user_timeout": 10_000,  # milliseconds
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


def parse_postgres_url(url: str, variable: str = "DATABASE_URL") -> DatabaseSettings:
    """Turn ``postgresql://user:password@host:port/name?option=value`` into Django's settings.

    A Unix socket directory is given as ``?host=/path`` as libpq does.

    Raises:
        InvalidEnvironment: another scheme, or no database name.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql"):
        raise InvalidEnvironment(
            f"{variable}: accepted is postgresql://user:password@host:port/name, "
            f"the scheme was {parts.scheme!r}"
        )
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise InvalidEnvironment(f"{variable}: the database name after the last / is missing")
    query = dict(parse_qsl(parts.query))
    try:
        port = parts.port
    except ValueError:
        raise InvalidEnvironment(
            f"{variable}: the port after the host must be a number between 1 and 65535"
        ) from None
    return {
        "ENGINE": "novapulse.postgres",
        "NAME": name,
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.pop("host", unquote(parts.hostname or "")),
        "PORT": str(query.pop("port", port or "")),
        "CONN_MAX_AGE": 0,
        "OPTIONS": {**PATIENCE, **query},
    }


def derive_password(secret_key: str, role: str) -> str:
    """The password of a role we make ourselves: HMAC-SHA256 of its name under the secret key."""
    return hmac.new(
        secret_key.encode(), f"postgres-role:{role}".encode(), hashlib.sha256
    ).hexdigest()


def _role_settings(env: Env, owner: DatabaseSettings, suffix: str, url: str) -> DatabaseSettings:
    if url:
        return parse_postgres_url(url, f"NOVA_DATABASE_{suffix.upper()}_URL")
    role = f"{owner['NAME']}_{suffix}"
    password = derive_password(env.secret_key.get_secret_value(), role)
    return {**owner, "USER": role, "PASSWORD": password, "OPTIONS": dict(owner["OPTIONS"])}


def aliases(env: Env) -> dict[str, DatabaseSettings]:
    """Django's DATABASES: ``default`` (app), ``staff`` and ``owner`` over the same database.

    Without ``DATABASE_URL`` the addresses point at no server; a command that needs one says so.
    """
    url = env.database_url.get_secret_value() or "postgresql://novapulse@localhost/novapulse"
    owner = parse_postgres_url(url)
    app = _role_settings(env, owner, "app", env.database_app_url.get_secret_value())
    staff = _role_settings(env, owner, "staff", env.database_staff_url.get_secret_value())
    return {"default": app, "staff": staff, "owner": owner}


def refuse_bad_addresses(env: Env) -> None:
    """Tell a malformed address before anything is started.

    Raises:
        InvalidEnvironment: an address of PostgreSQL, Redis or the mail server does not hold.
    """
    aliases(env)
    email_backend(env)
    scheme = urlsplit(env.redis_url.get_secret_value()).scheme
    if scheme not in ("", "redis", "rediss", "unix"):
        raise InvalidEnvironment(
            f"REDIS_URL: accepted is redis://host:port/0 or unix:///path, the scheme was {scheme!r}"
        )


def celery_redis_url(url: str) -> str:
    """Celery spells a Unix socket ``redis+socket://`` where redis-py says ``unix://``, and its database
    ``virtual_host`` where that says ``db``."""
    if not url.startswith("unix://"):
        return url
    parts = urlsplit(url)
    told = parse_qsl(parts.query)
    query = urlencode([("virtual_host" if name == "db" else name, value) for name, value in told])
    return f"redis+socket://{parts.path}" + (f"?{query}" if query else "")


def email_backend(env: Env) -> tuple[str, str, int, str, str, bool]:
    """Backend, host, port, user, password and TLS from ``NOVA_EMAIL_URL``.

    Without one, letters are written into the data directory and shown on the mailbox page.

    Raises:
        InvalidEnvironment: another scheme than smtp:// or smtps://.
    """
    url = env.email_url.get_secret_value()
    if not url:
        return ("django.core.mail.backends.filebased.EmailBackend", "", 25, "", "", False)
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise InvalidEnvironment(
            "NOVA_EMAIL_URL: accepted is smtp://user:password@host:port or smtps://…, "
            f"the scheme was {parts.scheme!r}"
        )
    return (
        "django.core.mail.backends.smtp.EmailBackend",
        parts.hostname,
        parts.port or 587,
        unquote(parts.username or ""),
        unquote(parts.password or ""),
        parts.scheme == "smtps",
    )
