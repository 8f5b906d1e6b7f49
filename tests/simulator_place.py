"""Where an installation of a test finds the venue simulator."""

import json
from pathlib import Path
from typing import Any


def tell_port(folder: Path, port: int, **more: Any) -> None:
    """What the simulator leaves in the data directory once it listens."""
    run = folder / "run"
    run.mkdir(parents=True, exist_ok=True)
    (run / "simulator.json").write_text(json.dumps({"port": port, **more}))
