"""A scripted service whose releases and chaos runs fill a sample log: what is written of them, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from tests.independent.samplelog import Record

ORIGIN = "bank.example/feem/audit"
BEGINNING = datetime(2026, 11, 2, 9, tzinfo=UTC)
STEPS = (
    ("ChangeSeen", "Fact", "Release"),
    ("Hold", "Intent", "ManagedService"),
    ("Hold", "Outcome", "ManagedService"),
    ("Decision", "Fact", "Decision"),
    ("SetWeight", "Intent", "Release"),
    ("SetWeight", "Outcome", "Release"),
    ("Promote", "Intent", "Release"),
    ("Gates", "Fact", "Release"),
    ("Promote", "Outcome", "Release"),
    ("Attest", "Intent", "Release"),
    ("Attest", "Outcome", "Release"),
    ("Heartbeat", "Fact", "AuditLog"),
)
"""What each release writes, in this order."""
RUN_STEPS = (
    ("ChaosRunPlanned", "Fact", "ChaosRun"),
    ("InjectFault", "Intent", "ChaosRun"),
    ("InjectFault", "Outcome", "ChaosRun"),
    ("FaultSeen", "Fact", "ChaosRun"),
    ("UndoFault", "Intent", "ChaosRun"),
    ("UndoFault", "Outcome", "ChaosRun"),
    ("UndoFault", "Intent", "ChaosRun"),
    ("UndoFault", "Outcome", "ChaosRun"),
    ("Heartbeat", "Fact", "AuditLog"),
    ("ChaosRunEnded", "Fact", "ChaosRun"),
    ("ExperimentJudged", "Fact", "ChaosExperiment"),
    ("Heartbeat", "Fact", "AuditLog"),
)
"""What a chaos run writes in a release's place: its fault is undone at the second try."""
EXPERIMENTS = ("lose-a-pod", "slow-bureau")


def is_run(number: int) -> bool:
    """Say whether a chaos run stands in the place of this release."""
    return number % 20 == 1


def when(index: int) -> datetime:
    """Say when an entry is written: not to the second within a chaos run, for figures are computed from it."""
    number, step = divmod(index, len(STEPS))
    return BEGINNING + timedelta(seconds=index, milliseconds=50 * step if is_run(number) else 0)


def digest(data: bytes) -> str:
    return f"sha256:{sha256(data).hexdigest()}"


def experiment_of(number: int) -> str:
    return EXPERIMENTS[number // 20 % 2]


def subject(kind: str, number: int) -> dict[str, str]:
    name = {
        "ManagedService": "scoring",
        "Decision": f"approve-scoring-{number}",
        "AuditLog": "feem",
        "ChaosRun": f"{experiment_of(number)}-{number}",
        "ChaosExperiment": experiment_of(number),
    }
    own = number if kind in ("Release", "Decision", "ChaosRun") else 0
    uid = sha256(f"{kind} {own}".encode()).hexdigest()[:32]
    namespace = "" if kind == "AuditLog" else "lending"
    return {"kind": kind, "namespace": namespace, "name": name.get(kind, f"scoring-{number}"), "uid": uid}


def records(count: int, evidence: Mapping[int, str]) -> Iterator[Record]:
    """Go over the records of one number after the other; `evidence` is the digest of a release's attestation or of a run's end."""
    open_intent: dict[str, int] = {}
    for index in range(count):
        number, step = divmod(index, len(STEPS))
        action, part, kind = (RUN_STEPS if is_run(number) else STEPS)[step]
        record: Record = {
            "time": f"{when(index):%Y-%m-%dT%H:%M:%S.%f}Z",
            "actor": "system:serviceaccount:feem-system:feem" if action != "Decision" else "risk-officer",
            "action": action,
            "part": part,
            "subject": subject(kind, number),
            "reason": {"Outcome": "Done", "Fact": "Seen"}.get(part, "Allowed"),
            "message": f"{action} of release {number}: “限额评分” \u20ac\t{'x' * (index % 7)}",
            "effects": [f"patch HTTPRoute lending/scoring weight {number % 100}"] if part == "Intent" else [],
            "evidence": evidence.get(number, digest(b"%d" % number)) if action in ("Attest", "ChaosRunEnded") else "",
            "epoch": 3 + index // 200,
        }
        if part == "Intent":
            open_intent[action] = index
        if part == "Outcome":
            record["intent"] = open_intent[action]
        yield record
