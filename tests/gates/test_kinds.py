"""A table for each kind of gate: what passes, what holds, with which word, and what people read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from feem.api.release import GateOutcome
from feem.api.run import ChaosRun
from feem.core.gates import images
from feem.core.gates.drills import passed_runs
from feem.core.gates.facts import GateFacts, TicketAnswer
from feem.core.gates.images import Image
from feem.core.gates.ticket import wanted_tickets
from tests.gates import cases as at
from tests.rollout import snapshots

DIGEST = "@sha256:" + "a" * 64
AGAIN = 'kubectl feem abort scoring-4 -n lending --reason "…", then kubectl feem retry scoring-4 -n lending'
RUN_IT = "kubectl feem chaos run bureau-outage -n lending"
DAY = 86400


def run_within(days: int) -> dict[str, Any]:
    return at.gate("drill", experiment="bureau-outage", withinDays=days)


def declared_within(days: int) -> dict[str, Any]:
    return at.gate("drill", experiment="bureau-outage", withinDays=days, proof="Declared")


def check(facts: GateFacts, name: str, reason: str, short: str, *words: str) -> None:
    """The gate passes where `short` is empty, and holds otherwise; the words stand in its message."""
    result = at.said(facts, name)
    assert (result.outcome, result.reason, result.short) == (
        GateOutcome.HOLDING if short else GateOutcome.PASSED,
        reason,
        short,
    )
    assert result.message
    for word in words:
        assert word in result.message


@pytest.mark.parametrize(
    ("text", "repository", "by_digest"),
    [
        ("nginx", "docker.io/library/nginx", False),
        ("nginx:1.27", "docker.io/library/nginx", False),
        (f"nginx{DIGEST}", "docker.io/library/nginx", True),
        ("foo/bar", "docker.io/foo/bar", False),
        ("docker.io/nginx", "docker.io/library/nginx", False),
        ("index.docker.io/foo/bar", "docker.io/foo/bar", False),
        ("localhost/app", "localhost/app", False),
        ("localhost:5000/app:1", "localhost:5000/app", False),
        ("registry:5000/app", "registry:5000/app", False),
        ("registry.example/a/b__c/d-e.f:tag", "registry.example/a/b__c/d-e.f", False),
        (f"registry.example/a:1.0{DIGEST}", "registry.example/a", True),
        ("Registry.Example/a", "registry.example/a", False),
        ("Upper/app", "upper/app", False),
    ],
)
def test_image_names_are_read_as_runtimes_read_them(*, text: str, repository: str, by_digest: bool) -> None:
    assert images.parse(text) == Image(repository, by_digest)


@pytest.mark.parametrize(
    "text",
    ["", " ", "a b", "UPPER", "a//b", "/a", "a/", "registry.example/../evil", "a@sha256:abc", "a@sha512:" + "a" * 64,
     "a:", "a:b:c", "a" + DIGEST + DIGEST, "a@", "a" + DIGEST.upper(), "a/B", "a\n", "registry.example/./a", "a.example/.b"],
)  # fmt: skip
def test_what_is_no_image_name(text: str) -> None:
    assert images.parse(text) is None


@pytest.mark.parametrize(
    ("image", "registries", "digests", "reason"),
    [
        (at.IMAGE, [], "Required", "ImagesAllowed"),
        (at.IMAGE, ["registry.example/lending"], "Required", "ImagesAllowed"),
        (at.IMAGE, ["registry.example/lending/"], "Required", "ImagesAllowed"),
        (at.IMAGE, ["registry.example"], "Required", "ImagesAllowed"),
        (at.IMAGE, ["REGISTRY.example"], "Required", "ImagesAllowed"),
        (at.IMAGE, ["other.example", "registry.example"], "Required", "ImagesAllowed"),
        (at.IMAGE, ["registry.example/lending/scoring"], "Required", "ImagesAllowed"),
        (at.IMAGE, ["registry.example/lend"], "Required", "RegistryNotAllowed"),
        (at.IMAGE, ["registry.exam"], "Required", "RegistryNotAllowed"),
        (at.IMAGE, ["lending"], "Required", "RegistryNotAllowed"),
        ("registry.example.evil.example/lending/a" + DIGEST, ["registry.example"], "Required", "RegistryNotAllowed"),
        ("nginx" + DIGEST, ["docker.io/library"], "Required", "ImagesAllowed"),
        ("nginx" + DIGEST, ["docker.io"], "Required", "ImagesAllowed"),
        ("foo/bar" + DIGEST, ["foo"], "Required", "ImagesAllowed"),
        ("foo/bar" + DIGEST, ["registry.example"], "Required", "RegistryNotAllowed"),
        ("registry.example/foo/bar" + DIGEST, ["foo"], "Required", "RegistryNotAllowed"),
        ("registry.example/lending/a:1.0", ["registry.example"], "Optional", "ImagesAllowed"),
        ("registry.example/lending/a:1.0", ["registry.example"], "Required", "ImageNotByDigest"),
        ("nginx", [], "Optional", "ImagesAllowed"),
        ("nginx", [], "Required", "ImageNotByDigest"),
        ("registry.example/../evil" + DIGEST, [], "Optional", "ImageMalformed"),
    ],
)
def test_images(image: str, registries: list[str], digests: str, reason: str) -> None:
    gate = at.gate("images", digests=digests, registries=registries)
    facts = at.picture(gate, spec={"images": [{"name": "app", "image": image}]})
    check(facts, "images", reason, "" if reason == "ImagesAllowed" else "images: app")


def test_every_container_that_breaks_the_rules_is_named() -> None:
    made = [("app", "nginx"), ("good", at.IMAGE), ("side", "other.example/x" + DIGEST)]
    spec = {"images": [{"name": name, "image": image} for name, image in made]}
    facts = at.picture(at.gate("images", registries=["registry.example"]), spec=spec)
    words = (
        "container app: nginx is not named by digest: write name@sha256:…",
        "container app: nginx is not from registry.example",
        "container side: other.example/x",
    )
    check(facts, "images", "ImageNotByDigest", "images: app, side", *words)
    assert "good" not in at.said(facts, "images").message


def test_a_release_without_images_does_not_pass() -> None:
    check(at.picture(at.gate("images"), spec={"images": []}), "images", "NoImages", "images unknown", AGAIN)


LOOKED_UP = {"provider": "Jira", "statuses": ["Approved", "Ready to go"]}
TICKET = at.gate("ticket", pattern="PAY-[0-9]+")
CHECKED = at.gate("ticket", pattern="PAY-[0-9]+", verification=LOOKED_UP)
KEY = "feem.dev/ticket"


@pytest.mark.parametrize(
    ("gate", "ticket", "answer", "reason", "short", "words"),
    [
        (TICKET, "PAY-12", None, "TicketNamed", "", "PAY-12"),
        (TICKET, " PAY-12 ", None, "TicketNamed", "", "PAY-12"),
        (TICKET, "", None, "TicketMissing", "ticket", "kubectl annotate rel scoring-4 -n lending --overwrite feem.dev/ticket="),
        (TICKET, "PAY-", None, "TicketMalformed", "ticket PAY-", "does not look like PAY-[0-9]+"),
        (TICKET, "xPAY-12", None, "TicketMalformed", "ticket xPAY-12", "PAY-[0-9]+"),
        (TICKET, "PAY-12; rm", None, "TicketMalformed", "ticket PAY-12; rm", "PAY-[0-9]+"),
        (TICKET, "PAY-" + "1" * 300, None, "TicketMalformed", "ticket PAY-" + "1" * 59 + "…", "PAY-[0-9]+"),
        (at.gate("ticket", pattern="PAY-["), "PAY-1", None, "BadPattern", "unusable pattern in the profile", "'PAY-['"),
        (at.gate("ticket", pattern="(?P<a>x)(?P<a>y)"), "", None, "BadPattern", "unusable pattern in the profile", "profile"),
        (CHECKED, "PAY-12", TicketAnswer("Approved"), "TicketApproved", "", "Jira"),
        (CHECKED, "PAY-12", TicketAnswer(" ready TO go"), "TicketApproved", "", "Jira"),
        (CHECKED, "PAY-12", None, "TicketUnchecked", "ticket PAY-12 unchecked", "tried again by itself"),
        (CHECKED, "PAY-12", TicketAnswer(problem="timeout"), "TicketSystemUnavailable", "ticket PAY-12: Jira unavailable", "timeout"),
        (CHECKED, "PAY-12", TicketAnswer("Approved", problem="stale"), "TicketSystemUnavailable", "ticket PAY-12: Jira unavailable", ""),
        (CHECKED, "PAY-12", TicketAnswer(missing=True), "TicketNotFound", "ticket PAY-12 not found", "Jira has no ticket PAY-12"),
        (CHECKED, "PAY-12", TicketAnswer("In review"), "TicketNotApproved", "ticket PAY-12 In review", "Approved or Ready to go"),
        (CHECKED, "PAY-12", TicketAnswer(), "TicketNotApproved", "ticket PAY-12", "state ''"),
        (CHECKED, "", TicketAnswer("Approved"), "TicketMissing", "ticket", "PAY-[0-9]+"),
    ],
)  # fmt: skip
def test_ticket(
    gate: Mapping[str, Any], ticket: str, answer: TicketAnswer | None, reason: str, short: str, words: str
) -> None:
    tickets = {} if answer is None else {ticket: answer}
    check(at.picture(gate, annotations={KEY: ticket}, tickets=tickets), "ticket", reason, short, words)


def test_what_the_release_says_itself_counts_instead() -> None:
    check(at.picture(TICKET, annotations={KEY: "nothing"}, own={KEY: "PAY-1"}), "ticket", "TicketNamed", "")
    check(at.picture(TICKET, annotations={KEY: "PAY-1"}, own={KEY: ""}), "ticket", "TicketMissing", "ticket")
    check(at.picture(TICKET, own={KEY: "PAY-1"}), "ticket", "TicketNamed", "")


def test_tickets_are_looked_up_once_each_and_only_where_the_profile_says_so() -> None:
    webhook = {"provider": "Webhook", "statuses": ["ok"]}
    gates = (
        at.gate("ticket", "form", pattern="FORM-1", annotation="form"),
        at.gate("ticket", "one", pattern="PAY-[0-9]+", verification=LOOKED_UP),
        at.gate("ticket", "two", pattern="PAY-.*", verification=LOOKED_UP),
        at.gate("ticket", "other", pattern="[A-Z]+", annotation="other", verification=webhook),
        at.gate("ticket", "wrong", pattern="[0-9]+", annotation="wrong", verification=webhook),
        at.gate("ticket", "none", pattern=".*", annotation="none", verification=webhook),
        at.gate("ticket", "bad", pattern="(", annotation="other", verification=webhook),
    )
    said = {KEY: "PAY-7", "form": "FORM-1", "other": "ABC", "wrong": "x"}
    facts = at.picture(*gates, annotations=said)
    assert wanted_tickets(facts.release, facts.profile) == (("Jira", "PAY-7"), ("Webhook", "ABC"))
    assert wanted_tickets(facts.release, None) == ()


REQUIREMENTS = "feem.dev/requirements"


@pytest.mark.parametrize(
    ("text", "minimum", "reason", "short"),
    [
        ("REQ-1", 1, "RequirementsNamed", ""),
        (" REQ-1 ,, REQ-2 ", 2, "RequirementsNamed", ""),
        ("", 1, "RequirementsMissing", "0 of 1 requirements"),
        (",", 1, "RequirementsMissing", "0 of 1 requirements"),
        ("REQ-1,REQ-1", 2, "RequirementsMissing", "1 of 2 requirements"),
        ("REQ-1,nothing", 1, "RequirementsMalformed", "requirement nothing"),
        ("REQ-1;REQ-2", 1, "RequirementsMalformed", "requirement REQ-1;REQ-2"),
    ],
)
def test_requirements(text: str, minimum: int, reason: str, short: str) -> None:
    gate = at.gate("requirements", pattern="REQ-[0-9]+", minimum=minimum)
    step = (f"kubectl annotate rel scoring-4 -n lending --overwrite {REQUIREMENTS}=",) if short else ()
    check(at.picture(gate, annotations={REQUIREMENTS: text}), "requirements", reason, short, *step)


def test_requirements_with_a_pattern_that_is_none() -> None:
    check(
        at.picture(at.gate("requirements", pattern="(")),
        "requirements",
        "BadPattern",
        "unusable pattern in the profile",
    )


def steps(*pairs: tuple[int, int], watch: int = 0) -> dict[str, Any]:
    made = [{"weight": weight, "bakeSeconds": bake} for weight, bake in pairs]
    return {"plan": {"steps": made, "watchSeconds": watch}}


@pytest.mark.parametrize(
    ("plan", "limits", "fault"),
    [
        (steps((10, 60), (50, 60), (80, 60)), {}, ""),
        (steps((100, 1)), {}, ""),
        (steps((10, 60)), {"firstStepPercent": 10}, ""),
        (steps((11, 60)), {"firstStepPercent": 10}, "its first step is 11%, at most 10% is allowed"),
        (steps((10, 60), (50, 60), (80, 60)), {"largestStepPercent": 40}, ""),
        (steps((10, 60), (51, 60), (80, 60)), {"largestStepPercent": 40}, "from 10% to 51% is more than 40 points"),
        (steps((10, 60), (50, 60)), {"largestStepPercent": 49}, "from 50% to 100% is more than 49 points"),
        (steps((50, 60), (100, 60)), {"largestStepPercent": 50}, ""),
        (steps((10, 60), (50, 59)), {"minimumBakeSeconds": 60}, "50% bakes 59 s, at least 60 s are asked"),
        (steps((10, 60), (50, 60)), {"minimumBakeSeconds": 60}, ""),
        (steps((10, 60), watch=599), {"watchSeconds": 600}, "it watches 599 s after the promotion, at least 600 s"),
        (steps((10, 60), watch=600), {"watchSeconds": 600}, ""),
        ({"plan": {"steps": [{"weight": 10, "bakeSeconds": 1}]}}, {"watchSeconds": 1}, "watches 0 s"),
    ],
)
def test_exposure(plan: dict[str, Any], limits: dict[str, Any], fault: str) -> None:
    short = "plan beyond the limits" if fault else ""
    reason = "ExposureTooLarge" if fault else "ExposureWithinLimits"
    check(
        at.picture(at.gate("exposure", **limits), spec=plan), "exposure", reason, short, fault, AGAIN if fault else ""
    )


def test_all_faults_of_a_plan_are_told_at_once() -> None:
    gate = at.gate("exposure", firstStepPercent=5, largestStepPercent=20, minimumBakeSeconds=600, watchSeconds=60)
    message = at.said(at.picture(gate, spec=steps((10, 1), (50, 1))), "exposure").message
    assert message.count(";") >= 5
    for words in (
        "10%, at most 5%",
        "from 10% to 50%",
        "from 50% to 100%",
        "10% bakes 1 s",
        "50% bakes 1 s",
        "watches",
    ):
        assert words in message


def judged(*categories: str) -> dict[str, Any]:
    indicator = {"ratio": {"bad": "errors_total", "total": "all_total"}}
    return {
        "objectives": [
            {"name": f"o{number}", "objective": "99", "category": category, "indicator": indicator}
            for number, category in enumerate(categories)
        ]
    }


@pytest.mark.parametrize(
    ("categories", "limits", "reason", "short"),
    [
        (["Technical"], {}, "ObjectivesThere", ""),
        (["Technical"], {"minimum": 2}, "TooFewObjectives", "1 of 2 objectives"),
        (["Technical", "Technical"], {"minimum": 2, "business": 1}, "TooFewBusinessObjectives", "0 of 1 Business objectives"),
        (["Technical", "Business"], {"minimum": 2, "business": 1}, "ObjectivesThere", ""),
        (["Business"], {"business": 2}, "TooFewBusinessObjectives", "1 of 2 Business objectives"),
    ],
)  # fmt: skip
def test_objectives(categories: list[str], limits: dict[str, Any], reason: str, short: str) -> None:
    facts = at.picture(at.gate("objectives", **limits), spec=judged(*categories))
    check(facts, "objectives", reason, short, "ManagedService scoring" if short else "", AGAIN if short else "")


@pytest.mark.parametrize(
    ("said", "reason", "short", "words"),
    [
        ({"sbom": at.SHA, "test-report": at.SHA}, "EvidenceThere", "", "sbom"),
        ({"sbom": at.SHA}, "EvidenceMissing", "evidence test-report", "test-report is missing"),
        ({}, "EvidenceMissing", "evidence sbom, test-report", "feem.dev/evidence-sbom=sha256:"),
        ({"sbom": at.SHA, "test-report": "sha256:abc"}, "EvidenceMalformed", "evidence test-report", "64 hex digits"),
        ({"sbom": at.SHA.upper(), "test-report": at.SHA}, "EvidenceMalformed", "evidence sbom", "64 hex digits"),
        ({"sbom": at.SHA + "0"}, "EvidenceMissing", "evidence test-report, sbom", "sbom is not named by"),
        ({"sbom": at.SHA + "\nx", "test-report": at.SHA}, "EvidenceMalformed", "evidence sbom", "64 hex digits"),
    ],
)
def test_evidence(said: dict[str, str], reason: str, short: str, words: str) -> None:
    gate = at.gate("evidence", documents=["sbom", "test-report"])
    annotations = {f"feem.dev/evidence-{name}": value for name, value in said.items()}
    check(at.picture(gate, annotations=annotations), "evidence", reason, short, words)
    check(at.picture(gate, own=annotations), "evidence", reason, short, words)


@pytest.mark.parametrize(
    ("passed_on", "reason", "until"),
    [
        ("2026-03-02", "DrillRecent", "2026-04-02T00:00:00+00:00"),
        ("2026-03-03", "DrillRecent", "2026-04-03T00:00:00+00:00"),
        ("2026-01-31", "DrillRecent", "2026-03-03T00:00:00+00:00"),
        ("2026-01-30", "DrillTooOld", ""),
        ("2026-03-04", "DrillDayWrong", ""),
        ("2026-02-31", "DrillDayWrong", ""),
        ("0000-00-00", "DrillDayWrong", ""),
    ],
)
def test_declared_drill(passed_on: str, reason: str, until: str) -> None:
    drills = [{"name": "other", "passedOn": "2026-03-01"}, {"name": "bureau-outage", "passedOn": passed_on}]
    facts = at.picture(declared_within(30), of={"drills": drills})
    check(
        facts, "drill", reason, "" if until else f"experiment bureau-outage passed {passed_on}", "" if until else AGAIN
    )
    found = at.said(facts, "drill").until
    assert (found.isoformat() if found is not None else "") == until


def test_a_declared_drill_that_was_never_passed() -> None:
    words = "write its day to drills of ManagedService scoring"
    check(at.picture(declared_within(30)), "drill", "DrillMissing", "experiment bureau-outage", words, RUN_IT, AGAIN)


def passed(name: str = "bureau-outage-1", ago: float = 60, result: str = "Passed", **changes: Any) -> ChaosRun:
    """A run on the service's stable pods that ended so many seconds ago."""
    return snapshots.stable_run(name, result, ended=ago, **changes)


