"""Reads out of the source where the operator writes to the cluster, and through what."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

from feem import ports
from feem.ports import chaos

ROOT = Path(__file__).parents[2] / "operator" / "feem"
CLIENT_WRITES = frozenset(
    {"create", "replace", "merge", "apply", "delete", "send", "nudge", "deposit", "patch", "evict"}
)
"""What the Kubernetes client, and the writer in front of it, write with."""
RAW = frozenset({"call_api", "param_serialize"})
"""How the generated client of the kubernetes package sends a request."""
SPEAKERS = ("client", "writer", "api", "cluster")


def modules(room: str = "") -> Iterator[tuple[str, ast.Module]]:
    """Yield every module below a room, as its path within the operator and its syntax."""
    for path in sorted((ROOT / room).rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


def client_writes(tree: ast.Module) -> set[str]:
    """Return the writing methods that a module uses: of anything that speaks to a cluster by its name, or that is awaited.

    A mention is enough, so that a method which is handed on counts as well.
    """
    awaited = {
        id(node.value.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Await) and isinstance(node.value, ast.Call)
    }
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and node.attr in CLIENT_WRITES
        and (id(node) in awaited or ast.unparse(node.value).lower().endswith(SPEAKERS))
    }


def mentions(tree: ast.Module, words: frozenset[str]) -> set[str]:
    """Return which of these attributes a module mentions."""
    return {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in words}


def imports(tree: ast.Module) -> set[str]:
    """Return the modules and names a module imports, dotted."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {item.name for item in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{item.name}" for item in node.names}
    return found


def kinds_given_to(tree: ast.Module, methods: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Yield line and first argument of each call of these methods, as written."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in methods:
            yield node.lineno, ast.unparse(node.args[0]) if node.args else ""


def port_methods() -> set[str]:
    """Return every asynchronous method of the ports: what a controller can wait for outside of itself."""
    found: set[str] = set()
    named = {name: getattr(ports, name) for name in ports.__all__}
    of_chaos = {name: port for name, port in vars(chaos).items() if getattr(port, "__module__", "") == chaos.__name__}
    for name, port in (named | of_chaos).items():
        if inspect.isclass(port) and getattr(port, "_is_protocol", False):
            methods = inspect.getmembers(port, inspect.isfunction)
            found |= {
                f"{name}.{method}"
                for method, function in methods
                if inspect.iscoroutinefunction(function) and not method.startswith("_")
            }
    return found
