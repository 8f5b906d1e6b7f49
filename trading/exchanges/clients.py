"""What HTTP clients of a process share: one TLS context, and that an optional module is absent.

The authorities are read once, before engines are forked.
"""

import sys
from functools import cache
from importlib.util import find_spec
from ssl import SSLContext

import httpx

if find_spec("sniffio") is None:
    # httpcore looks for it some four times a request, a tenth of a millisecond of searching in vain:
    # https://github.com/encode/httpcore/pull/1103. None tells Python that there is no such module.
    sys.modules["sniffio"] = None  # type: ignore[assignment]


@cache
def client_context() -> SSLContext:
    """What a client of its own would make, in some milliseconds and megabytes each time."""
    return httpx.create_ssl_context()