@pytest.mark.parametrize(
    ("ago", "reason", "until"),
    [
        (0, "DrillRecent", "2026-04-01T09:30:00+00:00"),
        (-5, "DrillRecent", "2026-04-01T09:30:05+00:00"),
        (30 * DAY - 1, "DrillRecent", "2026-03-02T09:30:01+00:00"),
        (30 * DAY, "DrillTooOld", ""),
        (30 * DAY + 1, "DrillTooOld", ""),
    ],
)
@pytest.mark.parametrize("gate", [run_within(30), declared_within(30)], ids=["Run", "Declared"])
def test_a_run_counts_to_the_second(gate: dict[str, Any], ago: float, reason: str, until: str) -> None:
    facts = at.picture(gate, runs=(passed(ago=ago),))
    day = "2026-01-31" if ago >= 30 * DAY else "2026-03-02"
    old = reason == "DrillTooOld"
    check(facts, "drill", reason, f"experiment bureau-outage passed {day}" if old else "", "ChaosRun bureau-outage-1")
    found = at.said(facts, "drill").until
    assert (found.isoformat() if found is not None else "") == until
    if old:
        check(facts, "drill", reason, f"experiment bureau-outage passed {day}", RUN_IT, "more than 30 days ago")


@pytest.mark.parametrize(
    "other",
    [
        passed(service="other"),
        passed(track="Canary", release="scoring-4"),
        passed(experiment="node-outage"),
        passed(result="Failed"),
        passed(result="Aborted"),
        passed(result="Skipped"),
        passed(result="Error"),
        passed(result=""),
        passed(status={"completedAt": None}),
        passed(status={"terms": None}),
        passed().model_copy(
            update={"metadata": snapshots.release().metadata.model_copy(update={"namespace": "cards"})}
        ),
    ],
    ids=[
        "service",
        "canary",
        "experiment",
        *("failed", "aborted", "skipped", "error"),
        "open",
        "not over",
        "no terms",
        "namespace",
    ],
)
@pytest.mark.parametrize("gate", [run_within(30), declared_within(30)], ids=["Run", "Declared"])
def test_only_a_run_that_this_service_passed_counts(gate: dict[str, Any], other: ChaosRun) -> None:
    check(
        at.picture(gate, runs=(other,)), "drill", "DrillMissing", "experiment bureau-outage", "was never passed", RUN_IT
    )
    assert at.said(at.picture(gate, runs=(other, passed())), "drill").reason == "DrillRecent"


