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
RANDOM_LETTERS = 5
POD_NAME_BASE = 63 - RANDOM_LETTERS
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

    def narrowed(self, *more: Match) -> Selector:
        """Return the selector with further matchers."""
        return Selector(self.metric, (*self.matches, *more))

    @property
    def name(self) -> Match | None:
        """Return what the metric's name must be; None when nothing says it."""
        if self.metric:
            return Match(NAME_LABEL, "=", self.metric)
        return next((one for one in self.matches if one.label == NAME_LABEL and one.operator in ("=", "=~")), None)

    def __str__(self) -> str:
        if not self.matches:
            return self.metric
        return f"{self.metric}{{{','.join(map(str, self.matches))}}}"


def quoted(text: str) -> str:
    """Write a PromQL string literal (the escapes are Go's)."""
    return (
        '"' + "".join(ESCAPES.get(c) or (f"\\x{ord(c):02x}" if ord(c) < 32 or ord(c) == 127 else c) for c in text) + '"'
    )


def pod_prefix(replica_set: str) -> str:
    """Return what the names of a ReplicaSet's pods begin with; Kubernetes cuts long ones before its random letters."""
    return f"{replica_set}-"[:POD_NAME_BASE]


def of_namespace(namespace: str) -> tuple[Match, ...]:
    """Return what narrows a selector to one namespace, that is to a whole service, whatever its version."""
    return (Match(NAMESPACE_LABEL, "=", namespace),)


def of_pods(namespace: str, replica_sets: tuple[str, ...]) -> tuple[Match, ...]:
    """Return what narrows a selector to the pods of these ReplicaSets, and of none whose name begins alike."""
    pods = "|".join(f"{literally(pod_prefix(name))}.{{{RANDOM_LETTERS}}}" for name in replica_sets)
    return (*of_namespace(namespace), Match(POD_LABEL, "=~", pods))


def literally(text: str) -> str:
    """Write text as a regular expression (RE2) that matches it and nothing else."""
    return SPECIAL_IN_REGEX.sub(r"\\\g<0>", text)
