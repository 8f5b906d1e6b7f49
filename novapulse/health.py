"""Whether each part of this installation answers, asked from outside the part."""

import http.client
import socket

import redis
from django.db import connections
from django.db.utils import DatabaseError
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError

ASK_SECONDS = 5.0
PING_SECONDS = 1.5
# An engine renews its heartbeat several times per lease; two leases without one is silence.
LEASES_UNTIL_SILENT = 2.0

Verdict = tuple[bool, str]


def web(host: str, port: int) -> Verdict:
    """Pages and WebSockets: GET /health answers 200."""
    reachable = "127.0.0.1" if host in ("0.0.0.0", "") else "::1" if host == "::" else host  # noqa: S104
    connection = http.client.HTTPConnection(reachable, port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", "/health", headers={"Host": "localhost"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return False, f"no answer ({type(error).__name__})"
    finally:
        connection.close()
    return status == http.client.OK, f"HTTP {status}"


def database() -> Verdict:
    """PostgreSQL answers under the app role."""
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute("SHOW server_version")
            return True, f"PostgreSQL {cursor.fetchone()[0]}"
    except DatabaseError as error:
        return False, str(error).strip().splitlines()[0]


def loudhailer(url: str) -> Verdict:
    """Redis answers."""
    try:
        with redis.Redis.from_url(url, socket_timeout=ASK_SECONDS) as client:
            return True, f"Redis {client.info('server')['redis_version']}"
    except (redis.RedisError, OSError) as error:
        return False, str(error)


def worker() -> Verdict:
    """The Celery worker of housekeeping answers a ping; that of research may be at work."""
    from novapulse.celery import app

    try:
        answers = app.control.ping(
            destination=[f"worker@{socket.gethostname()}"], timeout=PING_SECONDS, limit=1
        )
    except (BrokerError, redis.RedisError, OSError) as error:
        return False, str(error)
    return bool(answers), "answers" if answers else "no answer"


def engines(lease_seconds: float) -> Verdict:
    """Every engine that shall run has shown its heartbeat lately, or has run out of bars."""
    from trading.models import Engine

    try:
        wanted = list(
            Engine._base_manager.using("staff")
            .filter(desired=Engine.Desired.RUNNING)
            .values_list("observed", "heartbeat_at")
        )
    except DatabaseError as error:
        return False, str(error).strip().splitlines()[0]
    now = timezone.now()
    finished = sum(observed == Engine.Observed.FINISHED for observed, _ in wanted)
    limit = lease_seconds * LEASES_UNTIL_SILENT
    beating = sum(
        observed == Engine.Observed.RUNNING
        and heartbeat is not None
        and (now - heartbeat).total_seconds() < limit
        for observed, heartbeat in wanted
    )
    starting = sum(observed == Engine.Observed.STARTING for observed, _ in wanted)
    text = f"{beating} of {len(wanted)} trading" + (f", {finished} finished" if finished else "")
    text += f", {starting} getting ready" if starting else ""
    return beating + finished == len(wanted), text


def engines_get_ready() -> bool:
    """Whether an engine that should run waits for the decision core to be compiled."""
    from trading.models import Engine

    try:
        wanted = Engine._base_manager.using("staff").filter(desired=Engine.Desired.RUNNING)
        return wanted.filter(observed=Engine.Observed.STARTING).exists()
    except DatabaseError:
        return False
