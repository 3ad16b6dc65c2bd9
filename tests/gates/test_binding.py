"""What an approval allows: any edit of it makes it something else. And what is frozen when a change is held."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from feem.api.profile import ComplianceProfile
from feem.api.release import Release
from feem.api.service import Mode
from feem.core.digest import digest_of
from feem.core.gates.binding import binding_of, facts_of
from feem.core.gates.snapshot import author_of, compliance_facts
from tests.gates import cases as at

KEY, REQUIREMENTS = "feem.dev/ticket", "feem.dev/requirements"
GATES = (
    at.gate("ticket", pattern="PAY-[0-9]+"),
    at.gate("requirements", pattern="REQ-[0-9]+"),
    at.gate("evidence", documents=["sbom"]),
    at.approvals(("risk", 1)),
)
PROFILE = at.profile(*GATES)
SAID = {KEY: "PAY-1", "unrelated": "x", "feem.dev/evidence-sbom": at.SHA}
RELEASE = at.release(PROFILE, at.service(), SAID)


def changed(**spec: Any) -> Release:
    return RELEASE.model_copy(update={"spec": RELEASE.spec.model_copy(update=spec)})


def annotated(**own: str) -> Release:
    names = {"ticket": KEY, "requirements": REQUIREMENTS, "sbom": "feem.dev/evidence-sbom", "unrelated": "unrelated"}
    annotations = {names[name]: value for name, value in own.items()}
    return RELEASE.model_copy(update={"metadata": RELEASE.metadata.model_copy(update={"annotations": annotations})})


OBJECTIVE = RELEASE.spec.objectives[0]
PLAN = RELEASE.spec.plan
COMPLIANCE = RELEASE.spec.compliance
assert COMPLIANCE is not None

EDITS = {
    "another release of the same name": RELEASE.model_copy(
        update={"metadata": RELEASE.metadata.model_copy(update={"uid": "another"})}
    ),
    "template": changed(template_digest=at.SHA),
    "images": changed(images=[]),
    "requester": changed(requested_by="somebody"),
    "author": changed(author="somebody"),
    "traffic": changed(traffic=RELEASE.spec.traffic.model_copy(update={"service": "other"})),
    "plan": changed(plan=PLAN.model_copy(update={"watch_seconds": 60})),
    "objective's target": changed(objectives=[OBJECTIVE.model_copy(update={"objective": "50"})]),
    "objective's query": changed(
        objectives=[
            OBJECTIVE.model_copy(
                update={
                    "indicator": OBJECTIVE.indicator.model_copy(
                        update={
                            "ratio": OBJECTIVE.indicator.ratio.model_copy(update={"bad": "nothing_total"})
                            if OBJECTIVE.indicator.ratio is not None
                            else None
                        }
                    )
                }
            )
        ]
    ),
    "attempt": changed(attempt=2),
    "mode": changed(mode=Mode.OBSERVE),
    "owner": changed(compliance=COMPLIANCE.model_copy(update={"owner": "somebody"})),
    "frozen fact": changed(compliance=COMPLIANCE.model_copy(update={"facts": []})),
    "annotation replaced": annotated(ticket="PAY-2"),
    "annotation emptied": annotated(ticket=""),
    "annotation added": annotated(requirements="REQ-1"),
    "evidence replaced": annotated(sbom="sha256:" + "c" * 64),
}


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_makes_it_something_else(name: str) -> None:
    assert binding_of(EDITS[name], PROFILE) != binding_of(RELEASE, PROFILE)


def test_no_two_edits_are_the_same_thing() -> None:
    assert len({binding_of(release, PROFILE) for release in EDITS.values()}) == len(EDITS)


@pytest.mark.parametrize(
    "profile",
    [None, at.profile(*GATES[:3]), at.profile(*GATES, pipelines=["x"]), at.profile(*GATES[::-1])],
    ids=["gone", "gate removed", "pipelines", "order"],
)
def test_every_edit_of_the_profile_makes_it_something_else(profile: ComplianceProfile | None) -> None:
    assert binding_of(RELEASE, profile) != binding_of(RELEASE, PROFILE)


@pytest.mark.parametrize(
    "same",
    [
        RELEASE,
        Release.model_validate_json(RELEASE.model_dump_json()),
        annotated(unrelated="y"),
        annotated(ticket=" PAY-1 "),
        RELEASE.model_copy(update={"status": at.ended()}),
    ],
    ids=["itself", "read again", "unrelated annotation", "blanks", "status"],
)
def test_what_gates_do_not_look_at_changes_nothing(same: Release) -> None:
    assert binding_of(same, PROFILE) == binding_of(RELEASE, PROFILE)


def test_facts_are_what_the_release_says_or_else_what_was_frozen() -> None:
    assert facts_of(RELEASE) == {KEY: "PAY-1", "feem.dev/evidence-sbom": at.SHA}
    assert facts_of(annotated(ticket="PAY-9")) == {KEY: "PAY-9", "feem.dev/evidence-sbom": at.SHA}
    assert facts_of(annotated(ticket="")) == {"feem.dev/evidence-sbom": at.SHA}
    assert REQUIREMENTS not in facts_of(annotated(requirements="REQ-1"))
    assert facts_of(annotated(requirements="REQ-1"), PROFILE)[REQUIREMENTS] == "REQ-1"
    assert facts_of(at.release(None, at.service(None))) == {}


def test_an_approval_is_void_after_an_edit_and_counts_again_when_it_is_taken_back() -> None:
    facts = at.picture(*GATES, annotations=SAID, own={REQUIREMENTS: "REQ-1"}, acts=[at.approve("one", "risk")])
    assert at.holding(facts) == []
    metadata = facts.release.metadata.model_copy(update={"annotations": {REQUIREMENTS: "REQ-2"}})
    edited = replace(facts, release=facts.release.model_copy(update={"metadata": metadata}))
    assert at.said(edited, "approvals").reason == "ApprovedSomethingElse"


def test_what_is_frozen() -> None:
    of: dict[str, Any] = {
        "owner": "lending",
        "dataClassification": "Confidential",
        "runbook": {"url": "https://wiki.example/r", "drilledOn": "2026-02-01"},
        "rollbackPlan": {"url": "https://wiki.example/p"},
        "drills": [{"name": "outage", "passedOn": "2026-02-01"}],
    }
    frozen = compliance_facts(at.service(**of), PROFILE, {**SAID, REQUIREMENTS: " "})
    assert frozen.profile == "standard"
    assert frozen.profile_digest == digest_of(PROFILE.spec.wire())
    assert [(fact.name, fact.value) for fact in frozen.facts] == [(KEY, "PAY-1"), ("feem.dev/evidence-sbom", at.SHA)]
    wire = frozen.wire()
    assert {key: wire[key] for key in of} == of


def test_what_is_too_long_for_the_api_is_left_out_not_cut() -> None:
    assert compliance_facts(at.service(), PROFILE, {KEY: "x" * 1025}).facts == []
    assert len(compliance_facts(at.service(), PROFILE, {KEY: "x" * 1024}).facts) == 1
    names = [[f"d{gate}-{number}" for number in range(10)] for gate in range(5)]
    gates = [at.gate("evidence", f"e{number}", documents=some) for number, some in enumerate(names)]
    said = {f"feem.dev/evidence-{name}": at.SHA for some in names for name in some}
    many = compliance_facts(at.service(), at.profile(*gates), said)
    assert len(many.facts) == 40


@pytest.mark.parametrize(
    ("pipelines", "said", "author"),
    [
        ([at.PIPELINE], {"feem.dev/author": " team-dev "}, "team-dev"),
        ([at.PIPELINE], {}, ""),
        ([], {"feem.dev/author": "team-dev"}, ""),
        (["other"], {"feem.dev/author": "team-dev"}, ""),
        ([at.PIPELINE], {"feem.dev/author": "x" * 513}, ""),
    ],
)
def test_author_is_believed_of_pipelines_only(pipelines: list[str], said: dict[str, str], author: str) -> None:
    assert author_of(at.profile(pipelines=pipelines), said, at.PIPELINE) == author


def test_a_profile_names_its_own_annotation_for_the_author() -> None:
    profile = at.profile(pipelines=[at.PIPELINE], authorAnnotation="git/author")
    assert author_of(profile, {"git/author": "team-dev", "feem.dev/author": "x"}, at.PIPELINE) == "team-dev"
