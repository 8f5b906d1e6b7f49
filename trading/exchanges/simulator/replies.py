"""Answers of the simulated venue that belong to no protocol."""

from collections.abc import Callable

from aiohttp import web

from trading.exchanges.simulator.faults import Fault

CUT_OFF = ("request_lost", "request_late")

PAGE_520 = "<html><head><title>520: Web server is returning an unknown error</title></head></html>"


def cut_off(
    request: web.Request,
    fault: Fault,
    later: Callable[[float, Callable[[], object]], None],
    arrive: Callable[[], object],
) -> web.StreamResponse:
    """The sender hears nothing more; what is late arrives all the same."""
    if fault.kind == "request_late":
        later(fault.seconds, arrive)
    return hang_up(request)


def hang_up(request: web.Request) -> web.StreamResponse:
    """The connection dies without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
