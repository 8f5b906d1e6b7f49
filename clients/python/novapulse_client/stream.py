"""The live stream: connected, confirmed, and connected again when it breaks."""

import logging
import secrets
import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
from websockets.sync.client import ClientConnection, reconnect

from novapulse_client.errors import NovaPulseError
from novapulse_client.live import KINDS, Told, Update

CONFIRM_EVERY = 16
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
MOST_BYTES = 2**26  # the first text holds every key of the workspace
SCHEMES = {"http": "ws", "https": "wss"}
FINAL = {
    4400: "a session and a key together",
    4401: "the key is unknown, revoked or expired, or its maker left",
    4403: "the key leads to no workspace any more",
    4423: "the workspace is suspended",
}

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)  # the library below tells the headers, and with them the key, at DEBUG


class Envelope(msgspec.Struct, frozen=True):
    """A value as it is sent."""

    key: str
    seq: int
    data: dict[str, Any]


decode_text = msgspec.json.Decoder(list[Envelope]).decode


class Straight(reconnect):
    """A connection that follows no redirect: the key is for one place only."""

    def process_redirect(self, exc: Exception) -> Exception:
        return exc


@dataclass(frozen=True, slots=True)
class Line:
    """Where to listen, under which key."""

    address: str
    headers: dict[str, str] = field(repr=False)
    timeout: float

    def connect(self) -> ClientConnection:
        """A new connection."""
        return Straight(
            self.address,
            additional_headers=self.headers,
            open_timeout=self.timeout,
            max_size=MOST_BYTES,
            logger=log,
        ).connect()


def line_to(base_url: str, api_key: str, *, timeout: float) -> Line:
    """The stream of an installation.

    Raises:
        ValueError: the address is none of the web's.
    """
    scheme, _, place = base_url.rstrip("/").partition("://")
    if scheme.lower() not in SCHEMES or not place:
        raise ValueError(f"base_url: http://… or https://…, was {base_url!r}")
    return Line(f"{SCHEMES[scheme.lower()]}://{place}/ws/live", {"X-API-Key": api_key}, timeout)


def listen(line: Line, *, sleep: Callable[[float], None] = time.sleep) -> Generator[Update]:
    """The newest value of every key, then every change, for ever.

    After a break: what is different now. Values that did not change are not told again.

    Raises:
        NovaPulseError: the first connection found no answer, or the key opens no longer.
    """
    newest: dict[str, Envelope] = {}
    delay, connect = FIRST_DELAY_SECONDS, _first
    while True:
        connection = connect(line)
        connect = _again
        if connection is not None:
            with closing(_read(connection)) as envelopes:
                for one in envelopes:
                    delay = FIRST_DELAY_SECONDS
                    if newest.get(one.key) != one:
                        newest[one.key] = one
                        yield read_update(one)
        sleep(delay * (500 + secrets.randbelow(501)) / 1000)
        delay = min(delay * 2, LONGEST_DELAY_SECONDS)


def _first(line: Line) -> ClientConnection | None:
    try:
        return line.connect()
    except (OSError, InvalidHandshake) as error:
        raise _refusal(error) from error


def _again(line: Line) -> ClientConnection | None:
    """None: not now, maybe later."""
    try:
        return line.connect()
    except InvalidStatus as error:
        if 300 <= error.response.status_code < 500 and error.response.status_code != 429:
            raise _refusal(error) from error
    except (OSError, InvalidHandshake) as error:
        log.info("the live stream is out of reach: %s", type(error).__name__)
    return None


def _read(connection: ClientConnection) -> Generator[Envelope]:
    """What one connection tells until it breaks."""
    read = 0
    with connection:
        try:
            while True:
                text = connection.recv()
                yield from _decode(text)
                read += 1
                if read % CONFIRM_EVERY == 0:
                    connection.send(f'{{"read": {read}}}')
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 1006
        if code in FINAL:
            raise NovaPulseError(status=code, title="Stream closed", detail=FINAL[code])
        log.info("the live stream broke with code %d", code)


def _decode(text: str | bytes) -> list[Envelope]:
    try:
        return decode_text(text)
    except msgspec.DecodeError as error:
        raise _not_understood(error) from error


def read_update(envelope: Envelope) -> Update:
    """An envelope's value as what its key says it is; an empty text there means there is none.

    Raises:
        NovaPulseError: it is something else.
    """
    kind, _, rest = envelope.key.partition(":")
    market = rest.partition(":")[0]
    value: Told | dict[str, Any] = envelope.data
    if kind in KINDS:
        told = {name: one for name, one in envelope.data.items() if one != ""}
        try:
            value = msgspec.convert(told, KINDS[kind])
        except msgspec.ValidationError as error:
            raise _not_understood(error) from error
    return Update(
        key=envelope.key,
        kind=kind,
        market=int(market) if market.isdecimal() else None,
        sequence=envelope.seq,
        value=value,
    )


def _not_understood(error: Exception) -> NovaPulseError:
    return NovaPulseError(status=200, title="Not understood", detail=str(error))


def _refusal(error: Exception) -> NovaPulseError:
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        return NovaPulseError(status=status, title="Stream refused", detail=f"HTTP {status}")
    return NovaPulseError(
        status=0, title="No answer", detail=f"{type(error).__name__} {error}".rstrip()
    )
