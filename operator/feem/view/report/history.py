"""What happened in a release, out of its records: the weight over time, and the events that a timeline shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from feem.view.report.text import items_of, number_of, seconds_of, text_of

WEIGHT = re.compile(r"\bHTTPRoute \S+ (?:to )?(?:canary )?weight (\d{1,3})$")
RESTORED = re.compile(r"^restore HTTPRoute \S+$")
FORWARD = frozenset({"ApplyCanary", "ShiftTraffic", "SetWeight", "StartCanary", "Promote"})
BACK = frozenset({"RollBack", "Undo", "PolicyWeakened", "UnattributedChange"})
QUIET = frozenset({"ScaleDownCanary", "RemoveCanary", "Complete", "Heartbeat", "LogPruned", "Govern", "Attest"})
"""Actions that the table of records shows and the timeline leaves out."""
MOST_EVENTS = 24


@dataclass(frozen=True)
class Event:
    """One thing that happened, at Unix seconds. `kind` is forward, back, people, gates, end or other."""

    at: float
    time: str
    action: str
    kind: str
    by: str
    message: str
    index: int | None = None


@dataclass(frozen=True)
class Weight:
    """From `at` (Unix seconds) on, `percent` of the requests went to the change; `everywhere` once all pods ran it."""

    at: float
    percent: int
    everywhere: bool = False


def weights(records: Sequence[Mapping[str, Any]]) -> list[Weight]:
    """Return the weight over time, as the Outcomes of announced writes say: what failed or was abandoned changed nothing."""
    announced: dict[int, Mapping[str, Any]] = {}
    found: list[Weight] = []
    for record in records:
        at, index = seconds_of(text_of(record, "time")), number_of(record, "index")
        if text_of(record, "part") == "Intent" and index is not None:
            announced[index] = record
        elif text_of(record, "part") == "Outcome" and at is not None:
            named = number_of(record, "intent")
            intent = announced.pop(named, None) if named is not None else None
            if intent is not None and text_of(record, "reason") in ("Done", "Recovered"):
                weight = _written(intent, at, found[-1] if found else None)
                found += [weight] if weight is not None else []
    return found


def _written(intent: Mapping[str, Any], at: float, last: Weight | None) -> Weight | None:
    """Return the weight once an intent was carried out, None when it did not touch it."""
    if text_of(intent, "action") == "Undo":
        return Weight(at, 0)
    for effect in _effects(intent):
        matched = WEIGHT.search(effect)
        if matched:
            return Weight(at, min(100, int(matched[1])))
        if RESTORED.match(effect) and last is not None and not last.everywhere:
            promoted = text_of(intent, "reason") == "Promoted"
            return Weight(at, 100 if promoted else 0, everywhere=promoted)
    return None


def _effects(record: Mapping[str, Any]) -> list[str]:
    effects = record.get("effects")
    return [one for one in effects if isinstance(one, str)] if isinstance(effects, (list, tuple)) else []


def events(dossier: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> tuple[list[Event], bool]:
    """Return the events in the order of time, and whether some were left out because there are too many."""
    found = _requested(dossier) + _of_records(records) + _decided(dossier, records) + _ended(dossier, records)
    found.sort(key=lambda event: (event.at, -1 if event.index is None else event.index))
    kept = found
    for kind in ("other", "gates", "forward"):
        if len(kept) > MOST_EVENTS:
            kept = [event for event in kept if event.kind != kind]
    kept = kept[:MOST_EVENTS]
    return kept, len(kept) < len(found)


def _of_records(records: Sequence[Mapping[str, Any]]) -> list[Event]:
    found, gates, canary = [], "", False
    for record in records:
        action, part, at = (text_of(record, name) for name in ("action", "part", "time"))
        seconds = seconds_of(at)
        if seconds is None or part == "Outcome" or action in QUIET:
            continue
        if action == "Gates":
            if text_of(record, "reason") == gates:
                continue
            gates = text_of(record, "reason")
        if action == "ApplyCanary":
            if canary:
                continue
            canary = True
        message = text_of(record, "message") or text_of(record, "reason")
        kind = _kind(action, text_of(record, "reason"))
        found.append(Event(seconds, at, action, kind, text_of(record, "actor"), message, number_of(record, "index")))
    return found


def _kind(action: str, reason: str) -> str:
    if action in FORWARD:
        return "forward"
    if action in BACK:
        return "back"
    if action in ("Decision", "SignOff"):
        return "people"
    if action == "ReleaseEnded":
        return "end" if reason == "Promoted" else "back"
    return "gates" if action == "Gates" else "other"


def _requested(dossier: Mapping[str, Any]) -> list[Event]:
    time = text_of(dossier, "release", "createdAt")
    at, by = seconds_of(time), text_of(dossier, "release", "requestedBy")
    message = f"{text_of(dossier, 'release', 'name')} of {text_of(dossier, 'release', 'service')}"
    return [] if at is None else [Event(at, time, "Requested", "people", by, message)]


def _decided(dossier: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> list[Event]:
    """Return the decisions that no record in the pack tells of."""
    told = {
        text_of(record, "subject", "name") for record in records if text_of(record, "subject", "kind") == "Decision"
    }
    found = []
    for decision in items_of(dossier, "decisions"):
        time = text_of(decision, "createdAt")
        at = seconds_of(time)
        if at is not None and text_of(decision, "name") not in told:
            role = text_of(decision, "role")
            message = (f"as {role}: " if role else "") + text_of(decision, "reason")
            found.append(Event(at, time, text_of(decision, "verb"), "people", text_of(decision, "by"), message))
    return found


def _ended(dossier: Mapping[str, Any], records: Sequence[Mapping[str, Any]]) -> list[Event]:
    """Return the end, where no record in the pack tells of it."""
    time = text_of(dossier, "result", "at")
    at = seconds_of(time)
    if at is None or any(text_of(record, "action") == "ReleaseEnded" for record in records):
        return []
    reason = text_of(dossier, "result", "reason")
    return [Event(at, time, reason, _kind("ReleaseEnded", reason), "", text_of(dossier, "result", "message"))]
