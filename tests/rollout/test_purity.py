"""`core` decides and does nothing else: no waiting, no clock, no chance, no environment, no log, no files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CORE = Path(__file__).parents[2] / "operator" / "feem" / "core"
FORBIDDEN_MODULES = {
    "asyncio", "time", "random", "secrets", "os", "sys", "logging", "structlog", "socket", "subprocess", "threading",
    "pathlib", "shutil", "tempfile", "urllib", "http", "uuid", "contextvars", "io",
}  # fmt: skip
FORBIDDEN_CALLS = {"open", "print", "input", "eval", "exec", "__import__"}
CLOCKS = {"now", "utcnow", "today"}
WAITING = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)


def impurities(source: str) -> Iterator[str]:
    """What in a module is more than a decision, with its line."""
    for node in ast.walk(ast.parse(source)):
        line = f"line {getattr(node, 'lineno', 0)}"
        if isinstance(node, WAITING) or (isinstance(node, ast.comprehension) and node.is_async):
            yield f"{line}: waits"
        elif isinstance(node, ast.Import):
            yield from (f"{line}: imports {item.name}" for item in node.names if _root(item.name) in FORBIDDEN_MODULES)
        elif isinstance(node, ast.ImportFrom) and _root(node.module or "") in FORBIDDEN_MODULES:
            yield f"{line}: imports from {node.module}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
            yield f"{line}: calls {node.func.id}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CLOCKS:
            yield f"{line}: asks the clock"
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield f"{line}: keeps state"


def _root(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda path: str(path.relative_to(CORE)))
def test_core_is_pure(path: Path) -> None:
    assert not list(impurities(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "source",
    [
        "async def f(): pass",
        "def f():\n    return [x async for x in y]",
        "import time",
        "from os import environ",
        "import os.path",
        "import random as dice",
        "from datetime import datetime\nx = datetime.now()",
        "import datetime\nx = datetime.date.today()",
        "import datetime\nx = datetime.datetime.utcnow()",
        "print('x')",
        "open('x')",
        "def f():\n    global x\n    x = 1",
    ],
)
def test_what_is_impure_is_noticed(source: str) -> None:
    assert list(impurities(source))
