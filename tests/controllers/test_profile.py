"""The ComplianceProfile controller: a slip in a profile is seen when it is written."""

from __future__ import annotations

import copy
from datetime import datetime
from typing import Any, cast

import pytest

from feem.api.gate import Gate
from feem.api.profile import ComplianceProfile, ProfileSpec, ProfileStatus
from feem.controllers.profile import PROFILES, ProfileController, problems_with, summary_of
from feem.core.conditions import find
from feem.ports import Body, Cluster
from tests.controllers.facts import Facts
from tests.windows.written import utc

APPROVALS: Body = {"name": "risk", "stage": "Request", "approvals": {"roles": [{"role": "risk"}]}}
REVIEW: Body = {"name": "review", "stage": "Closure", "signOff": {"role": "product", "withinDays": 5}}


def ticket(pattern: str) -> Body:
    return {"name": "ticket", "stage": "Start", "ticket": {"pattern": pattern}}


def requirements(pattern: str) -> Body:
    return {"name": "references", "stage": "Start", "requirements": {"pattern": pattern}}


def lead_time(zone: str, country: str) -> Body:
    return {"name": "notice", "stage": "Start", "leadTime": {"workingDays": 2, "timeZone": zone, "country": country}}


def spec(*gates: Body, skips: tuple[str, ...] = ()) -> ProfileSpec:
    glass = {"breakGlass": {"skips": list(skips), "signOffRole": "risk"}} if skips else {}
    return ProfileSpec.model_validate({"gates": list(gates), **glass})


class Clock:
    def now(self) -> datetime:
        return utc("2026-11-23 12:00")


class Objects:
    """As much of the port `Cluster` as an acceptance needs."""

    def __init__(self, written: ProfileSpec) -> None:
        self.body: Body | None = {"metadata": {"name": "standard", "generation": 1, "resourceVersion": "7"}}
        self.body["spec"] = written.wire()
        self.writes = 0
        self.ledger = Facts()

    def get(self, resource: str, namespace: str, name: str) -> Body | None:
        assert (resource, namespace, name) == (PROFILES, "", "standard")
        return copy.deepcopy(self.body)

    async def write_status(self, resource: str, namespace: str, name: str, status: Body, resource_version: str) -> None:
        assert (resource, namespace, name, resource_version) == (PROFILES, "", "standard", "7")
        assert self.body is not None
        self.body["status"] = status
        self.writes += 1

    @property
    def status(self) -> ProfileStatus:
        assert self.body is not None
        found = ComplianceProfile.read(self.body).status
        assert found is not None
        return found


async def visit(objects: Objects) -> tuple[str, str, str]:
    await ProfileController(cast("Cluster", objects), objects.ledger, Clock()).reconcile("standard")
    found = find(objects.status.conditions, "Accepted")
    assert found is not None
    return found.status.value, found.reason, found.message


@pytest.mark.parametrize(
    ("written", "reason", "words"),
    [
        (spec(APPROVALS), "Accepted", "1 gate: 1 at Request"),
        (spec(APPROVALS, REVIEW, ticket(r"PAY-[0-9]+")), "Accepted", "3 gates: 1 at Request, 1 at Start, 1 at Closure"),
        (spec(lead_time("Asia/Shanghai", "CN")), "Accepted", "1 at Start"),
        (spec(lead_time("Europe/Berlin", "DE-HE")), "Accepted", "1 at Start"),
        (spec(APPROVALS, REVIEW, skips=("risk", "freeze")), "Accepted", "2 gates"),
        (spec(ticket("PAY-[0-9+")), "BadPattern", "gate ticket: pattern 'PAY-[0-9+' is not a regular expression (unterminated"),
        (spec(ticket("a{99999999999}")), "BadPattern", "is not a regular expression"),
        (spec(requirements("(REQ")), "BadPattern", "gate references: pattern '(REQ' is not"),
        (spec(lead_time("Asia/Shangai", "CN")), "UnknownTimeZone", "gate notice: Asia/Shangai is not an IANA time zone"),
        (spec(lead_time("Asia/Shanghai", "XX")), "UnknownCountry", "gate notice: the public holidays of XX are not known"),
        (spec(lead_time("Asia/Shanghai", "CN-SH")), "UnknownCountry", "write CN"),
        (spec(APPROVALS, REVIEW, skips=("review",)), "NoSignOff", "take it out of breakGlass.skips"),
    ],
)  # fmt: skip
async def test_acceptance(written: ProfileSpec, reason: str, words: str) -> None:
    found = await visit(Objects(written))
    assert found[:2] == ("True" if reason == "Accepted" else "False", reason)
    assert words in found[2]


async def test_all_problems_are_told_at_once() -> None:
    _, reason, message = await visit(Objects(spec(requirements("(REQ"), lead_time("Asia/Shangai", "XX"), ticket("["))))
    assert reason == "BadPattern"
    assert [part.split(":")[0] for part in message.split("; ")] == ["gate references", "gate notice", "gate ticket"]


async def test_it_writes_once_and_again_when_the_profile_changes() -> None:
    objects = Objects(spec(ticket("[")))
    await visit(objects)
    await visit(objects)
    assert objects.writes == 1
    assert objects.body is not None
    objects.body["spec"], objects.body["metadata"]["generation"] = spec(ticket("PAY-[0-9]+"), REVIEW).wire(), 2
    assert (await visit(objects))[1] == "Accepted"
    assert objects.writes == 2
    assert (objects.status.observed_generation, objects.status.summary) == (2, "2 gates: 1 at Start, 1 at Closure")


async def test_a_profile_that_is_gone_needs_nothing() -> None:
    objects = Objects(spec(APPROVALS))
    objects.body = None
    await ProfileController(cast("Cluster", objects), objects.ledger, Clock()).reconcile("standard")
    assert objects.writes == 0


def test_the_longest_profile_fits_the_summary() -> None:
    stages = ("Request", "Start", "Step", "Promotion")
    gates: list[Any] = [{**APPROVALS, "name": f"g{index}", "stage": stages[index % 4]} for index in range(32)]
    written = spec(*gates)
    assert summary_of(written) == "32 gates: 8 at Request, 8 at Start, 8 at Step, 8 at Promotion"
    assert not tuple(problems_with(written))
    assert all(isinstance(gate, Gate) for gate in written.gates)
