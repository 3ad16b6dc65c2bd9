"""Selectors of time series, and how they are written so that Prometheus reads them as they are meant."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAME_LABEL = "__name__"
NAMESPACE_LABEL = "namespace"
POD_LABEL = "pod"

PLAIN_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
SPECIAL_IN_REGEX = re.compile(r"[\\.+*?()|\[\]{}^$]")
ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
POD_NAME_BASE = 58
"""A generated pod name is 63 characters at most, the last 5 of them random (apiserver/pkg/storage/names)."""


@dataclass(frozen=True)
class Match:
    """One label matcher; `operator` is `=`, `!=`, `=~` or `!~`."""

    label: str
    operator: str
    value: str

    def __str__(self) -> str:
        label = self.label if PLAIN_LABEL.fullmatch(self.label) else quoted(self.label)
        return f"{label}{self.operator}{quoted(self.value)}"


@dataclass(frozen=True)
class Selector:
    """A metric's name as its writer gave it before the braces (or none) and the matchers in their order."""

    metric: str
    matches: tuple[Match, ...]

    def __str__(self) -> str:
        return f"{self.metric}{{{','.join(map(str, self.matches))}}}"


def quoted(text: str) -> str:
    """Write a PromQL string literal (the escapes are Go's)."""
    return (
        '"' + "".join(ESCAPES.get(c) or (f"\\x{ord(c):02x}" if ord(c) < 32 or ord(c) == 127 else c) for c in text) + '"'
    )


def pod_prefix(replica_set: str) -> str:
    """Return what the names of a ReplicaSet's pods begin with; Kubernetes cuts long ones before its random letters."""
    return f"{replica_set}-"[:POD_NAME_BASE]


def of_pods(selector: Selector, namespace: str, replica_sets: tuple[str, ...]) -> Selector:
    """Narrow a selector to the pods of ReplicaSets of one namespace."""
    pods = "|".join(SPECIAL_IN_REGEX.sub(r"\\\g<0>", pod_prefix(name)) + ".*" for name in replica_sets)
    narrowing = (Match(NAMESPACE_LABEL, "=", namespace), Match(POD_LABEL, "=~", pods))
    return Selector(selector.metric, (*selector.matches, *narrowing))
