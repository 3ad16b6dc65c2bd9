"""Wrong manifests are refused by the API server with the field's name, before the operator ever sees them.

Each case is one edit of a good manifest in `manifests/`, and what the user reads. What only the operator can know (objects
that are missing or do not fit each other) is a condition, and tested with the operator.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.integration.conftest import OPERATOR, ROOT, AsUser
from tests.integration.kubectl import Kubectl, Manifest

pytestmark = pytest.mark.integration

GONE = object()  # in an edit: the field is absent
STEP = {"weight": 10, "bakeSeconds": 60}
PLAN = {"steps": [STEP]}


def manifest(base: str, edits: dict[str, Any] | None = None) -> Manifest:
    """A good manifest with edits: dotted path → value, numbers in a path are list indexes."""
    body: Manifest = yaml.safe_load((Path(__file__).parent / "manifests" / f"{base}.yaml").read_text())
    for path, value in (edits or {}).items():
        *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
        place: Any = body
        for part in way:
            place = place[part]
        if value is GONE:
            del place[last]
        else:
            place[last] = value
    return body


def writer(as_user: AsUser, base: str) -> Kubectl:
    """Who makes such objects: Releases are FEEM's."""
    return as_user(OPERATOR if base == "release" else "alice")


def wrong(name: str, base: str, edits: dict[str, Any], *told: str) -> Any:
    return pytest.param(base, edits, told, id=f"{base}-{name}")


def steps(*weights: int) -> list[dict[str, int]]:
    return [{"weight": weight, "bakeSeconds": 60} for weight in weights]


MIX = {"mix": {"counter": "credit_decisions_total", "label": "decision"}}

