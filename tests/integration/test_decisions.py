"""Who may decide what, asked of the real API server by people who hold nothing but FEEM's ready roles."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from e2e.cluster import Cluster
from tests.integration.conftest import OPERATOR, AsUser
from tests.integration.kubectl import Kubectl, Manifest
from tests.integration.people import DIGEST, People, decision, hours_from_now, install_roles, release

pytestmark = pytest.mark.integration

RELEASE = "limit-scoring-7"
OTHER = "limit-scoring-8"
OTHER_DIGEST = "sha256:" + "e" * 64


@dataclass(frozen=True)
class Bank:
    """Everybody who has to do with the releases of one namespace, two of which wait for approval.

    team-dev asked for the first, which the pipeline would have asked for in the second, written by team-dev.
    """

    people: People
    operator: Kubectl
    admin: Kubectl
    risk: Kubectl
    second_risk: Kubectl
    product: Kubectl
    dev: Kubectl
    compliance: Kubectl
    committee: Kubectl


@pytest.fixture(scope="module")
def bank(cluster: Cluster, as_user: AsUser, namespace: str) -> Bank:
    admin = as_user("platform-admin").within(namespace)
    install_roles(admin)
    people = People(cluster, admin, namespace)
    operator = as_user(OPERATOR).within(namespace)
    for name, spec, digest in (
        (RELEASE, {"requestedBy": "team-dev"}, DIGEST),
        (OTHER, {"requestedBy": "release-pipeline", "author": "team-dev"}, OTHER_DIGEST),
    ):
        operator.done("create", manifest=release(name, **spec))
        bind(operator, name, digest)
    return Bank(
        people,
        operator,
        admin,
        people.of("risk", "risk-officer"),
        people.of("risk", "second-risk-officer"),
        people.of("product", "product-owner"),
        people.of("dev", "team-dev"),
        people.of("compliance", "compliance-officer"),
        people.of("committee", "committee-member"),
    )


def bind(operator: Kubectl, name: str, digest: str, **status: Any) -> None:
    """Write a Release's status as the operator does."""
    patch = json.dumps({"status": {"binding": digest, **status}})
    operator.done("patch", "release.feem.dev", name, "--subresource=status", "--type=merge", f"--patch={patch}")


def created(user: Kubectl, body: Manifest) -> Manifest:
    answer = user("create", "--output=json", manifest=body)
    assert answer.code == 0, answer.told
    found: Manifest = json.loads(answer.out)
    return found


def test_who_decides_and_what_for_is_filled_in(bank: Bank) -> None:
    spec = created(bank.risk, decision(RELEASE, "Approve", role="risk"))["spec"]
    assert spec["by"] == "risk-officer"
    assert set(spec["groups"]) == {"bank-risk", "bank-staff", "system:authenticated"}
    assert spec["digest"] == DIGEST
    spec = created(bank.committee, decision(OTHER, "BreakGlass", ticket="INC-1", expiresAt=hours_from_now(3.9)))["spec"]
    assert (spec["by"], spec["digest"]) == ("committee-member", OTHER_DIGEST)


def test_what_is_given_and_true_is_kept(bank: Bank) -> None:
    groups = ["system:authenticated", "bank-staff", "bank-risk"]
    given = decision(
        OTHER,
        "Approve",
        role="risk",
        by="risk-officer",
        groups=groups,
        digest=OTHER_DIGEST,
        expiresAt=hours_from_now(719),
    )
    assert created(bank.risk, given)["spec"]["groups"] == groups


@pytest.mark.parametrize("verb", ["Pause", "Resume", "Promote", "Abort", "Retry"])
def test_verbs_without_a_role_are_free_to_the_requester(bank: Bank, verb: str) -> None:
    body = created(bank.dev, decision(RELEASE, verb))
    assert body["spec"]["by"] == "team-dev"
    assert "digest" not in body["spec"]


def test_a_decision_on_a_release_that_is_not_there_is_for_the_operator_to_answer(bank: Bank) -> None:
    created(bank.dev, decision("nowhere-1", "Abort"))


def approve(**spec: Any) -> dict[str, Any]:
    return {"release": RELEASE, "verb": "Approve", "role": "risk", **spec}


