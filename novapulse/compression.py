"""Pages travel compressed; answers of the API and files are left to the proxy."""

from django.http import HttpRequest, HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class CompressPages(GZipMiddleware):
    """HTML alone: an ETag of the API stays the strong one that ``If-Match`` asks for."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        """Compressed where it is a page and the browser takes it, else as it came."""
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
