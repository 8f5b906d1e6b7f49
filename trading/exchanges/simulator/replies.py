"""Answers of the simulated venue that belong to no protocol."""

from aiohttp import web

PAGE_520 = "<html><head><title>520: Web server is returning an unknown error</title></head></html>"


def hang_up(request: web.Request) -> web.StreamResponse:
    """The connection dies without a word."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
