"""What a browser fetches for its first look at a page, in bytes over the wire."""

import gzip
import re
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

LOADED = re.compile(r'<(?:link|script|img|use)\b[^>]*?(?:href|src)="(/[^"#]+)')
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@dataclass
class Visitor:
    """A browser's cookies and its offer to take compressed answers."""

    address: str
    opener: OpenerDirector = field(
        default_factory=lambda: build_opener(HTTPCookieProcessor(CookieJar()))
    )

    def sign_in(self, email: str, password: str) -> str:
        """Through the form; the page that comes next."""
        page, _ = self.fetch("/accounts/login/")
        token = TOKEN.search(page)
        assert token, page
        sent = {"login": email, "password": password, "csrfmiddlewaretoken": token[1]}
        return self.fetch("/accounts/login/", urlencode(sent).encode())[0]

    def fetch(self, path: str, sent: bytes | None = None) -> tuple[str, int]:
        """The answer as text, and how many bytes it took, headers included."""
        request = Request(urljoin(self.address, path), sent, {"Accept-Encoding": "gzip"})
        with self.opener.open(request, timeout=60) as answer:
            body = answer.read()
            packed = answer.headers["Content-Encoding"] == "gzip"
            text = (gzip.decompress(body) if packed else body).decode(errors="replace")
            return text, len(body) + len(str(answer.headers))

    def weigh(self, path: str, *, but: str) -> dict[str, int]:
        """Bytes of the page and of each file it names, save those whose name contains ``but``."""
        page, size = self.fetch(path)
        files = {name for name in LOADED.findall(page) if but not in name and "/static/" in name}
        return {path: size} | {name: self.fetch(name)[1] for name in files}
