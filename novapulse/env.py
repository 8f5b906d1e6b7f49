"""Typed environment (pydantic-settings); the only reader of os.environ."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Literal

from annotated_types import Ge, Gt, Le
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent
PLACEHOLDER_SECRETS = frozenset({"", "changeme", "change-me", "secret", "insecure", "password"})
CAN_BE_SHARED = ("kraken", "coinbase", "simulator", "simulator_coinbase")
DEVELOPMENT_SECRET = "development-only-" + "x" * 48


class InvalidEnvironment(Exception):
    """A variable of the environment is missing or outside what is accepted."""


class Env(BaseSettings):
    """Every variable the installation reads, with its default.

    Variables carry the prefix ``NOVA_`` except the two that hosting platforms set
    (``DATABASE_URL``, ``REDIS_URL``) and the aliases of the original product.
    """

    model_config = SettingsConfigDict(
        env_prefix="NOVA_", extra="forbid", frozen=True, populate_by_name=True
    )

    env: Literal["development", "test", "production"] = "development"
    secret_key: SecretStr = SecretStr(DEVELOPMENT_SECRET)
    database_url: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("DATABASE_URL", "NOVA_DATABASE_URL")
    )
    database_app_url: SecretStr = SecretStr("")
    database_staff_url: SecretStr = SecretStr("")
    redis_url: SecretStr = Field(
        default=SecretStr(""), validation_alias=AliasChoices("REDIS_URL", "NOVA_REDIS_URL")
    )
    data_dir: Path = PROJECT_ROOT / "var"
    static_dir: Path | None = None
    bars_dir: Path | None = None
    tape_dir: Path | None = None
    tape_megabytes: int = Field(default=256, ge=16, le=1_000_000)
    tape_days: int = Field(default=90, ge=1, le=36_500)
    demo_bars: Path | None = None
    demo_speed: str = "60"
    demo_market: Literal[
        "auto",
        "simulator",
        "simulator_live",
        "simulator_coinbase",
        "simulator_coinbase_live",
        "kraken",
        "coinbase",
        "synthetic",
    ] = "auto"
    simulator_port: int = Field(default=8092, ge=1, le=65535)
    shared_feeds: str = ""
    kraken_rest_url: str = "https://api.kraken.com"
    kraken_ws_url: str = "wss://ws.kraken.com/v2"
    kraken_ws_auth_url: str = "wss://ws-auth.kraken.com/v2"
    coinbase_rest_url: str = "https://api.coinbase.com/api/v3/brokerage"
    coinbase_ws_url: str = "wss://advanced-trade-ws.coinbase.com"
    coinbase_ws_user_url: str = "wss://advanced-trade-ws-user.coinbase.com"
    host: str = Field(
        default="127.0.0.1", validation_alias=AliasChoices("NOVA_HOST", "DASHBOARD_HOST")
    )
    port: int = Field(
        default=8090, ge=1, le=65535, validation_alias=AliasChoices("NOVA_PORT", "DASHBOARD_PORT")
    )
    allowed_hosts: str = "localhost,127.0.0.1,[::1]"
    public_url: str = ""
    vault_kek: SecretStr = SecretStr("")
    vault_kek_file: Path | None = None
    allow_live: Literal["no", "yes"] = "no"
    email_url: SecretStr = SecretStr("")
    email_from: str = "NovaPulse <novapulse@localhost>"
    invitation_days: int = Field(default=7, ge=1, le=30)
    notices_days: int = Field(default=90, ge=7, le=3650)
    webhook_loopback: Literal["no", "yes"] = "no"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    lease_seconds: float = Field(default=10.0, gt=0.5, le=120)
    lease_heartbeat_seconds: float = Field(default=2.0, gt=0.05, le=30)
    lease_self_stop_seconds: float = Field(default=7.0, gt=0.2, le=110)

    @field_validator("shared_feeds")
    @classmethod
    def _can_be_shared(cls, value: str) -> str:
        unknown = [name for name in value.replace(",", " ").split() if name not in CAN_BE_SHARED]
        if unknown:
            raise ValueError(f"{unknown[0]!r}: accepted are {', '.join(CAN_BE_SHARED)}")
        return value

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 50:
            raise ValueError("must have at least 50 characters")
        return value


def _describe(error: ValidationError) -> str:
    parts = []
    for item in error.errors(include_url=False):
        name = "_".join(str(part) for part in item["loc"]).upper()
        if item["type"] == "extra_forbidden":
            parts.append(_unknown(name))
            continue
        name = name if name in variable_names() else f"NOVA_{name}"
        parts.append(f"{name}: {_refused(_field_of(name), item['msg'], item['input'])}")
    return "; ".join(parts)


def _refused(field: FieldInfo, said: str, value: object) -> str:
    """What is accepted, and what was given unless that is a secret."""
    least = [
        rule.ge if isinstance(rule, Ge) else rule.gt
        for rule in field.metadata
        if isinstance(rule, Ge | Gt)
    ]
    most = [rule.le for rule in field.metadata if isinstance(rule, Le)]
    if least and most:
        kind = "a whole number" if field.annotation is int else "a number"
        said = f"accepted is {kind} between {least[0]} and {most[0]}"
    return said if field.annotation is SecretStr else f"{said}, was {value!r}"


def _field_of(name: str) -> FieldInfo:
    for field_name, field in Env.model_fields.items():
        if name in _names_of(field_name, field):
            return field
    raise KeyError(name)


def variable_names() -> frozenset[str]:
    """Every name the environment may set, aliases included."""
    names: set[str] = set()
    for field_name, field in Env.model_fields.items():
        names.update(_names_of(field_name, field))
    return frozenset(names)


def _names_of(field_name: str, field: FieldInfo) -> tuple[str, ...]:
    alias = field.validation_alias
    if isinstance(alias, AliasChoices):
        return tuple(str(choice) for choice in alias.choices)
    return (f"NOVA_{field_name.upper()}",)


def _unknown(name: str) -> str:
    near = get_close_matches(name, variable_names(), n=1)
    meant = f"did you mean {near[0]}?" if near else "the known ones are listed in .env.example"
    return f"{name}: no such variable; {meant}"


def _refuse_unknown_names() -> None:
    """A misspelt variable of ours would otherwise be ignored without a word."""
    unknown = sorted(
        name for name in os.environ if name.startswith("NOVA_") and name not in variable_names()
    )
    if unknown:
        raise InvalidEnvironment("; ".join(_unknown(name) for name in unknown))


def _read(*files: Path) -> Env:
    try:
        return Env(_env_file=files)  # type: ignore[call-arg]
    except ValidationError as error:
        raise InvalidEnvironment(_describe(error)) from None


def load_configured() -> Env:
    """What the operator set, in the process environment or ``.env``; nothing the launcher wrote.

    Tests are closed to the developer's ``.env``.

    Raises:
        InvalidEnvironment: a variable is unknown or does not hold; the text names it.
    """
    _refuse_unknown_names()
    return _read(*_operator_files())


def _operator_files() -> tuple[Path, ...]:
    return () if os.environ.get("NOVA_ENV") == "test" else (PROJECT_ROOT / ".env",)


@cache
def load() -> Env:
    """Read the environment once.

    ``run/embedded.env`` in the data directory (written by the embedded launcher) and ``.env`` give
    defaults; the process environment wins.

    Raises:
        InvalidEnvironment: a variable does not hold; the text names it.
    """
    configured = load_configured()
    env = _read(configured.data_dir / "run" / "embedded.env", *_operator_files())
    _refuse_placeholders(env)
    return env


def name_for_all(name: str, value: str) -> None:
    """Set it as if the shell had, for this process and all it starts."""
    os.environ[name] = value


def for_child(values: Mapping[str, str]) -> dict[str, str]:
    """The environment of this process with ``values`` on top, for a process we start."""
    return {**os.environ, **values}


def _refuse_placeholders(env: Env) -> None:
    if env.env != "production":
        return
    secret = env.secret_key.get_secret_value()
    if (
        secret == DEVELOPMENT_SECRET
        or secret.lower() in PLACEHOLDER_SECRETS
        or len(set(secret)) < 10
    ):
        raise InvalidEnvironment(
            "NOVA_SECRET_KEY: production needs a random secret of 50 or more characters"
        )
    for name, value in (("DATABASE_URL", env.database_url), ("REDIS_URL", env.redis_url)):
        if not value.get_secret_value():
            raise InvalidEnvironment(f"{name}: production needs the address of a real server")
    if not env.public_url.startswith("https://"):
        raise InvalidEnvironment(
            f"NOVA_PUBLIC_URL: production needs an https:// address, was {env.public_url!r}"
        )
