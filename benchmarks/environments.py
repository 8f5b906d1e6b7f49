"""An environment of its own for each peer, made from its locked requirements; says why where it cannot."""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOME = ROOT / "var" / "bench"
LOCKS = ROOT / "requirements" / "bench"
PYTHON = "3.11"  # the newest all of these versions have wheels for
STAMP = "novapulse-lock"


class CannotInstall(Exception):
    """The peer is left out; the text says why."""


def python_of(peer: str, *, lock: Path | None = None) -> Path:
    """The peer's Python, made now where its lock has changed; another lock than its own may be given.

    Raises:
        CannotInstall: what the installer said last.
    """
    lock, home = lock or LOCKS / f"{peer}.txt", HOME / peer
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp, python = home / STAMP, home / "bin" / "python"
    if stamp.is_file() and stamp.read_text() == digest:
        return python
    print(f"installing {peer} …", file=sys.stderr, flush=True)
    uv = shutil.which("uv")
    if uv:
        _call(uv, "venv", "--quiet", "--clear", "--python", PYTHON, str(home))
        _call(uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(lock))
    else:
        base = shutil.which(f"python{PYTHON}") or sys.executable
        _call(base, "-m", "venv", "--clear", str(home))
        _call(str(python), "-m", "pip", "install", "--quiet", "-r", str(lock))
    stamp.write_text(digest)
    return python


def _call(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1800)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotInstall(f"{Path(command[0]).name}: {type(error).__name__}") from error
    if done.returncode:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        raise CannotInstall(" ".join(said[-3:])[:300] or f"exit {done.returncode}")
