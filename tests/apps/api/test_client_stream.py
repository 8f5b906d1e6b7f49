"""The Python client's live stream: at a real server, and at one that breaks, repeats and refuses."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http import HTTPStatus
from itertools import islice
from typing import Any, get_type_hints
from uuid import UUID

import pytest
from django.conf import settings
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from novapulse_client import Client, NovaPulseError, live
from tests.apps.api.conftest import issue
from tests.apps.api.test_client import acme, house
from tests.apps.trading.conftest import People
from trading.stream import payloads
from trading.stream.publisher import RedisPublisher

__all__ = ["acme"]

BROKEN = 1006
ENGINE = "00000000-0000-0000-0000-000000000002"
BAR = {
    "engine_id": ENGINE, "symbol": "BTC/USD", "open_ms": 1_767_614_400_000, "open": 42_000.5,
    "high": 42_100, "low": 41_900, "close": 42_050.1, "volume": 1.5,
}  # fmt: skip
FLAT = {
    "engine_id": ENGINE, "symbol": "BTC/USD", "side": "FLAT", "quantity": "0", "entry_price": "",
    "stop_price": "", "target_price": "", "last_price": "42050.1", "unrealized": "", "opened_ms": 0,
}  # fmt: skip


def tell(tenant_id: Any, told: dict[str, dict[str, Any]]) -> None:
    async def publish() -> None:
        publisher = RedisPublisher(url=settings.REDIS_URL, tenant_id=str(tenant_id))
        for key, value in told.items():
            publisher.publish(key, value)
        await publisher.close()

    asyncio.run(publish())


def test_it_hears_a_real_server_and_nothing_with_a_wrong_key(
    acme: People, fresh_database, tmp_path
) -> None:
    key = issue(acme, "olga", "read")[1]
    tell(acme.engine.tenant_id, {f"bar:0:{ENGINE}": BAR, f"position:0:{ENGINE}": FLAT})

    with house(fresh_database, tmp_path) as (address, _), Client(address, key) as nova:
        stream = nova.stream()
        known = {one.kind: one for one in islice(stream, 2)}
        tell(acme.engine.tenant_id, {f"bar:0:{ENGINE}": {**BAR, "close": 42_060}})
        news = next(stream)
        stream.close()
        with Client(address, "np_wrong") as nobody, pytest.raises(NovaPulseError) as refusal:
            next(nobody.stream())

    bar, position = known["bar"].value, known["position"].value
    assert isinstance(bar, live.BarValue)
    assert isinstance(position, live.PositionValue)
    assert (bar.close, bar.engine_id) == (Decimal("42050.1"), UUID(ENGINE))
    assert bar.opened_at == datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert (position.side, position.entry_price, position.opened_at) == ("FLAT", None, None)
    assert (news.market, news.value) == (0, live.BarValue(**msgspec_of(bar, close=Decimal(42_060))))
    assert refusal.value.status == 4401


def msgspec_of(value: live.BarValue, **changed: Any) -> dict[str, Any]:
    return {name: getattr(value, name) for name in value.__struct_fields__} | changed


@pytest.mark.parametrize(
    ("model", "payload"),
    [
        (live.EngineValue, payloads.EngineStatus),
        (live.AlertValue, payloads.Alert),
        (live.BarValue, payloads.Bar),
        (live.PriceValue, payloads.Price),
        (live.PositionValue, payloads.Position),
        (live.DecisionValue, payloads.Decision),
        (live.FillValue, payloads.Fill),
    ],
)
def test_its_values_have_only_fields_that_are_sent(model: Any, payload: Any) -> None:
    assert set(model.__struct_fields__) <= get_type_hints(payload).keys() | {"engine_id"}


def envelope(key: str, number: int, value: dict[str, Any]) -> dict[str, Any]:
    return {"v": 1, "key": key, "seq": number, "data": value}


class Scripted:
    """A server each of whose connections sends these texts and closes with this code."""

    def __init__(self) -> None:
        self.script: list[tuple[list[Any], int]] = []
        self.keys: list[str | None] = []
        self.redirect_to = ""
        self.confirmed: list[Any] = []

    def answer(self, connection: ServerConnection) -> None:
        texts, code = self.script.pop(0)
        for text in texts:
            connection.send(json.dumps(text))
        if len(texts) > 15:
            self.confirmed.append(json.loads(connection.recv(timeout=10)))
        if code == BROKEN:
            connection.socket.shutdown(socket.SHUT_RDWR)
        connection.close(code)

    def begin(self, connection: ServerConnection, request: Request) -> Response | None:
        self.keys.append(request.headers.get("X-API-Key"))
        if not self.redirect_to:
            return None
        answer = connection.respond(HTTPStatus.FOUND, "")
        answer.headers["Location"] = self.redirect_to
        return answer


@pytest.fixture
def scripted() -> Iterator[Callable[..., tuple[str, Scripted]]]:
    """A scripted server and its address."""
    servers: list[Server] = []

    def make(*script: tuple[list[Any], int]) -> tuple[str, Scripted]:
        one = Scripted()
        one.script = list(script)
        server = serve(one.answer, "127.0.0.1", 0, process_request=one.begin)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.socket.getsockname()[1]}", one

    yield make
    for server in servers:
        server.shutdown()


def heard(address: str, slept: list[float]) -> Iterator[Any]:
    with Client(address, "np_secret", sleep=slept.append) as nova:
        yield from nova.stream()


@pytest.mark.parametrize("code", [1001, BROKEN, 1011, 1013, 4407, 4408, 4429])
def test_a_broken_stream_goes_on_with_what_changed_meanwhile(scripted, code: int) -> None:
    same, old, new = envelope("x", 1, {"n": 1}), envelope("y", 2, {"n": 2}), envelope("y", 1, {})
    address, server = scripted(([[same, old]], code), ([], code), ([[same, new]], 4401))
    slept: list[float] = []
    stream = heard(address, slept)
    told = [(one.key, one.sequence, one.value) for one in islice(stream, 3)]

    with pytest.raises(NovaPulseError) as refusal:
        next(stream)

    assert told == [("x", 1, {"n": 1}), ("y", 2, {"n": 2}), ("y", 1, {})]
    assert server.keys == ["np_secret"] * 3
    assert 0 < slept[0] <= 0.5 < 2 * slept[1] <= 2
    assert refusal.value.status == 4401


@pytest.mark.parametrize("code", [4400, 4401, 4403, 4423])
def test_a_key_that_opens_no_longer_ends_the_stream_in_one_error(scripted, code: int) -> None:
    address, server = scripted(([], code))
    slept: list[float] = []

    with pytest.raises(NovaPulseError) as refusal:
        list(heard(address, slept))

    assert (refusal.value.status, slept, len(server.keys)) == (code, [], 1)
    assert "np_secret" not in f"{refusal.value!r}"


def test_what_was_read_is_confirmed(scripted) -> None:
    texts = [[envelope("x", number, {})] for number in range(16)]
    address, server = scripted((texts, 4401))

    with pytest.raises(NovaPulseError):
        list(heard(address, []))

    assert server.confirmed == [{"read": 16}]


def test_the_key_goes_nowhere_else(scripted) -> None:
    elsewhere, thief = scripted()
    address, server = scripted()
    server.redirect_to = f"{elsewhere.replace('http', 'ws')}/ws/live"

    with pytest.raises(NovaPulseError) as refusal:
        list(heard(address, []))

    assert (refusal.value.status, thief.keys) == (302, [])


def test_no_answer_at_all_is_told_at_once(scripted) -> None:
    with pytest.raises(NovaPulseError) as refusal:
        list(heard("http://127.0.0.1:1", []))

    assert refusal.value.status == 0


@pytest.mark.parametrize("text", [{"no": "list"}, [envelope(f"bar:0:{ENGINE}", 1, {"close": 1})]])
def test_what_it_does_not_understand_is_one_error(scripted, text: Any) -> None:
    address, _ = scripted(([text], 1000))

    with pytest.raises(NovaPulseError, match="Not understood"):
        list(heard(address, []))


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="base_url: http://… or https://…, was 'ftp://x'"):
        list(heard("ftp://x", []))
