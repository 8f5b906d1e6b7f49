"""The client stands alone: whoever installs it gets nothing of the house, and needs nothing of it."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

CLIENT = Path(__file__).resolve().parents[2] / "clients" / "python"
NEEDED = {"httpx", "msgspec"}
EXTRAS = {"stream.py": {"websockets"}}


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def test_it_imports_the_standard_library_and_what_it_declares() -> None:
    modules = sorted((CLIENT / "novapulse_client").glob("*.py"))
    own = sys.stdlib_module_names | {"novapulse_client"}
    told = {name for path in modules for name in imported(path) - EXTRAS.get(path.name, set())}

    assert modules
    assert told - own == NEEDED
    for name, extra in EXTRAS.items():
        assert imported(CLIENT / "novapulse_client" / name) - own - NEEDED == extra


def test_it_declares_what_it_needs_and_that_it_is_typed() -> None:
    project = tomllib.loads((CLIENT / "pyproject.toml").read_text())["project"]

    assert {one.split(">")[0] for one in project["dependencies"]} == NEEDED
    extras = project["optional-dependencies"]
    assert {one.split(">")[0] for one in extras["stream"]} == EXTRAS["stream.py"]
    assert (CLIENT / "novapulse_client" / "py.typed").exists()


def test_it_works_without_what_only_the_stream_needs() -> None:
    code = (
        "import sys; sys.modules['websockets'] = None;"
        "from novapulse_client import Client; Client('http://localhost', 'np_x').close()"
    )

    subprocess.run([sys.executable, "-c", code], cwd=CLIENT, check=True)
