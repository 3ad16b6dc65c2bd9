"""Attempts with approvals: in another's name, of one's own change, without the role, of something else, too early, too late."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.integration.attempts.bank import Bank
from tests.integration.attempts.conftest import Judge, OpenBank
from tests.integration.attempts.profiles import PIPELINE
from tests.integration.kubectl import Answer, Kubectl, Manifest
from tests.integration.operator import NAME, until
from tests.integration.people import DIGEST, decision, hours_from_now

pytestmark = pytest.mark.integration


def tries(who: Kubectl, bank: Bank, release: str, verb: str = "Approve", **spec: Any) -> Answer:
    """Create a Decision, whatever comes of it."""
    return who.within(bank.namespace)("create", manifest=decision(release, verb, **spec))


def test_a_forged_approver(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank)
    forged = tries(bank.risk, bank, name, role="risk", by="second-risk-officer")
    words = "spec.by must be your own user name, risk-officer"
    verdict.denied("Approval in another officer's name", "risk-officer", "decisions.feem.dev", forged, words)
    strongest = tries(bank.admin, bank, name, role="risk", by="risk-officer")
    words = "spec.by must be your own user name, platform-admin"
    verdict.denied("The same by a cluster-admin", "platform-admin", "decisions.feem.dev", strongest, words)


def test_ones_own_approval(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank)
    both = bank.person("team-dev", "team", "dev", "risk")
    own = tries(both, bank, name, role="risk")
    words = f"you asked for Release {name} yourself"
    verdict.denied("Own approval, with the role", "team-dev", "separation.feem.dev", own, words)


def test_the_authors_approval_of_what_a_pipeline_applied(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank(author="team-dev")
    name = bank.asked(by=bank.person(PIPELINE, "pipeline"))
    verdict = judge(bank)
    own = tries(bank.person("team-dev", "team", "dev", "risk"), bank, name, role="risk")
    words = f"you wrote the change of Release {name} yourself"
    verdict.denied("Own approval of a change that the pipeline applied", "team-dev", "separation.feem.dev", own, words)


def test_an_approval_without_the_role(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank)
    other = tries(bank.person("product-owner", "product"), bank, name, role="risk")
    words = "you do not hold role risk in namespace"
    verdict.denied("Approval without the role", "product-owner", "decisions.feem.dev", other, words)
    nobody = tries(bank.person("team-test"), bank, name, role="risk")
    verdict.denied("Approval without any role", "team-test", "RBAC", nobody, "create resource")


def test_one_person_in_two_roles(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank)
    deputy = bank.person("deputy-officer", "risk", "compliance")
    for role in ("risk", "compliance"):
        bank.decide(deputy, name, "Approve", role=role)
    verdict.held(
        "Both approvals by one person in two roles",
        "deputy-officer",
        name,
        "approvals",
        "CountsInAnotherRole",
        "1 of 2",
    )


def test_an_expired_approval(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank)
    late = tries(bank.risk, bank, name, role="risk", expiresAt=hours_from_now(-0.1))
    words = "spec.expiresAt of Approve must be later than now"
    verdict.denied("Approval that has ended when it is made", "risk-officer", "decisions.feem.dev", late, words)
    bank.approve(name, "risk", expiresAt=hours_from_now(3 / 3600))
    time.sleep(3.2)
    bank.approve(name, "compliance")
    verdict.held(
        "Approval that has ended when the release could go", "risk-officer", name, "approvals", "ApprovalExpired"
    )


def test_an_approval_for_another_release(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    first = bank.asked("2")
    binding = bank.status(first)["binding"]
    bank.approve(first, "risk")
    second = bank.asked("3")
    verdict = judge(bank, "scoring:3")
    assert bank.shop.ending(first) == "Superseded"
    passed_on = tries(bank.risk, bank, second, role="risk", digest=binding)
    words = "what you approve has changed since you looked"
    verdict.denied("Approval with another release's digest", "risk-officer", "separation.feem.dev", passed_on, words)
    made = bank.decide(bank.risk, first, "Approve", role="risk", digest=binding)
    assert bank.answer(made)["status"] == "False"
    bank.approve(second, "compliance")
    verdict.held(
        "Approval of another release, then the image edited",
        "team-dev",
        second,
        "approvals",
        "ApprovalsMissing",
        "1 of 2",
    )
    verdict.recorded("Decision", lambda spec: spec["actor"] == "risk-officer" and spec["reason"] == "ReleaseEnded")


def test_edited_after_the_approval(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank)
    bank.approve(name, "risk")
    until("the approval counts", lambda: "1 of 2" in bank.gates(name)["approvals"]["message"])
    before = bank.status(name)["binding"]
    bank.team.done("annotate", "release.feem.dev", name, "feem.dev/ticket=PAY-2")
    until("another binding", lambda: bank.status(name)["binding"] != before)
    bank.approve(name, "compliance")
    verdict.held("Ticket edited after the approval", "team-dev", name, "approvals", "ApprovedSomethingElse", "1 of 2")


def test_the_release_itself_edited_after_the_approval(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank)
    edit = {"spec": {"plan": {"steps": [{"weight": 100, "bakeSeconds": 1}]}}}
    patch = ("patch", "release.feem.dev", name, "--type=merge", f"--patch={json.dumps(edit)}")
    verdict.denied("Plan edited on the Release", "platform-admin", "CRD", bank.admin(*patch), "spec is immutable")
    passed: Manifest = {"status": {"gates": [], "conditions": []}}
    forged = (
        "patch",
        "release.feem.dev",
        name,
        "--subresource=status",
        "--type=merge",
        f"--patch={json.dumps(passed)}",
    )
    words = "only the FEEM operator writes the status"
    verdict.denied(
        "Gates wiped from the Release's status", "platform-admin", "status.feem.dev", bank.admin(*forged), words
    )


def test_an_approval_made_before_the_release(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    generation = (bank.shop.get("deployment") or {})["metadata"]["generation"]
    name = f"{NAME}-{generation + 1}"
    made = bank.decide(bank.risk, name, "Approve", role="risk", digest=DIGEST)
    assert bank.answer(made)["reason"] == "ReleaseNotFound"
    assert bank.asked() == name
    verdict = judge(bank)
    bank.approve(name, "compliance")
    verdict.held("Approval made before the release", "risk-officer", name, "approvals", "ApprovalsMissing", "1 of 2")
    verdict.recorded("Decision", lambda spec: spec["actor"] == "risk-officer" and spec["reason"] == "ReleaseNotFound")


@pytest.mark.parametrize(
    "edit", ["feem.dev/requested-by-", "feem.dev/requested-by=somebody-else"], ids=["removed", "changed"]
)
def test_a_deleted_requester(open_bank: OpenBank, judge: Judge, edit: str) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank)
    told = bank.admin.done("annotate", "deployment", NAME, edit, "--overwrite")
    stamp = (bank.shop.get("deployment") or {})["metadata"]["annotations"]["feem.dev/requested-by"]
    assert stamp == "team-dev"
    assert bank.release(name)["spec"]["requestedBy"] == "team-dev"
    what = "removed" if edit.endswith("-") else "changed"
    verdict.undone(f"Requester {what} on the Deployment", "platform-admin", told, "FEEM holds scoring paused")
    own = tries(bank.person("team-dev", "team", "dev", "risk"), bank, name, role="risk")
    words = f"you asked for Release {name} yourself"
    verdict.denied(f"Own approval after the requester was {what}", "team-dev", "separation.feem.dev", own, words)


def test_a_rejection_stands(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank)
    bank.decide(bank.risk, name, "Reject", role="risk")
    second = bank.person("second-risk-officer", "risk")
    bank.decide(second, name, "Approve", role="risk")
    bank.approve(name, "compliance")
    verdict.held(
        "A rejection outvoted by another officer's approval", "second-risk-officer", name, "approvals", "Rejected"
    )


def test_a_role_that_was_taken_away(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank)
    bank.approve(name, "risk")
    bank.admin.done("delete", "rolebinding", "bank-risk")
    until("no role any more", lambda: bank.risk("auth", "can-i", "approve", "approvalroles.feem.dev/risk").code != 0)
    bank.approve(name, "compliance")
    verdict.held("Approval by somebody who has lost the role since", "risk-officer", name, "approvals", "RoleLost")


def test_breaking_the_glass_without_being_a_member(open_bank: OpenBank, judge: Judge) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank)
    spec = {"ticket": "INC-1", "expiresAt": hours_from_now(1), "reason": "customers cannot pay their rates"}
    alone = tries(bank.risk, bank, name, "BreakGlass", **spec)
    words = "you may not break the glass in namespace"
    verdict.denied("Break-glass by a non-member", "risk-officer", "decisions.feem.dev", alone, words)
    long = tries(bank.committee, bank, name, "BreakGlass", **spec | {"expiresAt": hours_from_now(4.1)})
    words = "by four hours at most"
    verdict.denied("Break-glass for more than four hours", "committee-member", "decisions.feem.dev", long, words)
