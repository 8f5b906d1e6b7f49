"""Token buckets: so many requests, then Retry-After; never a locked door without Redis."""

import pytest

from tenants.api import throttling
from tests.apps.api.conftest import program


@pytest.fixture
def small(monkeypatch):
    """Buckets of three."""

    def make(name: str, **given) -> None:
        bucket = throttling.Bucket(f"test-{name}", 3, 0.01)
        for module in ("tenants.api.throttling", "tenants.middleware"):
            monkeypatch.setattr(f"{module}.{name}", bucket, raising=False)

    return make


def test_a_caller_waits_after_his_share_and_another_does_not(as_caller, small) -> None:
    small("BY_CALLER")
    tom, vera = as_caller("tom-trade"), as_caller("vera-read")

    codes = [tom.get("/api/v1/status") for _ in range(4)]

    assert [one.status_code for one in codes] == [200, 200, 200, 429]
    assert int(codes[-1]["Retry-After"]) > 1
    assert codes[-1]["Content-Type"] == "application/problem+json"
    assert vera.get("/api/v1/status").status_code == 200


def test_an_address_waits_before_anything_is_looked_up(as_caller, small) -> None:
    small("BY_ADDRESS")
    client = as_caller("anonymous")

    codes = [client.get("/api/v1/health").status_code for _ in range(4)]

    assert codes == [200, 200, 200, 429]


def test_guessing_keys_is_slow(db, small) -> None:
    small("WRONG_KEYS")

    codes = [program(f"np_{k}").get("/api/v1/status").status_code for k in range(5)]

    assert codes == [401, 401, 401, 429, 429]


def test_a_right_key_opens_although_others_guessed(as_caller, small) -> None:
    small("WRONG_KEYS")
    for k in range(5):
        program(f"np_{k}").get("/api/v1/status")

    assert as_caller("vera-read").get("/api/v1/status").status_code == 200


def test_without_redis_nobody_is_locked_out(as_caller, settings) -> None:
    client = as_caller("vera-read")
    throttling._script.cache_clear()
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    try:
        assert client.get("/api/v1/status").status_code == 200
    finally:
        throttling._script.cache_clear()


def test_tokens_come_back_with_time(redis_url) -> None:
    bucket = throttling.Bucket("refill", 2, 1000.0)

    assert [bucket.take("me") for _ in range(2)] == [0, 0]
    assert throttling.Bucket("refill-slow", 1, 0.5).take("me", tokens=2) > 1.0
