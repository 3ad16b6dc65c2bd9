"""The figures of a game day, from its runs and the log alone: whoever checks a report computes them again.

Another figure, or another way to compute one, is another format: reports that were made before must still verify.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from feem.api.release import ObjectiveVerdict
from feem.api.run import ChaosRun
from feem.core.chaos.status import result_of, status_of

FORMAT = "feem.dev/gameday-report@v1"
UNDO = "UndoFault"
"""The act that takes a fault back, in the log."""

Wire = Mapping[str, Any]


def figures_of(runs: Iterable[ChaosRun], records: Iterable[Wire]) -> dict[str, Any]:
    """Return the figures as JSON; `records` are entries of the log in their order, those of other objects are passed over."""
    undone = _undo_times(records)
    listed = [_run(run, undone.get(run.metadata.uid, (None, None))) for run in in_order(runs)]
    results = Counter(each["result"] for each in listed)
    return {
        "format": FORMAT,
        "runs": listed,
        "totals": {
            "runs": len(listed),
            "results": {result: results[result] for result in sorted(results)},
            "faultsInjected": sum(1 for each in listed if each["injectedAt"]),
            "effectsSeen": sum(1 for each in listed if each["effectSeen"]),
            "residue": sum(len(each["residue"]) for each in listed),
            "longestUndoSeconds": _longest(listed, "undoSeconds"),
            "longestRecoverySeconds": _longest(listed, "recoverySeconds"),
        },
    }


def in_order(runs: Iterable[ChaosRun]) -> list[ChaosRun]:
    """Return runs in the order in which they happened."""
    return sorted(runs, key=lambda run: (_began(run), run.metadata.namespace, run.metadata.name))


def _run(run: ChaosRun, undone: tuple[datetime | None, datetime | None]) -> dict[str, Any]:
    meta, status = run.metadata, status_of(run)
    effect = status.effect
    return {
        "namespace": meta.namespace,
        "name": meta.name,
        "uid": meta.uid,
        "experiment": run.spec.experiment,
        "service": status.terms.service if status.terms else "",
        "fault": status.terms.fault.kind if status.terms else "",
        "result": result_of(run),
        "cause": status.cause,
        "injectedAt": _moment(status.injected_at),
        "undoneAt": _moment(status.undone_at),
        "completedAt": _moment(status.completed_at),
        "effectSeen": effect is not None and effect.seen_at is not None,
        "effectSeconds": _between(status.injected_at, effect.seen_at if effect else None),
        "inPlaceSeconds": _between(status.injected_at, status.undone_at),
        "undoSeconds": _between(*undone),
        "recoverySeconds": _between(status.undone_at, status.recovered_at),
        "residue": list(status.residue),
        "kept": list(status.kept),
        "objectives": {
            "before": _verdicts(status.before),
            "during": _verdicts(status.during),
            "after": _verdicts(status.after),
        },
    }


def _verdicts(found: Sequence[ObjectiveVerdict]) -> list[dict[str, Any]]:
    return [
        {"name": one.name, "outcome": one.outcome.value, **{track: counts.wire() for track, counts in _tracks(one)}}
        for one in found
    ]


def _tracks(one: ObjectiveVerdict) -> list[tuple[str, Any]]:
    return [(name, counts) for name, counts in (("hit", one.canary), ("compared", one.stable)) if counts is not None]


def _undo_times(records: Iterable[Wire]) -> dict[str, tuple[datetime | None, datetime | None]]:
    """Return when each run's fault began to be taken back, and when the last of it was, by the run's UID."""
    found: dict[str, tuple[datetime | None, datetime | None]] = {}
    for record in records:
        if record["action"] != UNDO:
            continue
        uid, at = record["subject"]["uid"], datetime.fromisoformat(record["time"])
        first, last = found.get(uid, (None, None))
        found[uid] = (first or at, last) if record["part"] == "Intent" else (first, at)
    return found


def _between(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    return round(max(0.0, (end - start).total_seconds()), 1)


def _longest(listed: Sequence[Wire], figure: str) -> float | None:
    return max((each[figure] for each in listed if each[figure] is not None), default=None)


def _began(run: ChaosRun) -> str:
    status = status_of(run)
    return _moment(status.planned_at or status.completed_at)


def _moment(time: datetime | None) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if time is not None else ""
