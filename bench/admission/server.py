"""What the API server says and shows of itself: its CPU time, and its metrics about policies."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

CONDITIONS = "apiserver_admission_match_condition_evaluation_seconds"
VALIDATIONS = "apiserver_validating_admission_policy_check_duration_seconds"
MUTATIONS = "apiserver_mutating_admission_policy_check_duration_seconds"
PROBLEMS = "apiserver_admission_match_condition_evaluation_errors"
FAMILIES = (CONDITIONS, VALIDATIONS, MUTATIONS, PROBLEMS)
REFUSING = ("out_of_budget", "compile_error")
"""Error types that say the policy could not be evaluated; `invalid_error` is said of an ordinary refusal or warning."""
BROKEN_CONDITION = "match_condition_error"
NO_ERROR = ("", "no_error")


@dataclass(frozen=True)
class Check:
    """One policy since the API server began: how often its match conditions said no, its expressions, and their seconds.

    That is what the API server counts: match conditions only where they say no, the expressions of mutations, and those
    of validations that refuse or warn; validations that pass are not in its metrics.
    `kinds` counts the expressions that did not simply pass, by the API server's word for it.
    """

    unmatched: float = 0.0
    matching: float = 0.0
    checks: float = 0.0
    checking: float = 0.0
    kinds: Mapping[str, float] = field(default_factory=dict)

    def less(self, earlier: Check) -> Check:
        """Return what was added since an earlier look."""
        kinds = {kind: value - earlier.kinds.get(kind, 0.0) for kind, value in self.kinds.items()}
        return Check(
            self.unmatched - earlier.unmatched,
            self.matching - earlier.matching,
            self.checks - earlier.checks,
            self.checking - earlier.checking,
            {kind: value for kind, value in kinds.items() if value > 0},
        )

    @property
    def broken(self) -> float:
        """How often the policy could not be evaluated: too costly, not compiled, a condition that failed."""
        return sum(self.kinds.get(kind, 0.0) for kind in (*REFUSING, BROKEN_CONDITION))

    def row(self, name: str) -> tuple[str, ...]:
        """Return the line of the table."""
        return (
            name,
            f"{self.unmatched:.0f}",
            f"{self.matching * 1e6 / self.unmatched:.0f}" if self.unmatched else "-",
            f"{self.checks:.0f}",
            f"{self.checking * 1e6 / self.checks:.0f}" if self.checks else "-",
            f"{self.broken:.0f}",
        )

    def plain(self) -> dict[str, object]:
        """Return what the result file keeps."""
        return {
            "conditionsSaidNo": {"count": round(self.unmatched), "seconds": round(self.matching, 6)},
            "expressions": {"count": round(self.checks), "seconds": round(self.checking, 6)},
            "errorTypes": {kind: round(value) for kind, value in self.kinds.items()},
        }


def cpu_seconds(pid: int) -> float:
    """Return the CPU seconds that a process has used, user and system: /proc/<pid>/stat's sum, without its rounding to 10 ms.

    Linux derives the clock's number from the pid, as clock_getcpuclockid(3) does. A process that is gone is an OSError.
    """
    return time.clock_gettime((~pid << 3) | 2)


def checks(metrics: str) -> dict[str, Check]:
    """Read each policy's figures from the text of /metrics."""
    wanted = "\n".join(line for line in metrics.splitlines() if any(family in line for family in FAMILIES))
    found: dict[str, Check] = {}
    for family in text_string_to_metric_families(wanted + "\n"):
        for sample in family.samples:
            name = sample.labels.get("policy") or sample.labels.get("name", "")
            found[name] = _added(found.get(name, Check()), family.name, sample)
    return found


def since(before: Mapping[str, Check], after: Mapping[str, Check], policies: Iterable[str]) -> dict[str, Check]:
    """Return what happened between two looks, of these policies."""
    return {name: after.get(name, Check()).less(before.get(name, Check())) for name in policies}


def _added(check: Check, family: str, sample: Sample) -> Check:
    count, seconds = (sample.value if sample.name.endswith(end) else 0.0 for end in ("_count", "_sum"))
    kinds = dict(check.kinds)
    if family == PROBLEMS and not sample.name.endswith("_created"):
        kinds[BROKEN_CONDITION] = kinds.get(BROKEN_CONDITION, 0.0) + sample.value
        return Check(check.unmatched, check.matching, check.checks, check.checking, kinds)
    if family == CONDITIONS:
        return Check(check.unmatched + count, check.matching + seconds, check.checks, check.checking, kinds)
    kind = sample.labels.get("error_type", "")
    if count and kind not in NO_ERROR:
        kinds[kind] = kinds.get(kind, 0.0) + count
    return Check(check.unmatched, check.matching, check.checks + count, check.checking + seconds, kinds)