def test_the_newest_run_wins() -> None:
    runs = tuple(passed(f"run-{days}", days * DAY) for days in (40, 3, 9, 29))
    check(at.picture(run_within(30), runs=runs), "drill", "DrillRecent", "", "ChaosRun run-3 on 2026-02-27 09:30 UTC")
    check(
        at.picture(run_within(2), runs=runs),
        "drill",
        "DrillTooOld",
        "experiment bureau-outage passed 2026-02-27",
        "run-3",
    )
    failed_since = passed("run-0", 0, result="Failed")
    check(at.picture(run_within(30), runs=(*runs, failed_since)), "drill", "DrillRecent", "", "run-3")


def test_what_the_team_declares_counts_only_where_the_profile_says_so() -> None:
    of = {"drills": [{"name": "bureau-outage", "passedOn": "2026-03-01"}]}
    check(at.picture(run_within(30), of=of), "drill", "DrillMissing", "experiment bureau-outage", RUN_IT)
    assert "drills of ManagedService" not in at.said(at.picture(run_within(30), of=of), "drill").message
    check(at.picture(declared_within(30), of=of), "drill", "DrillRecent", "", "passed on 2026-03-01")
    assert run_within(30)["drill"] == {"experiment": "bureau-outage", "withinDays": 30}, (
        "Run is what a gate asks by default"
    )