REFUSED = [
    # ManagedService
    wrong("neither-plan-nor-reference", "service", {"spec.planRef": GONE}, "spec: ", "give either plan or planRef"),
    wrong("both-plan-and-reference", "service", {"spec.plan": PLAN}, "spec: ", "give either plan or planRef"),
    wrong("no-objectives", "service", {"spec.objectives": GONE}, "spec.objectives: Required value"),
    wrong("empty-objectives", "service", {"spec.objectives": []}, "spec.objectives", "at least 1 items"),
    wrong(
        "same-objective-twice",
        "service",
        {"spec.objectives": [{"name": "a"}, {"name": "a"}]},
        "spec.objectives[1]: Duplicate value",
    ),
    wrong(
        "too-many-objectives",
        "service",
        {"spec.objectives": [{"name": f"o{number}"} for number in range(21)]},
        "spec.objectives: Too many",
    ),
    wrong("no-workload", "service", {"spec.workload": GONE}, "spec.workload: Required value"),
    wrong("no-workload-name", "service", {"spec.workload": {}}, "spec.workload.name: Required value"),
    wrong(
        "workload-is-a-statefulset",
        "service",
        {"spec.workload.kind": "StatefulSet"},
        "spec.workload.kind",
        "Deployment",
    ),
    wrong("workload-in-capitals", "service", {"spec.workload.name": "Limit"}, "spec.workload.name"),
    wrong("no-traffic", "service", {"spec.traffic": GONE}, "spec.traffic: Required value"),
    wrong("no-service", "service", {"spec.traffic.service": GONE}, "spec.traffic.service: Required value"),
    wrong("no-room-for-canary", "service", {"spec.traffic.service": "s" * 57}, "spec.traffic.service", "56"),
    wrong("empty-route", "service", {"spec.traffic.httpRoute": ""}, "spec.traffic.httpRoute", "at least 1 chars"),
    wrong("misspelt-field", "service", {"spec.trafic": {}}, 'unknown field "spec.trafic"'),
    wrong("name-too-long", "service", {"metadata.name": "n" * 47}, "metadata.name", "46"),
    wrong("name-with-a-dot", "service", {"metadata.name": "limit.scoring"}, "metadata.name"),
    wrong(
        "inline-weights-go-down",
        "service",
        {"spec.planRef": GONE, "spec.plan": {"steps": steps(50, 10)}},
        "spec.plan.steps",
        "weights must rise from step to step",
    ),
    # GreyReleasePlan
    wrong("weights-go-down", "plan", {"spec.steps": steps(10, 50, 20)}, "spec.steps", "weights must rise"),
    wrong("weights-stand-still", "plan", {"spec.steps": steps(10, 10)}, "spec.steps", "weights must rise"),
    wrong("no-steps", "plan", {"spec.steps": []}, "spec.steps", "at least 1 items"),
    wrong("too-many-steps", "plan", {"spec.steps": steps(*range(1, 22))}, "spec.steps: Too many"),
    wrong("weight-0", "plan", {"spec.steps.0.weight": 0}, "spec.steps[0].weight", "greater than or equal to 1"),
    wrong("weight-101", "plan", {"spec.steps.1.weight": 101}, "spec.steps[1].weight", "less than or equal to 100"),
    wrong("weight-in-quotes", "plan", {"spec.steps.0.weight": "10"}, "spec.steps[0].weight", "integer"),
    wrong("weight-with-a-fraction", "plan", {"spec.steps.0.weight": 12.5}, "spec.steps[0].weight", "integer"),
    wrong("no-weight", "plan", {"spec.steps.0.weight": GONE}, "spec.steps[0].weight: Required value"),
    wrong("no-bake", "plan", {"spec.steps.0.bakeSeconds": GONE}, "spec.steps[0].bakeSeconds: Required value"),
    wrong("bake-0", "plan", {"spec.steps.0.bakeSeconds": 0}, "spec.steps[0].bakeSeconds"),
    wrong("bake-as-a-duration", "plan", {"spec.steps.0.bakeSeconds": "5m"}, "spec.steps[0].bakeSeconds", "integer"),
    wrong("bake-over-a-week", "plan", {"spec.steps.0.bakeSeconds": 604801}, "spec.steps[0].bakeSeconds"),
    wrong("no-canary-pods", "plan", {"spec.steps.0.replicas": 0}, "spec.steps[0].replicas"),
    wrong("deadline-too-short", "plan", {"spec.progressDeadlineSeconds": 9}, "spec.progressDeadlineSeconds"),
    wrong("delay-negative", "plan", {"spec.scaleDownDelaySeconds": -1}, "spec.scaleDownDelaySeconds"),
    # ServiceLevelObjective
    wrong("objective-as-a-number", "objective", {"spec.objective": 99.9}, "spec.objective", "string"),
    wrong("objective-over-100", "objective", {"spec.objective": "101"}, "spec.objective"),
    wrong("objective-with-a-comma", "objective", {"spec.objective": "99,9"}, "spec.objective"),
    wrong("objective-with-a-sign", "objective", {"spec.objective": "99.9%"}, "spec.objective"),
    wrong("objective-0", "objective", {"spec.objective": "0.0"}, "spec.objective", "must be above 0 percent"),
    wrong(
        "no-objective", "objective", {"spec.objective": GONE}, "spec.objective", "ratio and latency need an objective"
    ),
    wrong("objective-for-a-mix", "objective", {"spec.indicator": MIX}, "spec.objective", "mix and gauge have none"),
    wrong("two-indicators", "objective", {"spec.indicator.mix": MIX["mix"]}, "spec.indicator", "exactly one of ratio"),
    wrong(
        "neither-bad-nor-good", "objective", {"spec.indicator.ratio.bad": GONE}, "spec.indicator.ratio", "bad and good"
    ),
    wrong(
        "bad-and-good", "objective", {"spec.indicator.ratio.good": "good_total"}, "spec.indicator.ratio", "bad and good"
    ),
    wrong(
        "latency-without-threshold",
        "objective",
        {"spec.indicator": {"latency": {"histogram": "h"}}},
        "latency.threshold",
    ),
    wrong(
        "threshold-as-a-number",
        "objective",
        {"spec.indicator": {"latency": {"histogram": "h", "threshold": 0.3}}},
        "latency.threshold",
        "string",
    ),
    wrong(
        "mix-without-label",
        "objective",
        {"spec.objective": GONE, "spec.indicator": {"mix": {"counter": "c"}}},
        "spec.indicator.mix",
        "counter with label",
    ),
    wrong(
        "everything-may-shift",
        "objective",
        {"spec.objective": GONE, "spec.indicator": {"mix": {**MIX["mix"], "toleratedShift": "1"}}},
        "spec.indicator.mix.toleratedShift",
        "below 1",
    ),
    wrong(
        "gauge-without-bound",
        "objective",
        {"spec.objective": GONE, "spec.indicator": {"gauge": {"query": "max(q)"}}},
        "spec.indicator.gauge",
        "min, max or both",
    ),
    wrong(
        "gauge-upside-down",
        "objective",
        {"spec.objective": GONE, "spec.indicator": {"gauge": {"query": "max(q)", "min": "2", "max": "1"}}},
        "spec.indicator.gauge",
        "min must not be above max",
    ),
    wrong("dispersion-below-1", "objective", {"spec.canary": {"dispersion": "0.5"}}, "spec.canary.dispersion"),
    wrong("no-alpha-share", "objective", {"spec.canary": {"alphaShare": 0}}, "spec.canary.alphaShare"),
    wrong("no-window", "objective", {"spec.windowDays": 0}, "spec.windowDays"),
    wrong("alpha-0", "plan", {"spec.alpha": "0.0"}, "spec.alpha", "(0, 0.2]"),
    wrong("alpha-of-a-coin", "plan", {"spec.alpha": "0.5"}, "spec.alpha", "(0, 0.2]"),
    wrong(
        "inconclusive-ignored", "plan", {"spec.inconclusive": {"action": "Ignore"}}, "inconclusive.action", "Rollback"
    ),
    wrong("watch-for-a-year", "plan", {"spec.watchSeconds": 31536000}, "spec.watchSeconds", "86400"),
    wrong("no-indicator", "objective", {"spec.indicator": GONE}, "spec.indicator: Required value"),
    wrong("no-total", "objective", {"spec.indicator.ratio.total": GONE}, "spec.indicator.ratio.total: Required value"),
    wrong("empty-query", "objective", {"spec.indicator.ratio.bad": " "}, "spec.indicator.ratio.bad"),
    wrong("endless-query", "objective", {"spec.indicator.ratio.bad": "x" * 4097}, "spec.indicator.ratio.bad", "4096"),
    wrong("unknown-category", "objective", {"spec.category": "Legal"}, "spec.category", "Technical", "Business"),
    wrong(
        "tolerates-less-than-equal",
        "objective",
        {"spec.canary": {"toleratedRelativeRisk": "0.9"}},
        "spec.canary.toleratedRelativeRisk",
        "must be at least 1",
    ),
    wrong("no-samples", "objective", {"spec.canary": {"minimumSamples": 0}}, "spec.canary.minimumSamples"),
    # Decision
    wrong("in-anothers-name", "decision", {"spec.by": "bob"}, "spec.by must be your own user name, alice"),
    wrong("unknown-verb", "decision", {"spec.verb": "Allow"}, "spec.verb", "Abort", "Resume"),
    wrong("approve-without-role", "decision", {"spec.verb": "Approve"}, "spec.role", "give role"),
    wrong("no-reason", "decision", {"spec.reason": GONE}, "spec.reason: Required value"),
    wrong("blank-reason", "decision", {"spec.reason": "  "}, "spec.reason"),
    wrong("no-release", "decision", {"spec.release": GONE}, "spec.release: Required value"),
    # Release
    wrong("tag-for-a-digest", "release", {"spec.templateDigest": "latest"}, "spec.templateDigest"),
    wrong("attempt-0", "release", {"spec.attempt": 0}, "spec.attempt"),
    wrong("plan-goes-down", "release", {"spec.plan.steps": steps(20, 10)}, "spec.plan.steps", "weights must rise"),
    # AuditRecord
    wrong("by-anyone-else", "record", {}, "only the FEEM operator writes AuditRecords"),
    wrong("name-is-not-the-index", "record", {"metadata.name": "000000000001"}, "spec.index", "metadata.name"),
    wrong("name-without-zeros", "record", {"metadata.name": "1", "spec.index": 1}, "metadata.name"),
    wrong("outcome-of-nothing", "record", {"spec.part": "Outcome"}, "spec.intent"),
    wrong("intent-to-come", "record", {"spec.part": "Outcome", "spec.intent": 999999999999}, "spec.intent", "earlier"),
    wrong("no-link-to-the-one-before", "record", {"spec.previous": ""}, "spec.previous"),
    wrong("local-time", "record", {"spec.time": "2026-03-02T09:30:00+01:00"}, "spec.time"),
]