def break_glass(hours: float = 3.9, **spec: Any) -> dict[str, Any]:
    return {"release": RELEASE, "verb": "BreakGlass", "ticket": "INC-1", "hours": hours, **spec}


def attempt(name: str, user: str, body: dict[str, Any], *told: str) -> Any:
    return pytest.param(user, body, told, id=name)


REFUSED = [
    attempt("forged-by", "risk", approve(by="second-risk-officer"), "spec.by must be your own user name, risk-officer"),
    attempt(
        "forged-group",
        "risk",
        approve(groups=["bank-risk", "bank-staff", "bank-committee", "system:authenticated"]),
        "spec.groups must be your own groups, bank-risk, bank-staff",
    ),
    attempt("group-left-out", "risk", approve(groups=["bank-risk"]), "spec.groups must be your own groups"),
    attempt("no-groups", "risk", approve(groups=[]), "spec.groups must be your own groups"),
    attempt(
        "another-role",
        "risk",
        approve(role="compliance"),
        "you do not hold role compliance in namespace",
        "verb approve on approvalroles.feem.dev/compliance",
        "ClusterRole feem-compliance",
    ),
    attempt("role-not-held", "product", approve(), "you do not hold role risk"),
    attempt("reject-in-a-role-not-held", "dev", approve(verb="Reject"), "you do not hold role risk"),
    attempt("sign-off-in-a-role-not-held", "product", approve(verb="SignOff"), "verb signoff on approvalroles"),
    attempt("own-approval", "dev", approve(role="dev"), "you asked for Release limit-scoring-7 yourself"),
    attempt(
        "authors-approval",
        "dev",
        approve(role="dev", release=OTHER),
        "you wrote the change of Release limit-scoring-8 yourself",
    ),
    attempt(
        "own-sign-off",
        "dev",
        approve(role="dev", verb="SignOff"),
        "you asked for Release limit-scoring-7 yourself: somebody else of role dev has to decide SignOff",
    ),
    attempt(
        "authors-sign-off",
        "dev",
        approve(role="dev", release=OTHER, verb="SignOff"),
        "you wrote the change of Release limit-scoring-8",
    ),
    attempt("expired", "risk", approve(hours=-0.01), "spec.expiresAt of Approve must be later than now"),
    attempt("approval-for-31-days", "risk", approve(hours=31 * 24), "by 30 days at most"),
    attempt(
        "another-releases-digest",
        "risk",
        approve(digest=OTHER_DIGEST),
        "what you approve has changed since you looked",
        f"its status.binding, {DIGEST}",
    ),
    attempt(
        "break-glass-by-a-non-member",
        "risk",
        break_glass(),
        "you may not break the glass in namespace",
        "ClusterRole feem-committee",
    ),
    attempt("break-glass-for-more-than-4-h", "committee", break_glass(4.05), "by four hours at most"),
    attempt("break-glass-expired", "committee", break_glass(-0.01), "later than now"),
    attempt("break-glass-for-little", "committee", break_glass(reason="  urgent  "), "in ten characters or more"),
    attempt("break-glass-of-another", "committee", break_glass(digest=OTHER_DIGEST), "has changed since you looked"),
    attempt("break-glass-in-anothers-name", "committee", break_glass(by="risk-officer"), "spec.by must be"),
]


@pytest.mark.parametrize(("who", "body", "told"), REFUSED)
def test_refused(bank: Bank, who: str, body: dict[str, Any], told: tuple[str, ...]) -> None:
    spec = dict(body)
    hours = spec.pop("hours", None)
    if hours is not None:
        spec["expiresAt"] = hours_from_now(hours)
    user: Kubectl = getattr(bank, who)
    answer = user.refused("create", manifest=decision(**spec))
    assert "Forbidden" in answer
    for part in told:
        assert part in answer


def test_somebody_else_of_the_role_signs_off_but_nobody_who_took_part(bank: Bank) -> None:
    duty = {"role": "risk", "due": hours_from_now(48), "emergency": "break-1", "notBy": ["risk-officer"]}
    bank.operator.done("create", manifest=release("ended-1", requestedBy="team-dev"))
    bind(bank.operator, "ended-1", DIGEST, signOff=duty)
    told = bank.risk.refused("create", manifest=decision("ended-1", "SignOff", role="risk"))
    assert "you took part in Release ended-1: somebody else of role risk has to sign it off" in told
    created(bank.second_risk, decision("ended-1", "SignOff", role="risk"))


