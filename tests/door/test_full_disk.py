"""A first start on a disk without room: one sentence, and nothing that is left running."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import servers
from tests.pages import free_port


def small_volume(folder: Path, size: str) -> None:
    """Mount one, which the account of the servers may reach too."""
    folder.chmod(0o755)
    options = f"size={size},mode=755"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("this user may not mount a volume")


def door(verb: str, volume: Path) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    return subprocess.run(
        [sys.executable, "-m", "novapulse.door", verb],
        cwd=servers.PROJECT_ROOT,
        env={**kept, "NOVA_DATA_DIR": str(volume / "data"), "NOVA_PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(params=["4k", "30m"])  # less than the door's own notes, or than a cluster
def volume(request) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        small_volume(Path(folder), request.param)
        try:
            yield Path(folder)
            door("stop", Path(folder))
        finally:
            subprocess.run(["umount", "-l", folder], check=True)


def test_a_first_start_on_a_full_disk_is_one_sentence(volume: Path) -> None:
    done = door("start", volume)

    complaint = done.stderr.strip().splitlines()
    assert len(complaint) == 1, done.stderr
    assert done.returncode == 1
    assert str(volume) in complaint[0]
    assert complaint[0].endswith("then start again.")
    assert "Traceback" not in done.stdout
    assert door("status", volume).returncode == 3
