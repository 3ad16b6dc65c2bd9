"""A release as a pack tells of it: real records in a real tree, real tapes of seeded traffic, signed by keys made at run time."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from feem.api.audit import AuditSpec, Part, Subject
from feem.api.release import Outcome
from feem.core.audit.entry import entry_bytes
from feem.core.audit.record import Statement, next_record
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.merkle import leaf_hash
from feem.core.tlog.note import Note, Signature
from feem.core.tlog.signing import message, signature_blob
from feem.core.tlog.tree import Tree
from feem.core.tlog.vkey import Algorithm, Key
from feem.sample.traffic import NAME, PLAN, STARTED, Judged, judged
from tests.report.dossier import ASKED, ORIGIN, UID, digest, dossier_of

WITNESS = "witness.example/auditor"
OPERATOR = "system:serviceaccount:feem-system:feem"
SUBJECT = Subject(kind="Release", namespace="lending", name=NAME, uid=UID)


@dataclass
class Log:
    """A log that grows: other services' entries stand between those of the release."""

    entries: list[AuditSpec] = field(default_factory=list)

    def say(self, at: datetime, statement: Statement) -> AuditSpec:
        entry = next_record(self.entries[-1] if self.entries else None, statement, at, 3)
        self.entries.append(entry)
        return entry

    def act(
        self, at: datetime, action: str, reason: str, text: str, effects: tuple[str, ...], evidence: str = ""
    ) -> None:
        """An intent and, a moment later, its outcome."""
        said = Statement(action, Part.INTENT, SUBJECT, OPERATOR, reason, text, effects, evidence)
        intent = self.say(at, said)
        done = Statement(action, Part.OUTCOME, SUBJECT, OPERATOR, "Done", intent=intent.index)
        self.say(at + timedelta(milliseconds=87), done)

    def fact(self, at: datetime, action: str, reason: str, text: str, evidence: str = "") -> None:
        self.say(at, Statement(action, Part.FACT, SUBJECT, OPERATOR, reason, text, evidence=evidence))

    def others(self, at: datetime, count: int) -> None:
        """Entries about something else."""
        other = Subject(kind="Release", namespace="payments", name="ledger-sync-2", uid="other")
        for number in range(count):
            self.say(at + timedelta(seconds=number), Statement("Gates", Part.FACT, other, OPERATOR, "Held", "held"))

    @property
    def checkpoint(self) -> str:
        """The signed head of the log, with a witness' cosignature."""
        tree = Tree(leaf_hash(entry_bytes(entry)) for entry in self.entries)
        head = Checkpoint(ORIGIN, tree.size, tree.root())
        when = int(datetime.fromisoformat(self.entries[-1].time).timestamp()) + 4
        return Note(head.text(), tuple(_signature(head, when, *one) for one in _SIGNERS)).wire()


_SIGNERS = (
    (ORIGIN, Algorithm.ED25519),
    (ORIGIN, Algorithm.ML_DSA_44),
    (WITNESS, Algorithm.COSIGN_ED25519),
)


def _signature(head: Checkpoint, when: int, name: str, algorithm: Algorithm) -> Signature:
    """Sign with a key that is made of its own name, so that pictures of it stay the same; it protects nothing."""
    seed = hashlib.sha256(f"report fixture {name} {algorithm}".encode()).digest()
    signer: Ed25519PrivateKey | MLDSA44PrivateKey
    signer = (
        MLDSA44PrivateKey.from_seed_bytes(seed)
        if algorithm is Algorithm.ML_DSA_44
        else Ed25519PrivateKey.from_private_bytes(seed)
    )
    key = Key(name, algorithm, signer.public_key().public_bytes_raw())
    return Signature(name, key.key_id, signature_blob(key, signer.sign(message(key, head, when)), when))


@dataclass(frozen=True)
class Pack:
    """What `render` is given."""

    dossier: dict[str, Any]
    records: list[dict[str, Any]]
    samples: list[bytes]
    checkpoint: str
    verdict: str = "Made by feem release evidence from the cluster's log; every record, proof and signature was verified meanwhile."