@pytest.mark.parametrize(("base", "edits", "told"), REFUSED)
def test_refused_with_the_fields_name(
    as_user: AsUser, namespace: str, base: str, edits: dict[str, Any], told: tuple[str, ...]
) -> None:
    alice = as_user("alice").within(namespace)
    answer = alice.refused("create", "--dry-run=server", manifest=manifest(base, edits))
    for part in told:
        assert part in answer


def accepted(name: str, base: str, edits: dict[str, Any]) -> Any:
    return pytest.param(base, edits, id=f"{base}-{name}")


ACCEPTED = [
    accepted("with-plan-reference", "service", {}),
    accepted("with-inline-plan", "service", {"spec.planRef": GONE, "spec.plan": PLAN}),
    accepted("longest-names", "service", {"metadata.name": "n" * 46, "spec.traffic.service": "s" * 56}),
    accepted("most-objectives", "service", {"spec.objectives": [{"name": f"o{number}"} for number in range(20)]}),
    accepted("one-step-of-everything", "plan", {"spec.steps": steps(100)}),
    accepted("most-steps", "plan", {"spec.steps": steps(*range(81, 101))}),
    accepted("longest-bake", "plan", {"spec.steps.0.bakeSeconds": 604800}),
    accepted("no-delay", "plan", {"spec.scaleDownDelaySeconds": 0}),
    accepted("plain", "objective", {}),
    accepted("latency", "objective", {"spec.indicator": {"latency": {"histogram": "h", "threshold": "0.3"}}}),
    accepted("mix", "objective", {"spec.objective": GONE, "spec.indicator": MIX}),
    accepted("score", "objective", {"spec.objective": GONE, "spec.indicator": {"mix": {"histogram": "credit_score"}}}),
    accepted(
        "gauge", "objective", {"spec.objective": GONE, "spec.indicator": {"gauge": {"query": "max(q)", "min": "-1.5"}}}
    ),
    accepted("bursts", "objective", {"spec.canary": {"dispersion": "2.5", "warmUpSeconds": 0, "alphaShare": 3}}),
    accepted(
        "strict", "plan", {"spec.alpha": "0.001", "spec.inconclusive": {"action": "Rollback", "maxHoldSeconds": 0}}
    ),
    accepted("never-bad", "objective", {"spec.objective": "100", "spec.canary": {"toleratedRelativeRisk": "1"}}),
    accepted("six-nines", "objective", {"spec.objective": "99.999999", "spec.category": "Business"}),
    accepted("mostly-bad", "objective", {"spec.objective": "0.000001"}),
    accepted("in-ones-own-name", "decision", {}),
    accepted("plain", "release", {}),
    accepted("longest-requester", "release", {"spec.requestedBy": "u" * 512}),
]