@pytest.mark.parametrize(
    ("day", "ago", "reason", "word"),
    [
        ("2026-03-01", 60, "DrillRecent", "bureau-outage-1"),
        ("2026-03-01", 40 * DAY, "DrillRecent", "on 2026-03-01"),
        ("2026-01-01", 60, "DrillRecent", "bureau-outage-1"),
        ("2026-01-01", 40 * DAY, "DrillTooOld", "on 2026-01-01"),
        ("2026-02-31", 60, "DrillRecent", "bureau-outage-1"),
    ],
)
def test_a_run_and_a_declared_day_either_of_which_is_enough(day: str, ago: float, reason: str, word: str) -> None:
    of = {"drills": [{"name": "bureau-outage", "passedOn": day}]}
    result = at.said(at.picture(declared_within(30), of=of, runs=(passed(ago=ago),)), "drill")
    assert result.reason == reason
    assert word in result.message


def test_runs_that_may_count_are_read_and_no_others() -> None:
    bodies = [
        item.wire()
        for item in (
            passed(),
            passed("open", result=""),
            passed("failed", result="Failed"),
            passed("elsewhere", service="other"),
        )
    ]
    new = {"metadata": {"name": "new", "namespace": "lending"}, "spec": {"experiment": "x"}}
    assert [run.metadata.name for run in passed_runs([new, *bodies], "scoring")] == ["bureau-outage-1"]


