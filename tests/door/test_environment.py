"""The typed environment: where values come from and what is refused."""

import subprocess
import sys

import pytest
import redis
from celery import current_app

from novapulse import databases, env
from tests import servers

LONG_SECRET = "q1w2e3r4t5y6u7i8o9p0a1s2d3f4g5h6j7k8l9z0x1c2v3b4n5m6"
PRODUCTION = {
    "NOVA_ENV": "production",
    "NOVA_SECRET_KEY": LONG_SECRET,
    "DATABASE_URL": "postgresql://novapulse:x@database.invalid/novapulse",
    "REDIS_URL": "redis://redis.invalid/0",
    "NOVA_PUBLIC_URL": "https://novapulse.invalid",
}


@pytest.fixture
def clean_environment(monkeypatch, tmp_path):
    """No variable of ours set, and a project folder without any file."""
    for name in env.variable_names():
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(env, "PROJECT_ROOT", tmp_path)
    monkeypatch.setenv("NOVA_DATA_DIR", str(tmp_path / "var"))
    env.load.cache_clear()
    yield tmp_path
    env.load.cache_clear()


def test_tasks_wait_in_the_redis_database_of_this_installation(redis_url: str) -> None:
    """Many may share a server; a task in another's database is done by the other's worker, or by nobody."""
    current_app.send_task("nobody.does_this", queue="nobodys")

    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("nobodys") == 1


def _set(monkeypatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_addresses_left_by_the_embedded_start_are_found(clean_environment):
    run = clean_environment / "var" / "run"
    run.mkdir(parents=True)
    (run / "embedded.env").write_text("DATABASE_URL=postgresql://a@/b?host=/s\n")

    assert env.load().database_url.get_secret_value() == "postgresql://a@/b?host=/s"


def test_the_operators_file_wins_over_the_embedded_start(clean_environment):
    run = clean_environment / "var" / "run"
    run.mkdir(parents=True)
    (run / "embedded.env").write_text("REDIS_URL=unix:///embedded\n")
    (clean_environment / ".env").write_text("REDIS_URL=redis://mine/0\n")

    assert env.load().redis_url.get_secret_value() == "redis://mine/0"


def test_the_process_environment_wins_over_the_operators_file(clean_environment, monkeypatch):
    (clean_environment / ".env").write_text("NOVA_PORT=1001\n")
    _set(monkeypatch, NOVA_PORT="1002")

    assert env.load().port == 1002


def test_names_of_the_original_product_are_understood(clean_environment, monkeypatch):
    _set(monkeypatch, DASHBOARD_PORT="9000")

    assert env.load().port == 9000


def test_a_misspelt_variable_is_refused_with_the_near_miss(clean_environment, monkeypatch):
    _set(monkeypatch, NOVA_PROT="9000")

    with pytest.raises(env.InvalidEnvironment, match=r"NOVA_PROT: .* did you mean NOVA_PORT\?"):
        env.load()


def test_a_misspelt_variable_in_the_file_is_refused_with_the_near_miss(clean_environment):
    (clean_environment / ".env").write_text("NOVA_SECRET_KYE=x\n")

    with pytest.raises(env.InvalidEnvironment, match=r"did you mean NOVA_SECRET_KEY\?"):
        env.load()


@pytest.mark.parametrize(
    ("name", "value"),
    [("NOVA_PORT", "70000"), ("NOVA_SECRET_KEY", "short"), ("NOVA_LOG_LEVEL", "LOUD")],
)
def test_a_value_that_does_not_hold_is_refused_by_name(clean_environment, monkeypatch, name, value):
    _set(monkeypatch, **{name: value})

    with pytest.raises(env.InvalidEnvironment, match=f"{name}: "):
        env.load()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "NOVA_PORT",
            "abc",
            "NOVA_PORT: accepted is a whole number between 1 and 65535, was 'abc'",
        ),
        ("NOVA_LEASE_SECONDS", "0", "NOVA_LEASE_SECONDS: accepted is a number between 0.5 and 120"),
        ("NOVA_DEMO_MARKET", "moon", "was 'moon'"),
    ],
)
def test_a_refusal_tells_what_is_accepted_and_what_was_given(
    clean_environment, monkeypatch, name, value, words
):
    _set(monkeypatch, **{name: value})

    with pytest.raises(env.InvalidEnvironment) as refusal:
        env.load()

    assert words in str(refusal.value)


def test_a_refused_secret_is_not_repeated_in_the_message(clean_environment, monkeypatch):
    _set(monkeypatch, NOVA_SECRET_KEY="too-short-but-secret")

    with pytest.raises(env.InvalidEnvironment) as refusal:
        env.load()

    assert "too-short-but-secret" not in str(refusal.value)


def test_production_accepts_real_secrets(clean_environment, monkeypatch):
    _set(monkeypatch, **PRODUCTION)

    assert env.load().env == "production"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NOVA_SECRET_KEY", "x" * 60),
        ("NOVA_SECRET_KEY", env.DEVELOPMENT_SECRET),
        ("DATABASE_URL", ""),
        ("REDIS_URL", ""),
        ("NOVA_PUBLIC_URL", "http://novapulse.invalid"),
    ],
)
def test_production_refuses_placeholders(clean_environment, monkeypatch, name, value):
    _set(monkeypatch, **{**PRODUCTION, name: value})

    with pytest.raises(env.InvalidEnvironment, match=f"{name}: production needs"):
        env.load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://user@host/name"),
        ("DATABASE_URL", "postgresql://user@host"),
        ("DATABASE_URL", "postgresql://user:word@host:port/name"),
        ("REDIS_URL", "http://host"),
        ("NOVA_EMAIL_URL", "mail.example"),
    ],
)
def test_a_malformed_address_is_refused_before_anything_starts(
    clean_environment, monkeypatch, name, value
):
    _set(monkeypatch, **{name: value})

    with pytest.raises(env.InvalidEnvironment, match=f"^{name}: "):
        databases.refuse_bad_addresses(env.load_configured())


def test_a_command_tells_a_bad_configuration_in_one_sentence():
    answer = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=servers.PROJECT_ROOT,
        env=env.for_child({"NOVA_PORT": "0", "DJANGO_SETTINGS_MODULE": "novapulse.settings"}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert answer.returncode == 4
    assert answer.stderr.startswith("configuration: NOVA_PORT: ")
    assert "Traceback" not in answer.stderr