@pytest.mark.parametrize(("base", "edits"), ACCEPTED)
def test_accepted(as_user: AsUser, namespace: str, base: str, edits: dict[str, Any]) -> None:
    writer(as_user, base).within(namespace).done("create", "--dry-run=server", manifest=manifest(base, edits))


@pytest.mark.parametrize(
    "edits",
    [
        pytest.param({}, id="intent"),
        pytest.param({"spec.part": "Outcome", "spec.intent": 7, "spec.reason": "Done"}, id="outcome"),
        pytest.param({"metadata.name": "0" * 12, "spec.index": 0, "spec.previous": ""}, id="first"),
    ],
)
def test_the_operator_writes_audit_records(as_user: AsUser, edits: dict[str, Any]) -> None:
    answer = as_user(OPERATOR)("create", "--dry-run=server", "--validate=strict", manifest=manifest("record", edits))
    # Schema and policies are asked before the store; a log that has begun already holds the first record.
    assert answer.code == 0 or "AlreadyExists" in answer.told, answer.told


FROZEN = [
    pytest.param("service", {"spec": {"workload": {"name": "other"}}}, "workload cannot change", id="workload"),
    pytest.param("release", {"spec": {"attempt": 2}}, "a Release's spec is immutable", id="release"),
    pytest.param("release", {"spec": {"plan": {"steps": [STEP, STEP]}}}, "is immutable", id="release-plan"),
    pytest.param("decision", {"spec": {"verb": "Promote"}}, "a Decision is immutable", id="decision"),
    pytest.param("decision", {"spec": {"by": "bob"}}, "a Decision is immutable", id="decision-author"),
]


@pytest.mark.parametrize(("base", "patch", "told"), FROZEN)
def test_immutable(as_user: AsUser, namespace: str, base: str, patch: Manifest, told: str) -> None:
    author = writer(as_user, base).within(namespace)
    body = manifest(base)
    author.done("apply", manifest=body)
    answer = author.refused(
        "patch", body["kind"], body["metadata"]["name"], "--type=merge", f"--patch={json.dumps(patch)}"
    )
    assert told in answer
    assert "spec" in answer


def test_what_may_change_can_be_changed(as_user: AsUser, namespace: str) -> None:
    alice = as_user("alice").within(namespace)
    alice.done("apply", manifest=manifest("service"))
    change = {"spec": {"planRef": None, "plan": PLAN, "traffic": {"httpRoute": "other"}}}
    alice.done("patch", "msvc", "limit-scoring", "--type=merge", f"--patch={json.dumps(change)}")
    alice.done("delete", "msvc", "limit-scoring")


