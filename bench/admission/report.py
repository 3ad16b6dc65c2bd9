"""What the run says: the tables, the promises and the file of figures."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.admission.cells import Cell
from bench.admission.figures import COLUMNS, Compared
from bench.admission.objects import LARGE_CONTAINERS, LARGE_LABELS
from bench.admission.server import Check as PolicyCheck
from bench.evidence.section import Check, Section
from e2e.cluster.versions import ETCD_VERSION, KUBERNETES_VERSION

COMMAND = "make bench-admission"


@dataclass(frozen=True)
class Run:
    """Everything one run found."""

    cells: Sequence[Cell]
    compared: Mapping[str, Compared]
    spent: Mapping[str, PolicyCheck]
    headroom: Mapping[int, str]
    sent: int
    changes: Sequence[float]
    idle: float
    rounds: int


def sections(run: Run) -> list[Section]:
    """Return the parts of the report in their order."""
    return [latency(run), policies(run), headroom(run)]


def latency(run: Run) -> Section:
    """What the policies add to each request."""
    large = run.compared["large"]
    return Section(
        "latency",
        "What the policies add to a request (milliseconds; CPU of the API server in seconds per 1,000 requests)",
        notes=(
            f"{run.rounds} rounds, each a block with and a block without the policies' bindings, ABBA; every request on a keep-alive",
            "  HTTPS connection with a client certificate, server-side dry run: nothing is written to etcd, so the ratio is against",
            "  the cheapest request there is. 95% interval: sign test over the rounds' differences of medians.",
            f"CPU includes what the API server does by itself: {run.idle * 1000:.0f} ms a second when nobody asks.",
            f"The machine has {os.cpu_count()} processors.",
        ),
        columns=COLUMNS,
        rows=tuple(run.compared[cell.name].row(cell.title) for cell in run.cells),
        checks=(
            Check("every request was granted, and held or filled in where it should be", f"{run.sent} requests", True),
            Check(
                f"a change of {LARGE_CONTAINERS} containers and {LARGE_LABELS} labels is held, not refused for its cost",
                f"+{large.added_p50:.1f} ms at the median, {large.with_policies.p95:.1f} ms at p95",
                run.headroom.get(LARGE_CONTAINERS, "not tried") == "",
            ),
        ),
        figures={cell.name: {"title": cell.title, **run.compared[cell.name].plain()} for cell in run.cells},
    )


def policies(run: Run) -> Section:
    """What the API server's own metrics say of each policy, in the measured time."""
    broken = sum(check.broken for check in run.spent.values())
    evaluated = sum(check.unmatched + check.checks for check in run.spent.values())
    busy = {name: check for name, check in run.spent.items() if check.unmatched or check.checks}
    idle = sorted(set(run.spent) - set(busy))
    return Section(
        "policies",
        "What the API server's metrics say of the policies while the requests were made",
        notes=(
            "From apiserver_admission_match_condition_evaluation_seconds and apiserver_{validating,mutating}_admission_policy_check_",
            "  duration_seconds, in microseconds of wall time. The API server counts match conditions where they say no (once for",
            "  each parameter: a Release, a ManagedService), the expressions of mutations, and those of validations that refuse or",
            "  warn. Validations that pass are not in its metrics; the table above has them.",
            *((f"Without figures of their own: {', '.join(idle)}",) if idle else ()),
        ),
        columns=("policy", "said no", "us each", "expressions", "us each", "out of budget"),
        rows=tuple(check.row(name) for name, check in sorted(busy.items())),
        checks=(
            Check(
                "no evaluation ran out of its cost budget or failed",
                f"{broken:.0f} of {evaluated:.0f}",
                broken == 0 and evaluated > 0,
            ),
        ),
        figures={name: check.plain() for name, check in run.spent.items()},
    )


def headroom(run: Run) -> Section:
    """How large a governed Deployment may be before a policy's cost limit refuses its change."""
    return Section(
        "headroom",
        f"How far the limits are: a change of a governed Deployment with {LARGE_LABELS} labels",
        columns=("containers", "answer"),
        rows=tuple((str(count), said[:160] or "held") for count, said in run.headroom.items()),
        figures={str(count): said or "held" for count, said in run.headroom.items()},
    )


def facts(run: Run, root: Path) -> dict[str, object]:
    """Return what the result file says beside the sections: on what it was measured, and how."""
    found = {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(root.glob("*.yaml"))}
    return {
        "kubernetes": KUBERNETES_VERSION,
        "etcd": ETCD_VERSION,
        "apiServerIdleCpu": round(run.idle, 4),
        "rounds": run.rounds,
        "requestsSent": run.sent,
        "bindingChangesSeconds": [round(one, 2) for one in run.changes],
        "policies": found,
    }
