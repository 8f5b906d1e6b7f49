"""Collected files are served compressed, and a first look at the dashboard stays small."""

import re
from pathlib import Path

from django.core.management import call_command
from whitenoise import WhiteNoise

from tests.servers import PROJECT_ROOT

MOST_BYTES = 250_000  # of the 300 kB of a first load; the page itself is the rest
CHART_LIBRARY = "lightweight-charts"


def loaded_by(*templates: str) -> set[str]:
    """Static files that these templates name, but for the chart library."""
    text = "".join((PROJECT_ROOT / "templates" / one).read_text() for one in templates)
    named = set(re.findall(r"{% static '([^']+)' %}", text))
    return {one for one in named if CHART_LIBRARY not in one}


def test_a_first_look_at_the_dashboard_is_small_over_the_wire(settings, tmp_path: Path) -> None:
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", interactive=False, verbosity=0)
    server = WhiteNoise(None, root=str(tmp_path), prefix="static/")

    sizes = {}
    for name in loaded_by("base.html", "trading/dashboard.html"):
        served = server.files[f"/static/{name}"]
        answer = served.get_response("GET", {"HTTP_ACCEPT_ENCODING": "gzip"})
        sizes[name] = int(dict(answer.headers)["Content-Length"])
        answer.file.close()

    assert len(sizes) > 8
    assert sizes["vendor/tabler-1.6.1/tabler.min.css"] < 120_000
    assert sum(sizes.values()) < MOST_BYTES, sizes