@pytest.mark.parametrize(
    ("kind", "field", "word", "what"),
    [("runbook", "runbook", "Runbook", "runbook"), ("rollbackPlan", "rollbackPlan", "RollbackPlan", "rollback plan")],
)
@pytest.mark.parametrize(
    ("document", "within", "reason", "short"),
    [
        ({}, 0, "There", ""),
        ({"drilledOn": "2020-01-01"}, 0, "There", ""),
        (None, 0, "Missing", "{what}"),
        (None, 30, "Missing", "{what}"),
        ({}, 30, "NotDrilled", "{what} drill"),
        ({"drilledOn": "2026-02-20"}, 30, "Recent", ""),
        ({"drilledOn": "2026-01-30"}, 30, "TooOld", "{what} practised 2026-01-30"),
        ({"drilledOn": "2026-13-01"}, 30, "DayWrong", "{what} practised 2026-13-01"),
    ],
)
def test_documents(
    kind: str, field: str, word: str, what: str, document: dict[str, str] | None, within: int, reason: str, short: str
) -> None:
    of = {} if document is None else {field: {"url": "https://wiki.example/scoring", **document}}
    facts = at.picture(at.gate(kind, "document", drilledWithinDays=within), of=of)
    words = (AGAIN, f"{field}", "ManagedService scoring") if short else ()
    check(facts, "document", f"{word}{reason}", short.format(what=what), *words)


