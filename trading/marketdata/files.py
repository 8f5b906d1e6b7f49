"""The thin seam between the bar store and where its files lie: a folder here or a URL."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

TEMPORARY_PREFIX = ".tmp-"
LOCK_NAME = ".lock"


class Files:
    """Files under one root; a put is all or nothing.

    A folder is written by temporary file, fsync and rename. Anything else is addressed by a URL
    that pyarrow knows (``s3://bucket/bars``), where an upload becomes visible when it is complete.
    """

    def __init__(self, root: str | Path) -> None:
        text = str(root)
        self.local = "://" not in text
        if self.local:
            self.base = str(Path(text).expanduser().resolve())
            self.system: fs.FileSystem = fs.LocalFileSystem()
        else:
            self.system, self.base = fs.FileSystem.from_uri(text)

    def full(self, path: str) -> str:
        """Address of a file below the root, for messages and for opening it."""
        return f"{self.base}/{path}" if path else self.base

    def open(self, path: str) -> pa.NativeFile:
        """Open a file for random access.

        Raises:
            FileNotFoundError: there is none.
        """
        return self.system.open_input_file(self.full(path))

    def names(self, folder: str) -> list[str]:
        """Sorted names of what lies directly in a folder; hidden and unfinished files left out."""
        selector = fs.FileSelector(self.full(folder), allow_not_found=True)
        names = (info.base_name for info in self.system.get_file_info(selector))
        return sorted(name for name in names if not name.startswith("."))

    def weigh(self, folder: str) -> tuple[int, int]:
        """How many files lie directly in a folder, hidden and unfinished left out, and their bytes."""
        selector = fs.FileSelector(self.full(folder), allow_not_found=True)
        found = self.system.get_file_info(selector)
        sizes = [one.size for one in found if one.is_file and not one.base_name.startswith(".")]
        return len(sizes), sum(sizes)

    def exists(self, path: str) -> bool:
        """Whether there is such a file."""
        return bool(self.system.get_file_info(self.full(path)).is_file)

    def size(self, path: str) -> int:
        """Size of a file in bytes."""
        return int(self.system.get_file_info(self.full(path)).size or 0)

    def put(self, path: str, data: pa.Buffer) -> None:
        """Write a whole file; a reader sees the old one or the new one, never a part."""
        target = self.full(path)
        if not self.local:
            with self.system.open_output_stream(target) as out:
                out.write(data)
            return
        folder = os.path.dirname(target)
        os.makedirs(folder, exist_ok=True)
        temporary = os.path.join(
            folder, f"{TEMPORARY_PREFIX}{os.getpid()}-{os.path.basename(target)}"
        )
        with open(temporary, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.replace(temporary, target)

    @contextmanager
    def exclusive(self, folder: str) -> Iterator[None]:
        """Hold the only writer's place in a folder; sweeps what a killed writer left behind.

        Object stores have no such lock: there one importer at a time is the operator's duty.
        """
        if not self.local:
            yield
            return
        full = self.full(folder)
        os.makedirs(full, exist_ok=True)
        with open(os.path.join(full, LOCK_NAME), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for name in os.listdir(full):
                if name.startswith(TEMPORARY_PREFIX):
                    os.unlink(os.path.join(full, name))
            yield
