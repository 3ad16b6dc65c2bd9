"""A release as a pack tells of it: real records in a real tree, real tapes of seeded traffic, signed by keys made at run time."""

from __future__ import annotations

import gzip
import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from feem.api.audit import AuditSpec, Part, Subject
from feem.api.indicator import GaugeIndicator, LatencyIndicator, MixIndicator, RatioIndicator
from feem.api.objective import CanarySettings, Category, Indicator
from feem.api.release import ObjectiveSnapshot, ObjectiveVerdict, Outcome
from feem.core.audit.record import Statement, next_record
from feem.core.evidence.samples import Evidence, Sample, Series, TrackSamples
from feem.core.evidence.tape import Tape
from feem.core.evidence.terms import Terms, alphas
from feem.core.evidence.trial import Trial, combine
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.merkle import leaf_hash
from feem.core.tlog.note import Note, Signature
from feem.core.tlog.signing import message, signature_blob
from feem.core.tlog.tree import Tree
from feem.core.tlog.vkey import Algorithm, Key

ASKED = datetime(2026, 11, 23, 9, 2, 11, 204_000, tzinfo=UTC)
STARTED = ASKED + timedelta(minutes=47, seconds=20)
ORIGIN, WITNESS = "feem.dev/audit/feem-system", "witness.example/auditor"
OPERATOR, SERVICE = "system:serviceaccount:feem-system:feem", "limit-scoring"
NAME, UID = "limit-scoring-7", "5c1d8f0e-7b7a-4f7e-9a52-0d3a6a1c9b11"
SUBJECT = Subject(kind="Release", namespace="lending", name=NAME, uid=UID)
PLAN: dict[str, Any] = {
    "steps": [{"weight": 10, "bakeSeconds": 120}, {"weight": 50, "bakeSeconds": 180}],
    "alpha": "0.01",
    "watchSeconds": 0,
}
EVERY = 5.0
RATE = 60.0
PODS = {"canary": 1, "stable": 3}
DECISIONS = ("approved", "referred", "rejected")
STABLE_MIX, SHIFTED_MIX = (0.62, 0.23, 0.15), (0.69, 0.18, 0.13)


def objectives() -> tuple[ObjectiveSnapshot, ...]:
    ratio = RatioIndicator(bad='http_requests_total{code=~"5.."}', total="http_requests_total")
    latency = LatencyIndicator(histogram="credit_decision_duration_seconds", threshold="0.2")
    mix = MixIndicator(counter="credit_decisions_total", label="decision", tolerated_shift="0.03")
    gauge = GaugeIndicator(query="max(review_queue_depth)", max="80")
    return (
        _objective("answers", "An application gets a decision, not an error", Indicator(ratio=ratio), "99.5"),
        _objective("speed", "A decision takes at most a fifth of a second", Indicator(latency=latency), "99"),
        _objective(
            "decisions",
            "A new version approves, refers and rejects the same shares of applicants",
            Indicator(mix=mix),
            category=Category.BUSINESS,
        ),
        _objective("queue", "Reviewers are not swamped", Indicator(gauge=gauge), category=Category.BUSINESS),
    )


def _objective(
    name: str,
    description: str,
    indicator: Indicator,
    target: str | None = None,
    category: Category = Category.TECHNICAL,
) -> ObjectiveSnapshot:
    share = 2 if indicator.mix is not None or indicator.ratio is not None else 1
    return ObjectiveSnapshot(
        name=f"{SERVICE}-{name}",
        description=description,
        category=category,
        objective=target,
        indicator=indicator,
        canary=CanarySettings(
            warm_up_seconds=0, alpha_share=share, tolerated_relative_risk="1.5", minimum_samples=100, dispersion="1"
        ),
    )