def pack(*, good: bool = False) -> Pack:
    """A release that is rolled back in its second step because it decides otherwise; a good one is promoted."""
    found, log = judged(good=good), Log()
    log.others(ASKED - timedelta(minutes=5), 41)
    _request(log)
    _forward(log, found)
    (_promoted if good else _rolled_back)(log, found)
    log.others(ASKED + timedelta(hours=2), 6)
    records = [entry.wire() for entry in log.entries if entry.subject == SUBJECT]
    plain = gzip.decompress(found.document)
    return Pack(dossier_of(found, log.entries[-7], good=good), records, [plain], log.checkpoint)


def _request(log: Log) -> None:
    text = (
        "owner-and-data Passed (Named); ticket Passed (TicketNamed); risk-approval {}; exposure Passed (WithinLimits)"
    )
    log.fact(
        ASKED + timedelta(seconds=1), "Gates", "Held", text.format("Holding (ApprovalsMissing)"), digest("binding")
    )
    log.others(ASKED + timedelta(minutes=20), 9)
    at = STARTED - timedelta(seconds=41)
    log.fact(at, "Gates", "Allowed", text.format("Passed (Approved)"), digest("binding"))


def _forward(log: Log, found: Judged) -> None:
    def pods(count: int) -> tuple[str, ...]:
        return (f"apply Deployment lending/limit-scoring-canary with {count} replicas, and its Service",)

    pin = "pin Service lending/limit-scoring to pod-template-hash 6d9f7c5b84"
    at = STARTED - timedelta(seconds=39)
    text = "the canary of limit-scoring gets 1 pods; Service limit-scoring stays with stable"
    log.act(at, "ApplyCanary", "Canary", text, (pin, *pods(1)))
    _shift(log, STARTED, 1, "")
    second = STARTED + timedelta(seconds=PLAN["steps"][0]["bakeSeconds"])
    log.act(second, "ApplyCanary", "Canary", text.replace("1 pods", "2 pods"), pods(2))
    _shift(log, second + timedelta(seconds=1), 2, found.digest)


def _shift(log: Log, at: datetime, step: int, evidence: str) -> None:
    weight = PLAN["steps"][step - 1]["weight"]
    text = f"{weight}% of the requests go to the canary ({step}/{len(PLAN['steps'])} at {weight}%)"
    effect = f"set HTTPRoute lending/limit-scoring to canary weight {weight}"
    log.act(at, "ShiftTraffic", f"Step{step}", text, (effect,), evidence)


def _rolled_back(log: Log, found: Judged) -> None:
    at = datetime.fromtimestamp(found.decided, UTC) + timedelta(milliseconds=340)
    worst = next(one for one in found.verdicts if one.outcome is Outcome.FAIL)
    text = f"objective {worst.name} failed in step 2/2 at 50%: {worst.message}"
    log.act(
        at, "RollBack", worst.reason, text, ("set HTTPRoute lending/limit-scoring to canary weight 0",), found.digest
    )
    _cleaned_up(log, at, "RolledBack", text)


def _promoted(log: Log, found: Judged) -> None:
    at = datetime.fromtimestamp(found.decided, UTC) + timedelta(milliseconds=340)
    effects = (
        "set HTTPRoute lending/limit-scoring to canary weight 100",
        "unpin Service lending/limit-scoring",
        f"resume Deployment lending/limit-scoring at template {digest('after')}",
    )
    text = "the canary serves all requests; Deployment limit-scoring is resumed and rolls to the change"
    log.act(at, "Promote", "AllStepsPassed", text, effects, found.digest)
    _cleaned_up(log, at + timedelta(seconds=64), "Promoted", "all 3 pods of Deployment limit-scoring run the change")


def _cleaned_up(log: Log, at: datetime, end: str, text: str) -> None:
    log.act(
        at + timedelta(seconds=2),
        "RestoreTraffic",
        end,
        "the HTTPRoute goes back to its owner's backends",
        ("restore HTTPRoute lending/limit-scoring",),
    )
    delete = "delete Deployment lending/limit-scoring-canary and its Service"
    log.act(
        at + timedelta(seconds=9), "RemoveCanary", end, "the canary's Deployment and Service are removed", (delete,)
    )
    log.fact(at + timedelta(seconds=12), "ReleaseEnded", end, text)


def poisoned(value: Any, poison: Callable[[str], str]) -> Any:
    """The same JSON value with every string changed, and the names of annotations, which are somebody's words as well."""
    if isinstance(value, dict):
        return {poison(name) if "/" in name else name: poisoned(inner, poison) for name, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner, poison) for inner in value]
    return poison(value) if isinstance(value, str) else value
