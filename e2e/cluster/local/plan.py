"""The paper the supervisor works from: which programs are to run, and which do. Both are files in the state folder."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

PLAN = "plan.json"
RUNNING = "running.json"


@dataclass(frozen=True)
class Component:
    """One program of the cluster: its name, what to execute, and whether it is to run now."""

    name: str
    argv: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    wanted: bool = True


def write_json(path: Path, document: object) -> None:
    """Replace a file whole, so that a reader never meets half of it."""
    half_made = path.with_name(f".{path.name}.{os.getpid()}")
    half_made.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    half_made.rename(path)


def write_plan(state: Path, components: list[Component]) -> None:
    write_json(state / PLAN, [asdict(component) for component in components])


def read_plan(state: Path) -> list[Component]:
    """Read the plan; an absent one says that the cluster is to end (FileNotFoundError)."""
    rows = json.loads((state / PLAN).read_text(encoding="utf-8"))
    return [Component(row["name"], tuple(row["argv"]), row["env"], row["wanted"]) for row in rows]


def write_running(state: Path, pids: dict[str, int]) -> None:
    write_json(state / RUNNING, pids)


def read_running(state: Path) -> dict[str, int]:
    """Read which component runs under which pid (pids of the cluster's own namespace on profile full)."""
    try:
        rows = json.loads((state / RUNNING).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    return {str(name): int(pid) for name, pid in rows.items()}
