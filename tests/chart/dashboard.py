"""Every query of the Grafana dashboard, ready to be asked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DASHBOARD = Path(__file__).parents[2] / "charts" / "feem" / "files" / "dashboards" / "feem.json"


@dataclass(frozen=True)
class Query:
    """One target of a panel: `expr` has no Grafana variables left; `instant` queries are asked for one moment."""

    panel: str
    expr: str
    instant: bool
    raw: str


def queries(*, service: str = ".*", interval: str = "1m", window: str = "1h") -> list[Query]:
    """List (panel title, PromQL) of all panels; `interval` and `window` stand for $__rate_interval and $__range."""
    values = {"$__rate_interval": interval, "$__range": window, "$service": service}
    found = []
    for panel in panels():
        for target in panel.get("targets", ()):
            expr = target["expr"]
            for variable, value in values.items():
                expr = expr.replace(variable, value)
            found.append(Query(panel["title"], expr, bool(target.get("instant")), target["expr"]))
    return found


def panels() -> Iterator[dict[str, Any]]:
    """Yield every panel, rows included."""
    yield from json.loads(DASHBOARD.read_text())["panels"]