def test_the_requester_may_reject_and_break_the_glass(bank: Bank) -> None:
    created(bank.dev, decision(RELEASE, "Reject", role="dev"))
    bank.people.bind("feem-committee", "bank-oncall")
    oncall = bank.people("team-dev", "bank-oncall")
    created(oncall, decision(RELEASE, "BreakGlass", ticket="INC-2", expiresAt=hours_from_now(1)))


def test_a_role_counts_in_its_namespace_only(bank: Bank, as_user: AsUser) -> None:
    elsewhere = f"{bank.people.namespace}-b"
    as_user("platform-admin").done("create", "namespace", elsewhere)
    try:
        People(bank.people.cluster, bank.admin.within(elsewhere), elsewhere).bind("feem-product", "bank-risk")
        told = bank.risk.within(elsewhere).refused("create", manifest=decision(RELEASE, "Reject", role="risk"))
        assert f"you do not hold role risk in namespace {elsewhere}" in told
    finally:
        as_user("platform-admin").done("delete", "namespace", elsewhere, "--wait=false")


@pytest.mark.parametrize("who", ["risk", "admin", "operator"])
def test_what_was_decided_stays(bank: Bank, who: str) -> None:
    body = created(bank.risk, decision(RELEASE, "Reject", role="risk"))
    name, user = body["metadata"]["name"], getattr(bank, who)
    edit = '--patch={"spec":{"verb":"Approve"}}'
    assert "immutable" in bank.admin.refused("patch", "decision", name, "--type=merge", edit)
    if who == "risk":
        assert "cannot delete resource" in user.refused("delete", "decision", name)
        return
    assert "is never edited, by anyone" in user.refused("label", "decision", name, "seen=yes")
    assert "is never edited" in user.refused("annotate", "decision", name, "feem.dev/x=1")
    assert "is never deleted, by anyone" in user.refused("delete", "decision", name)
    assert "is never deleted, by anyone" in user.refused("delete", "decisions", "--all")
    user.done("label", "decision", name, "--list")
    assert bank.admin.read("decision", name)["spec"] == body["spec"]


def test_a_write_that_changes_nothing_passes(bank: Bank) -> None:
    """As the API server's own migration of stored versions does it."""
    body = created(bank.risk, decision(RELEASE, "Reject", role="risk"))
    bank.admin.done("replace", manifest=body)


@pytest.mark.parametrize(
    "words",
    [
        ("annotate", "release.feem.dev", RELEASE, "feem.dev/ticket=PAY-1"),
        ("create", "rolebinding", "me", "--clusterrole=feem-risk", "--user=risk-officer"),
        ("delete", "release.feem.dev", RELEASE),
        ("get", "secrets"),
    ],
    ids=lambda words: "-".join(words[:2]),
)
def test_the_roles_give_nothing_else(bank: Bank, words: tuple[str, ...]) -> None:
    assert "forbidden" in bank.risk.refused(*words)
    assert "forbidden" in bank.committee.refused(*words)


def test_profiles_and_windows_are_for_compliance_and_risk_with_a_binding_for_the_cluster(bank: Bank) -> None:
    window = {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ChangeWindow",
        "metadata": {"name": "year-end"},
        "spec": {
            "type": "Freeze",
            "reason": "Year-end close",
            "timeZone": "Asia/Shanghai",
            "preset": {"kind": "YearEnd"},
        },
    }
    create = ("create", "--dry-run=server")
    assert "forbidden" in bank.risk.refused(*create, manifest=window), "a RoleBinding is for one namespace"
    for role in ("risk", "compliance"):
        bank.people.bind(f"feem-{role}", f"head-of-{role}", everywhere=True)
        bank.people(f"head-of-{role}", f"head-of-{role}").done(*create, manifest=window)
    profile = {
        "apiVersion": "feem.dev/v1alpha1",
        "kind": "ComplianceProfile",
        "metadata": {"name": "small"},
        "spec": {"gates": [{"name": "data", "stage": "Request", "data": {}}]},
    }
    bank.people("head-of-compliance", "head-of-compliance").done(*create, manifest=profile)
    assert "forbidden" in bank.people("head-of-risk", "head-of-risk").refused(*create, manifest=profile)
