"""The figures of a game day, computed again from its runs and from what the log says of them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.independent.verifier_documents import Members, items, members, text
from tests.independent.verifier_faults import RejectedError
from tests.independent.verifier_records import Record

FORMAT = "feem.dev/gameday-report@v1"
TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)", re.ASCII)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
STAGES = ("before", "during", "after")


def figures(runs: Sequence[Members], records: Sequence[Record]) -> Members:
    """Compute what report.json has to say."""
    found = [_figures(run, records) for run in sorted(runs, key=_place)]
    return {"format": FORMAT, "runs": found, "totals": _totals(found)}


def _place(run: Members) -> tuple[str, str, str]:
    begun = _stamp(_time(run["status"], "plannedAt")) or _stamp(_time(run["status"], "completedAt"))
    return begun, run["metadata"]["namespace"], run["metadata"]["name"]


def _figures(run: Members, records: Sequence[Record]) -> Members:
    status, terms, effect = run["status"], _members(run["status"], "terms"), _members(run["status"], "effect")
    injected, undone, seen = _time(status, "injectedAt"), _time(status, "undoneAt"), _time(effect, "seenAt")
    return {
        **run["metadata"],
        "experiment": _text(run["spec"], "experiment"),
        "service": _text(terms, "service"),
        "fault": _fault(_members(terms, "fault")),
        "result": _result(_items(status, "conditions")),
        "cause": _text(status, "cause"),
        "residue": _texts(status, "residue"),
        "kept": _texts(status, "kept"),
        "injectedAt": _stamp(injected),
        "undoneAt": _stamp(undone),
        "completedAt": _stamp(_time(status, "completedAt")),
        "effectSeen": seen is not None,
        "effectSeconds": _seconds(injected, seen),
        "inPlaceSeconds": _seconds(injected, undone),
        "recoverySeconds": _seconds(undone, _time(status, "recoveredAt")),
        "undoSeconds": _undo(run["metadata"]["uid"], records),
        "objectives": {stage: [_objective(one) for one in _items(status, stage)] for stage in STAGES},
    }


def _totals(found: Sequence[Members]) -> Members:
    return {
        "runs": len(found),
        "results": dict(Counter(run["result"] for run in found)),
        "faultsInjected": sum(run["injectedAt"] != "" for run in found),
        "effectsSeen": sum(run["effectSeen"] for run in found),
        "residue": sum(len(run["residue"]) for run in found),
        "longestUndoSeconds": _longest(found, "undoSeconds"),
        "longestRecoverySeconds": _longest(found, "recoverySeconds"),
    }


def _longest(found: Sequence[Members], name: str) -> float | None:
    return max((run[name] for run in found if run[name] is not None), default=None)


def _fault(fault: Members) -> str:
    if len(fault) > 1:
        raise RejectedError("terms of a run have more than one fault")
    return next((name[:1].upper() + name[1:] for name in fault), "")


def _result(conditions: Sequence[Members]) -> str:
    for one in conditions:
        if one.get("type") == "Succeeded":
            return "" if one.get("status") == "Unknown" else _text(one, "reason")
    return ""


def _objective(verdict: Members) -> Members:
    found: Members = {"name": _text(verdict, "name"), "outcome": _text(verdict, "outcome")}
    for name, told in (("canary", "hit"), ("stable", "compared")):
        if verdict.get(name) is not None:
            found[told] = verdict[name]
    return found


def _undo(uid: str, records: Sequence[Record]) -> float | None:
    """Measure how long the log says that undoing took, until the last try was over."""
    about = [record for record in records if record.action == "UndoFault" and record.subject["uid"] == uid]
    begun = [record.time for record in about if record.part == "Intent"][:1]
    over = [record.time for record in about if record.part != "Intent"][-1:]
    return _seconds(_moment(begun[0]), _moment(over[0])) if begun and over else None


def _seconds(begin: Fraction | None, end: Fraction | None) -> float | None:
    return None if begin is None or end is None else max(0.0, round(float(end - begin), 1))


def _stamp(moment: Fraction | None) -> str:
    """Write a time to the second; empty text when there is none."""
    if moment is None:
        return ""
    return (EPOCH + timedelta(seconds=moment // 1)).isoformat().replace("+00:00", "Z")


def _moment(told: str) -> Fraction:
    """Read a time, as seconds since 1970 with its microseconds."""
    parts = TIME.fullmatch(told)
    if parts is None:
        raise RejectedError(f"{told[:40]!r} is not a time as RFC 3339 has it")
    try:
        whole = datetime.fromisoformat(parts[1] + parts[3].replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError) as problem:
        raise RejectedError(f"{told[:40]!r} is not a time: {problem}") from problem
    return (whole - EPOCH) // timedelta(seconds=1) + Fraction(f"0.{(parts[2] or '0')[:6]}")


def _time(of: Members, name: str) -> Fraction | None:
    told = _text(of, name)
    return _moment(told) if told else None


def _there(of: Members, name: str, otherwise: Any) -> Any:
    return otherwise if of.get(name) is None else of[name]


def _text(of: Members, name: str) -> str:
    return text(_there(of, name, ""), f"{name} of a run")


def _texts(of: Members, name: str) -> list[str]:
    found = _there(of, name, [])
    if not isinstance(found, list):
        raise RejectedError(f"{name} of a run is not an array")
    return [text(one, f"{name} of a run") for one in found]


def _members(of: Members, name: str) -> Members:
    return members(_there(of, name, {}), f"{name} of a run")


def _items(of: Members, name: str) -> list[Members]:
    return items(_there(of, name, []), f"{name} of a run")
