"""Kernel decorator, CORE_HASH, cache directory keyed by it; the only importer of numba."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba

CORE_DIR = Path(__file__).resolve().parent
PROJECT_ROOT = CORE_DIR.parent.parent


def source_hash(directory: Path) -> str:
    """SHA-256 over the name and content of every Python file below ``directory``."""
    digest = hashlib.sha256()
    for path in sorted(directory.rglob("*.py")):
        digest.update(path.relative_to(directory).as_posix().encode())
        digest.update(b"\0")
        digest.update(path.read_bytes())
        digest.update(b"\0")
    return digest.hexdigest()


def cache_root() -> Path:
    """A private writable directory for compiled kernels: the project's, or one of this user's."""
    ours = PROJECT_ROOT / "var" / "numba"
    try:
        ours.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.access(ours, os.W_OK):
            return ours
    except OSError:
        pass
    fallback = Path(tempfile.gettempdir()) / f"novapulse-numba-{os.getuid()}"
    fallback.mkdir(mode=0o700, exist_ok=True)
    if fallback.stat().st_uid != os.getuid():
        raise PermissionError(f"{fallback} belongs to somebody else; set NUMBA_CACHE_DIR")
    return fallback


CORE_HASH = source_hash(CORE_DIR)
if not numba.config.CACHE_DIR:  # type: ignore[attr-defined]
    # numba's own stamp misses an edit in another file that a kernel calls: a money bug.
    numba.config.CACHE_DIR = str(  # type: ignore[attr-defined]
        cache_root() / CORE_HASH
    )


def cache_directory() -> Path:
    """Where the compiled kernels of this core lie."""
    return Path(numba.config.CACHE_DIR)  # type: ignore[attr-defined]


def compiled_mark(part: str) -> Path:
    """A file that is there once all of ``part`` was compiled into the cache by these versions."""
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return cache_directory() / f"{part}-{python}-{numba.__version__}"


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a small step for the core, into whatever calls it: a call would cost as much as it.

    Cached, without the GIL, IEEE arithmetic in source order. ``fastmath`` stays off: the same bars
    must give the same bits in every mode.
    """
    return numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function)


def stage(function: Callable[..., Any]) -> Any:
    """Compile like a kernel, but as a function of its own: doors, and what several of them share."""
    return numba.njit(cache=True, nogil=True, error_model="numpy")(function)