@pytest.fixture(scope="module", autouse=True)
def found_again(as_user: AsUser, namespace: str, wait_until: Callable[[Callable[[], bool]], None]) -> None:
    """After a restart the API server denies Decisions until it has found the kind that policies take as parameters."""
    someone = as_user("alice").within(namespace)

    def found() -> bool:
        told = someone("create", "--dry-run=server", manifest=manifest("decision")).told
        return "failed to configure policy" not in told

    wait_until(found)


@pytest.fixture
def record(as_user: AsUser) -> Iterator[Manifest]:
    """A stored AuditRecord, far above any real index; only without the policies can it be taken away again."""
    body = manifest("record")
    operator = as_user(OPERATOR)
    policies = [f"--filename={ROOT / 'policies' / file}" for file in ("audit.yaml", "pruning.yaml")]
    operator.done("create", manifest=body)
    yield body
    operator.done("delete", *policies)
    for _ in range(100):
        if operator("delete", "auditrecord", body["metadata"]["name"]).code == 0:
            break
    operator.done("apply", "--server-side", *policies)
    _in_force(operator, body)


def _in_force(operator: Kubectl, body: Manifest) -> None:
    """Wait until the policy that was away denies again, so that the next test finds the cluster as it was."""
    other = Kubectl(operator.program, operator.kubeconfig)
    for _ in range(100):
        if other("create", "--dry-run=server", "--as=system:admin", manifest=body).code != 0:
            return
    pytest.fail("policy audit.feem.dev does not come back into force")


def test_audit_records_are_never_changed_nor_deleted_unpublished(as_user: AsUser, record: Manifest) -> None:
    name = record["metadata"]["name"]
    for user in ("alice", OPERATOR):
        kubectl = as_user(user)
        patch = '--patch={"spec":{"message":"it was not me"}}'
        assert "an AuditRecord is immutable" in kubectl.refused("patch", "audit", name, "--type=merge", patch)
        assert "AuditRecords are never changed" in kubectl.refused("label", "audit", name, "reviewed=yes")
        told = kubectl.refused("delete", "audit", name)
        assert "only the FEEM operator" in told or "pruning.feem.dev" in told, "it is not published"
    assert "already exists" in as_user(OPERATOR).refused("create", manifest=record)
    assert as_user("alice").read("audit", name)["spec"] == record["spec"]


def test_status_goes_through_its_own_door(as_user: AsUser, namespace: str) -> None:
    alice = as_user("alice").within(namespace)
    body = manifest("plan")
    body["status"] = {"summary": "made up"}
    alice.done("apply", manifest=body)
    assert "status" not in alice.read("plan", "careful")
    patch = '--patch={"status":{"summary":"10% 60s, 50% 120s"}}'
    alice.done("patch", "plan", "careful", "--type=merge", "--subresource=status", patch)
    columns = alice("get", "plan").out.splitlines()
    assert columns[0].split() == ["NAME", "STEPS", "ACCEPTED", "AGE"]
    assert "10% 60s, 50% 120s" in columns[1]


def test_defaults_are_filled_in(as_user: AsUser, namespace: str) -> None:
    alice = as_user("alice").within(namespace)
    alice.done("apply", manifest=manifest("objective"))
    spec = alice.read("slo", "decisions-answered")["spec"]
    assert spec["category"] == "Technical"
    assert spec["canary"] == {
        "toleratedRelativeRisk": "1",
        "minimumSamples": 100,
        "warmUpSeconds": 10,
        "alphaShare": 1,
        "dispersion": "Auto",
    }
    assert spec["windowDays"] == 30


COLUMNS = {
    "msvc": "NAME DEPLOYMENT READY HOLD PROFILE RELEASE AGE",
    "rel": "NAME SERVICE STEP STATE RESULT MESSAGE AGE",
    "dec": "NAME RELEASE VERB BY ROLE APPLIED AGE",
    "slo": "NAME OBJECTIVE CATEGORY ACCEPTED MEASURED BUDGET-LEFT AGE",
}


@pytest.mark.parametrize("short", COLUMNS)
def test_kubectl_get_reads_well(as_user: AsUser, namespace: str, short: str) -> None:
    alice = as_user("alice").within(namespace)
    base = {"msvc": "service", "rel": "release", "dec": "decision", "slo": "objective"}[short]
    writer(as_user, base).within(namespace).done("apply", manifest=manifest(base))
    assert " ".join(alice("get", short).out.splitlines()[0].split()) == COLUMNS[short]
    assert manifest(base)["metadata"]["name"] in alice("get", "feem").out


def test_kubectl_explain_prints_descriptions(as_user: AsUser) -> None:
    told = as_user("alice")("explain", "managedservice.spec.traffic").out
    assert "During a release its weights split" in " ".join(told.split())