@pytest.mark.parametrize(
    ("owner", "classification", "allowed", "reason", "short"),
    [
        ("lending", "Confidential", [], "DataNamed", ""),
        ("lending", "Confidential", ["Internal", "Confidential"], "DataNamed", ""),
        ("", "Confidential", [], "OwnerMissing", "owner"),
        (" ", "Confidential", [], "OwnerMissing", "owner"),
        ("lending", "", [], "ClassificationMissing", "data classification"),
        ("lending", "Secret", ["Internal"], "ClassificationNotAllowed", "data Secret"),
        ("lending", "internal", ["Internal"], "ClassificationNotAllowed", "data internal"),
    ],
)
def test_data(owner: str, classification: str, allowed: list[str], reason: str, short: str) -> None:
    of = {"owner": owner, "dataClassification": classification}
    facts = at.picture(at.gate("data", classifications=allowed), of=of)
    check(facts, "data", reason, short, *((AGAIN, "ManagedService scoring") if short else ()))


@pytest.mark.parametrize(
    ("days", "zone", "country", "reason", "short"),
    [
        (3, "Asia/Shanghai", "", "LeadTimeOver", ""),
        (6, "UTC", "", "LeadTime", "lead time until Tue 00:00 UTC"),
        (6, "Asia/Shanghai", "", "LeadTime", "lead time until Tue 00:00 Asia/Shanghai"),
        (1, "Mars/Olympus", "", "UnknownTimeZone", "unusable lead time in the profile"),
        (1, "UTC", "ZZ", "UnknownCountry", "unusable lead time in the profile"),
    ],
)
def test_lead_time(days: int, zone: str, country: str, reason: str, short: str) -> None:
    # Requested on Friday 20 February: the working days after it are 23 to 27 February, then 2 March, which is today.
    facts = at.picture(at.gate("leadTime", workingDays=days, timeZone=zone, country=country))
    check(facts, "leadtime", reason, short)
    assert (at.said(facts, "leadtime").until is not None) == (reason == "LeadTime")


def test_a_release_that_is_not_stored_yet_is_requested_now() -> None:
    facts = at.picture(at.gate("leadTime", workingDays=1, timeZone="UTC"))
    metadata = facts.release.metadata.model_copy(update={"creation_timestamp": None})
    young = GateFacts(at.NOW, facts.release.model_copy(update={"metadata": metadata}), facts.service, facts.profile)
    assert at.said(young, "leadtime").reason == "LeadTime"


def test_tickets_may_come_as_any_mapping() -> None:
    answers = MappingProxyType({"PAY-1": TicketAnswer("approved")})
    check(at.picture(CHECKED, own={KEY: "PAY-1"}, tickets=answers), "ticket", "TicketApproved", "")


def test_a_gate_of_a_newer_version_holds() -> None:
    check(at.picture(at.gate("moonPhase", "moon")), "moon", "UnknownKind", "unknown gate moon", "bring the operator up")
