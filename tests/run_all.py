"""Every check and test, one line each: ./SuperStart.sh --test."""

import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tests import servers

TOOLS = servers.PROJECT_ROOT / ".venv" / "bin"
PYTHON = sys.executable
MOST_WORKERS = 4
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# Hundreds of processes are started, and each would compile our modules for itself.
KEEP_COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
# A configuration that production accepts; nothing is contacted while it is checked.
PRODUCTION = {
    "NOVA_ENV": "production",
    "NOVA_SECRET_KEY": secrets.token_urlsafe(64),
    "DATABASE_URL": "postgresql://novapulse:unused@database.invalid/novapulse",
    "REDIS_URL": "redis://redis.invalid/0",
    "NOVA_PUBLIC_URL": "https://novapulse.invalid",
    "NOVA_ALLOWED_HOSTS": "novapulse.invalid",
    "NOVA_EMAIL_URL": "smtp://mail.invalid:587",
}


@dataclass(frozen=True)
class Step:
    """One command that must end with 0; its output is shown when it does not, or as it comes."""

    title: str
    command: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    live: bool = False


def steps(pytest_arguments: Sequence[str]) -> list[Step]:
    """All of them: first the core that pytest, the last, wants compiled; then the longest."""
    manage = (PYTHON, "manage.py")
    workers = min(MOST_WORKERS, 1 + (os.cpu_count() or 1))  # some of them wait for their processes
    at_once = ("-n", str(workers), "--dist", "loadfile", "--no-loadscope-reorder")
    in_tests = {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    return [
        Step("decision core", (*manage, "warm_core"), in_tests),  # else every worker compiles it
        Step("types", (str(TOOLS / "mypy"), ".")),
        Step("import contracts", (str(TOOLS / "lint-imports"),)),
        Step("migrations in sync", (*manage, "makemigrations", "--check", "--dry-run"), in_tests),
        Step(
            "production settings",
            (*manage, "check", "--deploy", "--fail-level", "WARNING"),
            PRODUCTION,
        ),
        Step("ruff check", (str(TOOLS / "ruff"), "check", ".")),
        Step("ruff format", (str(TOOLS / "ruff"), "format", "--check", ".")),
        Step("pytest", (PYTHON, "-m", "pytest", *at_once, *pytest_arguments), in_tests, live=True),
    ]


def run(step: Step) -> bool:
    """Run one step and print its line; whether it passed."""
    started = time.monotonic()
    done = subprocess.run(
        step.command,
        cwd=servers.PROJECT_ROOT,
        env={**os.environ, **KEEP_COMPILED, **step.environment},
        stdin=subprocess.DEVNULL,
        stdout=None if step.live else subprocess.PIPE,
        stderr=None if step.live else subprocess.STDOUT,
        check=False,
    )
    passed = done.returncode == 0
    told = [] if passed or not done.stdout else [done.stdout.decode(errors="replace").rstrip()]
    told.append(line(step.title, "ok" if passed else "FAILED", time.monotonic() - started))
    print("\n".join(told), flush=True)  # in one piece: steps run beside each other
    return passed


def line(title: str, verdict: str, seconds: float) -> str:
    return f"{title:<22} {verdict:<7} {seconds:6.1f} s"


def ensure_browser() -> None:
    """Debian's Chromium where we may install it; without one the browser tests skip and say so."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    started = time.monotonic()
    installed = os.getuid() == 0 and shutil.which("apt-get") is not None and _install_browser()
    verdict = "ok" if installed else "absent"
    print(line("chromium", verdict, time.monotonic() - started), flush=True)
    if not installed:
        print("  Browser tests will skip; as root on Debian: apt-get install chromium")


def _install_browser() -> bool:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ("apt-get", "update", "-qq"),
        ("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"),
    ):
        done = subprocess.run(
            command, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    return done.returncode == 0


def main(arguments: list[str]) -> int:
    """Run every step even after one failed, pytest beside what takes longer; exit code 1 if any did."""
    *chosen, suite = steps([argument for argument in arguments if argument != "--no-pytest"])
    with_pytest = "--no-pytest" not in arguments
    if with_pytest:
        ensure_browser()
    started = time.monotonic()
    with servers.running(), ThreadPoolExecutor(os.cpu_count()) as at_once:
        passing = [at_once.submit(run, step) for step in chosen]
        if with_pytest:
            passing[0].result()
            chosen, passing = [*chosen, suite], [*passing, at_once.submit(run, suite)]
        passed = [one.result() for one in passing]
    failed = [step.title for step, is_good in zip(chosen, passed, strict=True) if not is_good]
    verdict = "ok" if not failed else "FAILED"
    print(line("all", verdict, time.monotonic() - started))
    if failed:
        print(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
