"""What decides may not depend on clocks, chance or the order of sets: a replay must be the same."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLOCK = ROOT / "trading/engine/clock.py"  # the one real clock
CHECKED = sorted(
    path
    for folder in ("trading/core", "trading/engine", "trading/tape")
    for path in (ROOT / folder).rglob("*.py")
    if path != CLOCK
)
MODULES = {"random", "secrets", "time"}
CALLS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "uuid.uuid1", "uuid.uuid4",
    "uuid1", "uuid4", "os.urandom", "os.listdir", "os.scandir", "np.random.default_rng", "hash", "id",
}  # fmt: skip
SLEEP_IN = {
    "trading/engine/runner.py": "asyncio.sleep(0)"
}  # lets others go first, and waits for nothing
UNORDERED_CALLS = {"set", "frozenset"}
# Iterations whose order cannot be seen, and why.
ORDER_IS_UNSEEN = {
    ("trading/engine/guards.py", "self._holds"): "bits of a sum",
    ("trading/engine/runner.py", "done - {keeper}"): "sorted by what they are",
}


def findings(source: str, where: str) -> list[str]:
    """Everything in one module that could differ the next time."""
    tree = ast.parse(source)
    sets = {
        ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign | ast.AnnAssign) and _is_set(node.value)
    }
    ordered = {
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "sorted"
    }
    found = []
    for node in ast.walk(tree):
        words = (
            ast.unparse(node) if isinstance(node, ast.Call | ast.Import | ast.ImportFrom) else ""
        )
        match node:
            case ast.Import():
                found += [words for one in node.names if one.name.split(".")[0] in MODULES]
            case ast.ImportFrom() if node.module in MODULES:
                found.append(words)
            case ast.Call() if ast.unparse(node.func) in CALLS:
                found.append(words)
            case ast.Call() if ast.unparse(node.func) == "asyncio.sleep":
                if SLEEP_IN.get(where) != words:
                    found.append(words)
            case ast.Call() if isinstance(node.func, ast.Attribute) and node.func.attr in (
                "glob", "rglob", "iterdir",
            ):  # fmt: skip
                if node not in ordered:
                    found.append(f"unsorted {words}")
            case ast.For() | ast.comprehension() | ast.AsyncFor():
                over = ast.unparse(node.iter)
                is_set = _is_set(node.iter) or over in sets
                if is_set and (where, over) not in ORDER_IS_UNSEEN:
                    found.append(f"iteration over the set {over}")
    return found


def _is_set(node: ast.expr | None) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call():
            return ast.unparse(node.func) in UNORDERED_CALLS
        case ast.BinOp(op=ast.Sub() | ast.BitOr() | ast.BitAnd()):
            return _is_set(node.left) or _is_set(node.right)
    return False


@pytest.mark.parametrize("path", CHECKED, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_decides_asks_neither_clock_nor_chance(path: Path) -> None:
    assert findings(path.read_text(), str(path.relative_to(ROOT))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "from random import random",
        "at = datetime.now()",
        "key = uuid.uuid4()",
        "async def wait():\n    await asyncio.sleep(1)",
        "for one in {1, 2}:\n    pass",
        "held = set()\nfor one in held:\n    pass",
        "found = [one for one in set(names)]",
        "for path in folder.glob('*'):\n    pass",
        "key = hash(name)",
    ],
)
def test_each_of_these_is_found(source: str) -> None:
    assert findings(source, "trading/engine/new.py") != []


def test_no_exception_is_stale() -> None:
    for where, over in ORDER_IS_UNSEEN:
        assert f" in {over}" in (ROOT / where).read_text()
    for where, words in SLEEP_IN.items():
        assert words in (ROOT / where).read_text()
