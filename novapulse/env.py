"""Typed environment (pydantic-settings); the only reader of os.environ."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parent.parent
PLACEHOLDER_SECRETS = frozenset({"", "changeme", "change-me", "secret", "insecure", "password"})
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
    bars_dir: Path | None = None
    demo_bars: Path | None = None
    demo_speed: str = "60"
    host: str = Field(default="127.0.0.1", validation_alias=AliasChoices("NOVA_HOST", "DASHBOARD_HOST"))
    port: int = Field(
        default=8090, ge=1, le=65535, validation_alias=AliasChoices("NOVA_PORT", "DASHBOARD_PORT")
    )
    allowed_hosts: str = "localhost,127.0.0.1,[::1]"
    public_url: str = ""
    email_url: SecretStr = SecretStr("")
    email_from: str = "NovaPulse <novapulse@localhost>"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    lease_seconds: float = Field(default=10.0, gt=0.5, le=120)
    lease_heartbeat_seconds: float = Field(default=2.0, gt=0.05, le=30)
    lease_self_stop_seconds: float = Field(default=7.0, gt=0.2, le=110)

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if len(value.get_secret_value()) < 50:
            raise ValueError("must have at least 50 characters")
        return value


def _describe(error: ValidationError) -> str:
    parts = []
    for item in error.errors(include_url=False, include_input=False):
        name = "_".join(str(part) for part in item["loc"]).upper()
        name = name if name.startswith(("NOVA_", "DATABASE_", "REDIS_")) else f"NOVA_{name}"
        parts.append(f"{name}: {item['msg']}")
    return "; ".join(parts)


@cache
def load() -> Env:
    """Read the environment once.

    Files named in ``var/run/embedded.env`` (written by the embedded launcher) and ``.env`` give
    defaults; the process environment wins.

    Raises:
        InvalidEnvironment: a variable does not hold; the text names it.
    """
    files = (PROJECT_ROOT / "var" / "run" / "embedded.env", PROJECT_ROOT / ".env")
    try:
        env = Env(_env_file=files)  # type: ignore[call-arg]
    except ValidationError as error:
        raise InvalidEnvironment(_describe(error)) from None
    _refuse_placeholders(env)
    return env


def _refuse_placeholders(env: Env) -> None:
    if env.env != "production":
        return
    secret = env.secret_key.get_secret_value()
    if secret == DEVELOPMENT_SECRET or secret.lower() in PLACEHOLDER_SECRETS or len(set(secret)) < 10:
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
