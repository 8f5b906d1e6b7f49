"""A backtest's report as one HTML file: style, scripts and data inside, no network needed."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from trading.queries import report_page

BODY = "trading/report/_body.html"
STYLE = "css/report.css"
SCRIPTS = (
    "vendor/lightweight-charts-5.2.1/lightweight-charts.standalone.production.js",
    "js/report.js",
)
# Only what stands in this file may run, and nothing may be fetched: a report is mailed and opened.
POLICY = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src {}; script-src {}"


def render_file(facts: Mapping[str, Any], charts: Mapping[str, Any]) -> str:
    """The whole file.

    Raises:
        FileNotFoundError: a stylesheet or script of ours is not installed.
    """
    report = report_page.page(facts, charts)
    style, scripts = _inline(STYLE), [_inline(name) for name in SCRIPTS]
    policy = POLICY.format(_hash(style), " ".join(map(_hash, scripts)))
    return format_html(
        "<!doctype html>\n"
        '<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" content="{}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        "<title>{}</title>\n<style>{}</style>\n</head>\n"
        '<body class="rp-file">\n{}\n{}\n</body>\n</html>\n',
        policy,
        f"{report['title']}: backtest",
        style,
        render_to_string(BODY, {"report": report}),
        mark_safe("\n".join(f"<script>{one}</script>" for one in scripts)),  # noqa: S308 - our files
    )


def _inline(name: str) -> SafeString:
    found = finders.find(name)
    if not found:
        raise FileNotFoundError(f"static file {name} is not installed")
    return mark_safe(Path(found).read_text(encoding="utf-8"))  # noqa: S308 - a file of ours


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
