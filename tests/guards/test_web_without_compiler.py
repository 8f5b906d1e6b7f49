"""The web process loads no compiler, and no client it does not use: pages start fast, stay small."""

import subprocess
import sys

from tests import servers

PROGRAM = """
import os, sys
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
import novapulse.asgi
from django.urls import get_resolver
get_resolver().reverse_dict
import tenants.admin, trading.admin
heavy = {"aiohttp", "numba", "llvmlite", "pandas", "sklearn"} & set(sys.modules)
print(",".join(sorted(heavy)) or "none")
"""


def test_serving_pages_and_sockets_imports_nothing_heavy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=servers.PROJECT_ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "none"
