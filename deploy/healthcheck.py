"""Container health: GET /health on our own port as the proxy would ask it."""

import http.client
import sys

PORT = 8000
ASK_SECONDS = 5.0


def main() -> int:
    """Exit code 0 when the answer is 200."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=ASK_SECONDS)
    connection.request(
        "GET", "/health", headers={"Host": "localhost", "X-Forwarded-Proto": "https"}
    )
    return 0 if connection.getresponse().status == http.client.OK else 1


if __name__ == "__main__":
    sys.exit(main())