class Traffic:
    """What pods count: each request is drawn, so figures scatter as they do in production."""

    def __init__(self, seed: int, *, good: bool) -> None:
        self._chance, self._good = random.Random(seed), good  # noqa: S311 - samples of a test
        self._counts: dict[tuple[str, str, str], int] = {}
        self.series: dict[str, dict[tuple[str, str, str], list[Sample]]] = {"canary": {}, "stable": {}}

    def pass_on(self, at: float, weight: int) -> None:
        """Let five seconds go by in which the canary gets `weight` percent, then scrape all pods."""
        for track, share in (("canary", weight / 100), ("stable", 1 - weight / 100)):
            for _ in range(round(RATE * EVERY * share + self._chance.gauss(0, 3))):
                self._request(track, f"{SERVICE}-{track}-{self._chance.randrange(PODS[track])}")
            depth = 31 + 9 * self._chance.random() + (6 if track == "canary" else 0)
            self.series[track].setdefault(("value", "", ""), []).append(Sample(at, round(depth, 1)))
        for (name, role, kind), count in self._counts.items():
            track = "canary" if "-canary-" in name else "stable"
            self.series[track].setdefault((role, kind, name), []).append(Sample(at, float(count)))

    def _request(self, track: str, pod: str) -> None:
        bad = self._good or track == "stable"
        self._count(pod, "total")
        self._count(pod, "bad", 1 if self._chance.random() < 0.0021 else 0)
        self._count(pod, "fast", 1 if self._chance.random() > (0.0048 if bad else 0.0071) else 0)
        weights = STABLE_MIX if bad else SHIFTED_MIX
        self._count(pod, "events", 1, self._chance.choices(DECISIONS, weights)[0])

    def _count(self, pod: str, role: str, more: int = 1, kind: str = "") -> None:
        self._counts[pod, role, kind] = self._counts.get((pod, role, kind), 0) + more

    def evidence(self, objective: ObjectiveSnapshot, now: float) -> Evidence:
        """What a look at the metrics brings: the samples of the last minute."""
        indicator = objective.indicator
        roles = ("value",) if indicator.gauge else ("events",) if indicator.mix else ("total", "bad")
        roles = ("total", "fast") if indicator.latency else roles
        return Evidence(self._track("canary", roles, now), self._track("stable", roles, now))

    def _track(self, track: str, roles: Sequence[str], now: float) -> TrackSamples:
        found: dict[str, list[Series]] = {}
        for (role, kind, pod), samples in self.series[track].items():
            fresh = tuple(sample for sample in samples if now - 60 < sample.time <= now)
            if role in roles and fresh:
                labels = {"pod": pod, "instance": pod, **({"decision": kind} if kind else {})}
                found.setdefault(role, []).append(Series(tuple(sorted(labels.items())), fresh))
        return TrackSamples({role: tuple(several) for role, several in found.items()})


@dataclass(frozen=True)
class Judged:
    """What a trial led to: the tape, the verdicts at each step's end, and when that was."""

    document: bytes
    digest: str
    verdicts: tuple[ObjectiveVerdict, ...]
    decided: float
    failed: bool


def judged(*, good: bool, seed: int = 7) -> Judged:
    """Judge seeded traffic as a release does, step by step, until a step fails or the last one has baked."""
    start = STARTED.timestamp()
    given = objectives()
    terms = tuple(
        Terms(one, start, alpha, steps=len(PLAN["steps"]))
        for one, alpha in zip(given, alphas(PLAN["alpha"], given), strict=True)
    )
    trials, tape, traffic = [Trial(one) for one in terms], Tape(NAME, terms), Traffic(seed, good=good)
    traffic.pass_on(start - 2, 0)
    now, verdicts = start, tuple[ObjectiveVerdict, ...]()
    for step, planned in enumerate(PLAN["steps"], start=1):
        ends = now + planned["bakeSeconds"]
        while now < ends:
            now += EVERY
            traffic.pass_on(now - 0.4, planned["weight"])
            verdicts = _look(trials, tape, traffic, now, step)
            if combine(verdicts) is Outcome.FAIL:
                return _judged(tape, "RollBack", now, verdicts, failed=True)
    return _judged(tape, "Promote", now, verdicts, failed=False)


def _look(trials: Sequence[Trial], tape: Tape, traffic: Traffic, now: float, step: int) -> tuple[ObjectiveVerdict, ...]:
    for number, trial in enumerate(trials):
        for one in trial.rounds(traffic.evidence(trial.terms.objective, now), end=now, step=step):
            tape.note(number, one)
            trial.take(one)
    return tuple(trial.verdict(now=now) for trial in trials)


def _judged(tape: Tape, action: str, now: float, verdicts: tuple[ObjectiveVerdict, ...], *, failed: bool) -> Judged:
    document = tape.document(action, now, verdicts)
    assert document is not None
    return Judged(document, tape.digest, verdicts, now, failed)


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
        tree = Tree(leaf_hash(rfc8785.dumps(entry.wire())) for entry in self.entries)
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
    if algorithm is Algorithm.ML_DSA_44:
        signer = MLDSA44PrivateKey.from_seed_bytes(seed)
    else:
        signer = Ed25519PrivateKey.from_private_bytes(seed)
    key = Key(name, algorithm, signer.public_key().public_bytes_raw())
    return Signature(name, key.key_id, signature_blob(key, signer.sign(message(key, head, when)), when))


@dataclass(frozen=True)
class Pack:
    """What `render` is given."""

    dossier: dict[str, Any]
    records: list[dict[str, Any]]
    samples: list[bytes]
    checkpoint: str
    verdict: str = "Made by feem release evidence from the cluster's log; every record, proof and signature was verified while it was written."


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
    return Pack(_dossier(found, log, good=good), records, [plain], log.checkpoint)


