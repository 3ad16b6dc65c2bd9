"""Attempts of a cluster-admin, whom no policy stops for long: policies taken away or only set to Audit, and what is done meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.attempts.bank import Bank
from tests.integration.attempts.conftest import Judge, OpenBank
from tests.integration.attempts.verdict import Verdict
from tests.integration.kubectl import Kubectl, Manifest
from tests.integration.operator import NAME, until
from tests.integration.people import decision

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
BINDING = "validatingadmissionpolicybinding"
STEPS = [{"weight": 20, "bakeSeconds": 5}, {"weight": 60, "bakeSeconds": 2}]


@pytest.fixture
def policies(admin: Kubectl) -> Iterator[Kubectl]:
    """A cluster-admin's kubectl; all policies are put back afterwards, whatever the test did to them."""
    yield admin
    put_back(admin)


def put_back(admin: Kubectl) -> None:
    """What FEEM tells to do: apply the policies as shipped."""
    admin.done("apply", "--server-side", "--force-conflicts", f"--filename={ROOT / 'policies'}")


def taken_away(admin: Kubectl, name: str) -> None:
    admin.done("delete", BINDING, name)


def only_audited(admin: Kubectl, name: str) -> None:
    change = json.dumps({"spec": {"validationActions": ["Audit"]}})
    admin.done("patch", BINDING, name, "--type=merge", f"--patch={change}")


def noticed(verdict: Verdict, binding: str) -> None:
    """FEEM's audit log has it."""
    verdict.recorded("PolicyWeakened", lambda spec: binding in spec["message"])


def forged(bank: Bank, release: str) -> Manifest:
    """An approval in the risk officer's name, by a colleague of who asked for the change; tried until it is let through.

    Who asked for it would still be refused: another policy sees to that.
    """
    groups = ["bank-risk", "bank-staff", "system:authenticated"]
    spec = {"role": "risk", "by": "risk-officer", "groups": groups, "digest": bank.status(release)["binding"]}
    body = decision(release, "Approve", **spec)

    def accepted() -> Manifest | None:
        answer = bank.person("team-colleague", "dev")("create", "--output=json", manifest=body)
        return json.loads(answer.out) if answer.code == 0 else None

    return until("the forged approval", accepted, 20)


@pytest.mark.parametrize(
    ("what", "weaken"), [("removed", taken_away), ("set to Audit", only_audited)], ids=["removed", "audit"]
)
def test_an_approval_forged_while_nobody_looked(
    open_bank: OpenBank, judge: Judge, policies: Kubectl, what: str, weaken: object
) -> None:
    bank = open_bank()
    name = bank.asked()
    verdict = judge(bank)
    assert callable(weaken)
    weaken(policies, "decisions.feem.dev")
    by, binding = "platform-admin", "decisions.feem.dev"
    verdict.held(f"Policy binding {what}", by, name, "guard", "PolicyWeakened", binding)
    noticed(verdict, binding)
    made = forged(bank, name)
    assert made["spec"]["by"] == "risk-officer"
    bank.approve(name, "compliance")
    verdict.still(name)
    put_back(policies)
    until("the policies are in force", lambda: bank.gates(name)["guard"]["outcome"] == "Passed")
    colleague = bank.person("team-colleague", "dev")
    again = decision(name, "Pause", by="risk-officer")
    until("the policy in force again", lambda: colleague("create", "--dry-run=server", manifest=again).code != 0)
    attempt = f"Approval forged while the binding was {what}"
    verdict.held(attempt, "team-colleague", name, "approvals", "DecidedUnguarded", "0 of 2")
    verdict.recorded("PolicyRestored", lambda spec: spec["reason"] == "InForce")


def test_a_binding_removed_mid_release(open_bank: OpenBank, judge: Judge, policies: Kubectl) -> None:
    bank = open_bank(steps=STEPS)
    name = bank.running()
    verdict = judge(bank, "scoring:3")
    policies.done("delete", "mutatingadmissionpolicybinding", "hold.feem.dev")
    attempt = "Binding of the policy that holds changes removed mid-release"
    verdict.held(attempt, "platform-admin", name, "guard", "PolicyWeakened", "hold.feem.dev")
    noticed(verdict, "hold.feem.dev")
    assert bank.status(name)["step"] == 1


def test_a_route_deleted_where_nobody_could_refuse(open_bank: OpenBank, judge: Judge, policies: Kubectl) -> None:
    """Who takes the policy away as well can delete the route: then nobody is served, and the release stays where it is."""
    bank = open_bank(steps=STEPS)
    name = bank.running()
    verdict = judge(bank, "scoring:2")
    taken_away(policies, "traffic.feem.dev")
    until("the deletion", lambda: policies.within(bank.namespace)("delete", "httproute", NAME).code == 0, 20)
    verdict.gone("HTTPRoute deleted mid-release, its policy removed", "platform-admin", name, f"HTTPRoute {NAME}")
    noticed(verdict, "traffic.feem.dev")
