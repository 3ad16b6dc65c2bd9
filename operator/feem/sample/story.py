"""The log of the sample, told in order: who asked, what was held, who approved, how the canary did, and how it ended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from feem.api.audit import AuditSpec, Part, Subject
from feem.api.release import Outcome
from feem.core.audit.record import Statement, next_record
from feem.core.digest import canonical
from feem.core.dossier.attestation import PAYLOAD_TYPE, statement_of
from feem.core.dossier.dossier import Manifests, Samples, dossier_of
from feem.ports import Signer
from feem.sample.release import (
    AFTER,
    APPROVAL,
    ASKED,
    BEFORE,
    NAMESPACE,
    UID,
    approval,
    binding,
    digest,
    ended,
    release,
)
from feem.sample.traffic import NAME, PLAN, SERVICE, STARTED, Judged, judged

ORIGIN = "feem.dev/audit/sample"
OPERATOR = "system:serviceaccount:feem-system:feem"
LEASE = Subject(kind="Lease", namespace="feem-system", name="feem")
LOG = Subject(kind="AuditLog", name="feem")
GOVERNED = Subject(kind="ManagedService", namespace=NAMESPACE, name=SERVICE, uid="0c6b1f5a-3f52-4a4c-9a57-6f1f6d1e2a01")
RELEASE = Subject(kind="Release", namespace=NAMESPACE, name=NAME, uid=UID)
DECISION = Subject(kind="Decision", namespace=NAMESPACE, name=APPROVAL, uid="d1")
ROUTE = f"{NAMESPACE}/{SERVICE}"
HOUR = timedelta(hours=1)
BUSY = 24
"""Entries of the release and around it."""


@dataclass
class Log:
    """A log that grows."""

    entries: list[AuditSpec] = field(default_factory=list)

    def say(self, at: datetime, statement: Statement) -> AuditSpec:
        """Write one entry; time does not go back."""
        head = self.entries[-1] if self.entries else None
        at = at if head is None else max(at, datetime.fromisoformat(head.time) + timedelta(microseconds=1))
        self.entries.append(next_record(head, statement, at, 3))
        return self.entries[-1]

    def act(
        self,
        at: datetime,
        subject: Subject,
        action: str,
        said: tuple[str, str],
        effects: tuple[str, ...],
        evidence: str = "",
    ) -> None:
        """Write an intent and, a moment later, its outcome; `said` is the reason and the sentence."""
        intent = self.say(at, Statement(action, Part.INTENT, subject, OPERATOR, *said, effects, evidence))
        done = Statement(action, Part.OUTCOME, subject, OPERATOR, "Done", intent=intent.index)
        self.say(at + timedelta(milliseconds=87), done)

    def fact(
        self,
        at: datetime,
        subject: Subject,
        action: str,
        said: tuple[str, str],
        evidence: str = "",
        actor: str = OPERATOR,
    ) -> None:
        """Write something that was seen."""
        self.say(at, Statement(action, Part.FACT, subject, actor, *said, evidence=evidence))


@dataclass(frozen=True)
class Story:
    """Everything that the sample is made of."""

    entries: tuple[AuditSpec, ...]
    dossier: Mapping[str, Any]
    envelope: bytes
    samples: Mapping[str, bytes]
    """The files of raw samples, by the names of their ConfigMaps."""


def tell(signer: Signer, entries: int, *, good: bool = False) -> Story:
    """Tell of at least `entries` entries: hours in which little happened, then the release, then its end."""
    log, found = Log(), judged(good=good)
    quiet = max(0, entries - BUSY)
    log.fact(ASKED - quiet * HOUR / 4 - HOUR, LEASE, "LeaderChanged", ("Elected", "epoch 3 begins; feem-0 leads"))
    for number in range(quiet):
        text = "nothing else was written for 900 seconds; 0 acts are without an outcome"
        log.fact(ASKED - (quiet - number) * HOUR / 4, LOG, "Heartbeat", ("Alive", text))
    _request(log)
    _forward(log, found)
    dossier, envelope = _ending(log, found, signer, good=good)
    name = dossier["samples"][0]["name"]
    return Story(tuple(log.entries), dossier, envelope, {name: found.document})


def _request(log: Log) -> None:
    govern = (f"label Deployment {ROUTE} as governed by {SERVICE}",)
    log.act(ASKED - HOUR / 2, GOVERNED, "Govern", ("Adopted", f"Deployment {SERVICE} is governed from now on"), govern)
    text = f"Deployment {SERVICE} carries another pod template; it is paused"
    log.fact(ASKED, GOVERNED, "ChangeSeen", ("Held", text), digest("after"), "release-pipeline")
    create = (f"create Release {NAMESPACE}/{NAME}",)
    log.act(ASKED, GOVERNED, "CreateRelease", ("Held", f"the held change becomes release {NAME}"), create)
    gates = (
        "owner-and-data Passed (Named); ticket Passed (TicketNamed); risk-approval {}; exposure Passed (WithinLimits)"
    )
    at = ASKED + timedelta(seconds=1)
    log.fact(at, RELEASE, "Gates", ("Held", gates.format("Holding (ApprovalsMissing)")), binding())
    at, decision = STARTED - timedelta(seconds=42), approval().spec
    text = f"{decision.verb} {NAME} as {decision.role}: {decision.reason}"
    log.fact(at, DECISION, "Decision", ("Approved", text), decision.digest, decision.by)
    at = STARTED - timedelta(seconds=41)
    log.fact(at, RELEASE, "Gates", ("Allowed", gates.format("Passed (Approved)")), binding())


def _forward(log: Log, found: Judged) -> None:
    def pods(count: int) -> tuple[str, ...]:
        return (f"apply Deployment {ROUTE}-canary with {count} replicas, and its Service",)

    at, pin = STARTED - timedelta(seconds=39), f"pin Service {ROUTE} to pod-template-hash 6d9f7c5b84"
    text = f"the canary of {SERVICE} gets 1 pods; Service {SERVICE} stays with stable"
    log.act(at, RELEASE, "ApplyCanary", ("Canary", text), (pin, *pods(1)))
    _shift(log, STARTED, 1, "")
    second = STARTED + timedelta(seconds=PLAN["steps"][0]["bakeSeconds"])
    log.act(second, RELEASE, "ApplyCanary", ("Canary", text.replace("1 pods", "2 pods")), pods(2))
    _shift(log, second + timedelta(seconds=1), 2, found.digest)


def _shift(log: Log, at: datetime, step: int, evidence: str) -> None:
    weight = PLAN["steps"][step - 1]["weight"]
    text = f"{weight}% of the requests go to the canary ({step}/{len(PLAN['steps'])} at {weight}%)"
    effect = f"set HTTPRoute {ROUTE} to canary weight {weight}"
    log.act(at, RELEASE, "ShiftTraffic", (f"Step{step}", text), (effect,), evidence)


def _ending(log: Log, found: Judged, signer: Signer, *, good: bool) -> tuple[dict[str, Any], bytes]:
    at, name = (
        datetime.fromtimestamp(found.decided, UTC) + timedelta(milliseconds=340),
        f"{NAME}-evidence-{found.digest[7:17]}",
    )
    keep = f"create ConfigMap {NAMESPACE}/{name} with evidence {found.digest}"
    if good:
        effects = (
            keep,
            f"set HTTPRoute {ROUTE} to canary weight 100",
            f"unpin Service {ROUTE}",
            f"resume Deployment {ROUTE}",
        )
        text = f"the canary serves all requests; Deployment {SERVICE} is resumed and rolls to the change"
        log.act(at, RELEASE, "Promote", ("AllStepsPassed", text), effects, found.digest)
        at, end = at + timedelta(seconds=64), ("Promoted", f"all 3 pods of Deployment {SERVICE} run the change")
    else:
        worst = next(one for one in found.verdicts if one.outcome is Outcome.FAIL)
        end = ("RolledBack", f"objective {worst.name} failed in step 2/2 at 50%: {worst.message}")
        log.act(
            at,
            RELEASE,
            "RollBack",
            (worst.reason, end[1]),
            (keep, f"set HTTPRoute {ROUTE} to canary weight 0"),
            found.digest,
        )
    back = (end[0], "the HTTPRoute goes back to its owner's backends")
    log.act(at + timedelta(seconds=2), RELEASE, "RestoreTraffic", back, (f"restore HTTPRoute {ROUTE}",))
    dossier = _dossier(found, at + timedelta(seconds=9), end, name, signer.salt(UID))
    envelope = json.dumps(
        signer.sign_dsse(PAYLOAD_TYPE, canonical(statement_of(dossier, "feem.dev/operator@sample")))
    ).encode()
    sealed = "sha256:" + hashlib.sha256(envelope).hexdigest()
    gone = (
        f"create ConfigMap {NAMESPACE}/{NAME}-dossier with evidence {sealed}",
        f"delete Deployment {ROUTE}-canary and its Service",
    )
    removed = (end[0], "the canary's Deployment and Service are removed")
    log.act(at + timedelta(seconds=9), RELEASE, "RemoveCanary", removed, gone, sealed)
    log.fact(at + timedelta(seconds=12), RELEASE, "ReleaseEnded", end)
    return dossier, envelope


def _dossier(found: Judged, at: datetime, end: tuple[str, str], name: str, salt: bytes) -> dict[str, Any]:
    samples = Samples(name, hashlib.sha256(found.document).hexdigest(), found.digest)
    told = release(ended(found, at, *end))
    return dossier_of(ORIGIN, told, end, [approval()], Manifests(BEFORE, AFTER, salt), [samples])