def _request(log: Log) -> None:
    text = (
        "owner-and-data Passed (Named); ticket Passed (TicketNamed); risk-approval {}; exposure Passed (WithinLimits)"
    )
    log.fact(
        ASKED + timedelta(seconds=1), "Gates", "Held", text.format("Holding (ApprovalsMissing)"), _digest("binding")
    )
    log.others(ASKED + timedelta(minutes=20), 9)
    at = STARTED - timedelta(seconds=41)
    log.fact(at, "Gates", "Allowed", text.format("Passed (Approved)"), _digest("binding"))


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
        f"resume Deployment lending/limit-scoring at template {_digest('after')}",
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


def _dossier(found: Judged, log: Log, *, good: bool) -> dict[str, Any]:
    end = log.entries[-7]
    result = {"reason": end.reason, "message": end.message, "at": end.time}
    document = hashlib.sha256(found.document).hexdigest()
    return {
        "format": "feem.dev/dossier@v1",
        "origin": ORIGIN,
        "release": {
            "namespace": "lending",
            "name": NAME,
            "uid": UID,
            "service": SERVICE,
            "digest": _digest("after"),
            "requestedBy": "release-pipeline",
            "author": "team-dev",
            "createdAt": ASKED.isoformat(),
            "plan": PLAN,
        },
        "result": {**result, "step": 3 if good else 2, "weight": 100 if good else 50},
        "gates": _gates(),
        "decisions": _decisions(),
        "objectives": [one.wire() for one in objectives()],
        "verdicts": [one.wire() for one in found.verdicts],
        "manifests": {"before": _template("1.6.2"), "after": _template("1.7.0")},
        "samples": [{"name": f"{NAME}-evidence", "sha256": document, "digest": found.digest}],
    }


def _gates() -> list[dict[str, str]]:
    def gate(name: str, kind: str, stage: str, outcome: str, reason: str, text: str) -> dict[str, str]:
        return {"name": name, "kind": kind, "stage": stage, "outcome": outcome, "reason": reason, "message": text}

    return [
        gate(
            "owner-and-data", "data", "Request", "Passed", "Named", "owned by credit-factory team, data is Confidential"
        ),
        gate(
            "ticket",
            "ticket",
            "Request",
            "Passed",
            "TicketNamed",
            "CREDIT-1024 looks like a ticket of the profile's pattern",
        ),
        gate("risk-approval", "approvals", "Start", "Passed", "Approved", "risk: 1 of 1 approved (risk-officer)"),
        gate(
            "product-approval",
            "approvals",
            "Promotion",
            "Holding",
            "ApprovalsMissing",
            "product: 0 of 1 approved; decide: feem approve limit-scoring-7 --role product",
        ),
        gate(
            "exposure",
            "exposure",
            "Start",
            "Skipped",
            "BreakGlass",
            "the first step reaches 10% of the applicants, the largest 50%",
        ),
    ]


def _decisions() -> list[dict[str, str]]:
    return [
        {
            "name": "limit-scoring-7-approve-risk",
            "createdAt": (STARTED - timedelta(seconds=42)).isoformat(),
            "release": NAME,
            "verb": "Approve",
            "by": "risk-officer",
            "role": "risk",
            "reason": "scorecard 1.7 reviewed with the model documentation; grey release as planned",
            "digest": _digest("binding"),
            "expiresAt": (STARTED + timedelta(hours=24)).isoformat(),
        },
        {
            "name": "limit-scoring-7-signoff-risk",
            "createdAt": (STARTED + timedelta(minutes=31)).isoformat(),
            "release": NAME,
            "verb": "SignOff",
            "by": "risk-officer",
            "role": "risk",
            "reason": "outcome reviewed with the product owner; the scorecard goes back to its team",
        },
    ]


def _template(version: str) -> dict[str, Any]:
    redacted = f"redacted sha256:{hashlib.sha256(version.encode()).hexdigest()[:12]}"
    return {
        "metadata": {"labels": {"app.kubernetes.io/name": SERVICE}, "annotations": {"prometheus.io/scrape": "true"}},
        "spec": {
            "containers": [
                {
                    "name": "app",
                    "image": f"feem.example/limit-scoring:{version}@{_digest(version)}",
                    "env": [
                        {"name": "SCORECARD", "value": redacted},
                        {"name": "DRAIN_SECONDS", "value": "redacted sha256:4b227777d4dd"},
                    ],
                    "resources": {"limits": {"memory": "128Mi" if version == "1.6.2" else "160Mi"}},
                    "ports": [{"name": "http", "containerPort": 8080}],
                }
            ],
            "terminationGracePeriodSeconds": 20,
        },
    }


def _digest(of: str) -> str:
    return f"sha256:{hashlib.sha256(of.encode()).hexdigest()}"


def poisoned(value: Any, poison: Callable[[str], str]) -> Any:
    """The same JSON value with every string changed, names of members excepted."""
    if isinstance(value, dict):
        return {name: poisoned(inner, poison) for name, inner in value.items()}
    if isinstance(value, list):
        return [poisoned(inner, poison) for inner in value]
    return poison(value) if isinstance(value, str) else value
