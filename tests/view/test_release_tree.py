from __future__ import annotations

from typing import Any

import pytest

from feem.api.release import ObjectiveSnapshot, Outcome
from feem.view.gather import ReleaseBodies, release_tree
from feem.view.objectives import target as target_of
from feem.view.release import AuditRange, ReleaseTree, StepState, duration
from tests.view import bodies as at


def tree(release: dict[str, Any], **around: Any) -> ReleaseTree:
    known: dict[str, Any] = {
        "service": at.service(),
        "deployment": at.deployment(),
        "replica_sets": (at.replica_set("6b4f", "1.0", ready=3, desired=3),),
        "route": at.route(),
        **around,
    }
    return release_tree(ReleaseBodies(release=release, **known), at.NOW)


def baking(**status: Any) -> dict[str, Any]:
    known = {
        "conditions": at.running("Baking", "step 2/3 at 50% bakes until 09:30:24 UTC"),
        "step": 2,
        "weight": 50,
        "progress": "2/3 at 50%",
        "stepStartedAt": at.stamp(36),
        "startedAt": at.stamp(100),
        "verdicts": [at.verdict("Pass")],
    }
    return at.release(**{**known, **status})


def test_a_baking_release_tells_step_time_left_tracks_and_figures() -> None:
    canary = at.deployment("limit-scoring-canary", ready=1, desired=2)
    view = tree(baking(), canary=canary, route=at.route(50), audit=AuditRange(12, 19, 8))

    assert [(s.number, s.state, s.bake_left) for s in view.steps] == [
        (1, StepState.DONE, None),
        (2, StepState.CURRENT, 24),
        (3, StepState.TODO, None),
    ]
    assert view.doing == "Step 2 of 3 bakes at 50%, 24s of 1m left; 1m54s of bakes ahead in all."
    assert view.next_step == "Step 3 of 3 at 100% in 24s, if every objective passes."
    assert view.earliest_end == 24 + 90
    assert [(t.name, t.ready, t.desired, t.weight) for t in view.tracks] == [("stable", 3, 3, 50), ("canary", 1, 2, 50)]
    (objective,) = view.objectives
    assert (objective.outcome, str(objective.canary)) == (Outcome.PASS, "0 of 1,000 bad (0.00%)")
    assert view.images[0].before.endswith(":1.0")
    assert view.images[0].after.endswith(":2.0")
    assert view.audit == AuditRange(12, 19, 8)
    assert view.warnings == ()
    assert not view.ended


def test_a_new_release_without_status_is_still_a_sentence() -> None:
    body = at.release()
    del body["status"]
    view = tree(body)
    assert view.state == "Requested"
    assert view.doing.startswith("The change is held: Deployment limit-scoring keeps its pods")
    assert view.why == "FEEM has not written a status yet."
    assert view.next_step == "Step 1 of 3 at 10%."


@pytest.mark.parametrize(
    ("state", "fields", "doing", "next_step"),
    [
        ("StartingCanary", {}, "The canary gets its pods for step 1 at 10%: its pods", "Step 1 of 3 at 10%, when its"),
        ("Waiting", {}, "The release waits", "It goes on by itself as soon as that is mended."),
        (
            "RollingUpdate",
            {"step": 4, "weight": 100},
            "Deployment limit-scoring rolls to the new version",
            "When every",
        ),
        ("RollingUpdateStuck", {"step": 4}, "Deployment limit-scoring rolls", "It goes on by itself when the new pods"),
        ("PromotionInterrupted", {"step": 4}, "The rolling update was interrupted", "It goes on when the Deployment"),
        ("Bypassed", {"step": 1}, "Deployment limit-scoring rolls out around FEEM", "The release ends when that"),
        ("CleaningUp", {"step": 4}, "Traffic is back on the Service", "The release ends when the canary is gone."),
    ],
)
def test_every_state_has_its_sentences(state: str, fields: dict[str, Any], doing: str, next_step: str) -> None:
    view = tree(at.release(conditions=at.running(state, "said by FEEM"), **fields))
    assert view.doing.startswith(doing)
    assert view.next_step.startswith(next_step)


@pytest.mark.parametrize(
    ("result", "state", "doing", "next_step", "verbs"),
    [
        (
            "Promoted",
            "Watching",
            "The new version of limit-scoring answers",
            "When the time is over",
            ["watch", "abort"],
        ),
        (
            "Promoted",
            "CannotUndo",
            "The new version of limit-scoring burns",
            "Nothing until somebody",
            ["watch", "abort"],
        ),
        (
            "RolledBack",
            "Undoing",
            "Taken back: Deployment limit-scoring rolls",
            "When every pod runs the earlier",
            None,
        ),
        ("RolledBack", "UndoStuck", "Taken back: Deployment limit-scoring", "It goes on by itself when the pods", None),
    ],
)
def test_what_follows_a_promotion_has_its_sentences(
    result: str, state: str, doing: str, next_step: str, verbs: list[str] | None
) -> None:
    view = tree(at.release(conditions=at.over(result, "said by FEEM", state=state), step=4))
    assert view.doing.startswith(doing)
    assert view.next_step.startswith(next_step)
    assert verbs is None or [command.split()[1] for command, _ in view.act] == verbs


@pytest.mark.parametrize(
    ("indicator", "target"),
    [
        ({"ratio": {"bad": "b", "total": "t"}}, "at least 99.9% good"),
        ({"latency": {"histogram": "h", "threshold": "0.3"}}, "at least 99.9% within 0.3"),
        ({"mix": {"counter": "c", "label": "l"}}, "the same mix as stable, 0.02 of it may differ"),
        ({"gauge": {"query": "max(q)", "max": "100"}}, "good is at most 100"),
        ({"gauge": {"query": "max(q)", "min": "1", "max": "9"}}, "good is at least 1 and at most 9"),
    ],
)
def test_every_kind_of_objective_says_what_is_good(indicator: dict[str, Any], target: str) -> None:
    given = None if "mix" in indicator or "gauge" in indicator else "99.9"
    body = {"name": "o", "objective": given, "indicator": indicator}
    assert target_of(ObjectiveSnapshot.model_validate(body)) == target
    business = ObjectiveSnapshot.model_validate({**body, "category": "Business"})
    assert target_of(business) == f"business, {target}"


def test_a_mix_shows_both_tracks_shares() -> None:
    shares = [{"name": "approved", "canary": "71.2%", "stable": "55.1%"}]
    figures = {"canary": {"total": 500}, "stable": {"total": 2000}, "evidence": "214", "threshold": "200"}
    said = {**at.verdict("Fail"), **figures, "shares": shares}
    release = baking(verdicts=[said])
    release["spec"]["objectives"][0]["indicator"] = {"mix": {"counter": "c", "label": "decision"}}
    (objective,) = tree(release).objectives
    assert (str(objective.canary), str(objective.stable)) == ("500 events", "2,000 events")
    assert objective.shares == ("approved 71.2% (stable 55.1%)",)
    assert objective.evidence == "214 of 200"


def test_a_passed_step_that_waits_for_pods_is_done() -> None:
    conditions = at.running("StartingCanary", "the canary gets 3 pods")
    view = tree(
        at.release(conditions=conditions, step=1, weight=10, stepStartedAt=at.stamp(60), passedAt=at.stamp(1)),
        canary=at.deployment("limit-scoring-canary", ready=1, desired=2),
        route=at.route(10),
    )
    assert [s.state for s in view.steps] == [StepState.DONE, StepState.TODO, StepState.TODO]
    assert view.doing == "The canary gets its pods for step 2 at 50%: 1 of 2 pods are Ready."


def test_inconclusive_names_what_it_waits_for_and_keeps_the_operators_reason() -> None:
    said = "step 2/3 at 50% has baked but the evidence does not allow the next step: errors: 12 of 100 samples"
    view = tree(
        baking(conditions=at.running("Inconclusive", said, going=False), verdicts=[at.verdict("Inconclusive")]),
        route=at.route(50),
    )
    assert view.doing == "Step 2 of 3 holds at 50%: the evidence is not enough to go on, nor to go back."
    assert view.why == said
    assert "it waits for errors" in view.next_step


def test_a_pause_tells_who_and_why_and_how_to_go_on() -> None:
    view = tree(
        baking(conditions=at.running("Paused", "a person paused the release", going=False)),
        route=at.route(50),
        decisions=(at.decision("Pause", applied=at.condition("Applied", "True", "Applied")),),
    )
    assert view.doing == "Paused at 50% by risk-officer: month-end close."
    assert [command.split()[1] for command, _ in view.act] == ["resume", "abort", "watch"]
    assert view.decisions[0].applied == "Applied"


def test_a_decision_that_could_not_be_applied_says_so() -> None:
    refused = at.condition("Applied", "False", "ReleaseEnded", "the release has ended")
    view = tree(baking(), decisions=(at.decision("Abort", applied=refused),), route=at.route(50))
    assert view.decisions[0].refused == "the release has ended"


def test_decisions_about_other_releases_are_left_out() -> None:
    other = at.decision("Pause")
    other["spec"]["release"] = "limit-scoring-3"
    assert tree(baking(), decisions=(other,), route=at.route(50)).decisions == ()


def rolled_back(**status: Any) -> dict[str, Any]:
    why = "objective errors failed in step 2/3 at 50%: 50 of 1000 requests were bad"
    known = {"conditions": at.over("RolledBack", why), "step": 2, "weight": 0, "verdicts": [at.verdict("Fail", 50)]}
    return at.release(**{**known, "completedAt": at.stamp(5), **status})


def test_a_rollback_shows_the_failed_step_the_cause_and_the_ways_on() -> None:
    view = tree(rolled_back())
    assert [s.state for s in view.steps] == [StepState.DONE, StepState.FAILED, StepState.SKIPPED]
    assert view.ended
    assert not view.promoted
    assert view.why.startswith("objective errors failed in step 2/3")
    assert [command.split()[:3] for command, _ in view.act] == [
        ["feem", "retry", "limit-scoring-4"],
        ["kubectl", "apply", "-f"],
    ]
    assert view.earliest_end is None


def test_a_rollback_that_a_newer_release_followed_offers_nothing() -> None:
    view = tree(rolled_back(), service=at.service(newest="limit-scoring-5"))
    assert view.act == ()
    assert view.next_step == "Nothing: a newer release took over."


def test_on_the_way_back_it_says_so_before_it_is_over() -> None:
    conditions = at.over("RolledBack", "objective errors failed", state="CleaningUp")
    view = tree(at.release(conditions=conditions, step=2, weight=0), route=at.route(0))
    assert not view.ended
    assert view.doing.startswith("The release ends (RolledBack): the stable version takes all requests back")


def test_a_promoted_release_has_all_steps_done_and_the_new_pods_serve() -> None:
    view = tree(
        at.release(conditions=at.over("Promoted", "all 3 pods"), step=4, weight=0, completedAt=at.stamp(1)),
        replica_sets=(
            at.replica_set("6b4f", "1.0", ready=0, desired=0),
            at.replica_set("99aa", "2.0", ready=3, desired=3),
        ),
    )
    assert view.promoted
    assert view.ended
    assert {s.state for s in view.steps} == {StepState.DONE}
    assert [(t.name, t.workload, t.weight) for t in view.tracks] == [("new", "ReplicaSet limit-scoring-99aa", 100)]
    assert view.act == ()


def test_what_the_route_says_counts_and_a_difference_is_noted() -> None:
    view = tree(baking(), route=at.route(10))
    assert view.weight == 10
    assert view.warnings == ("the HTTPRoute says 10% where the release's status says 50%: a change is under way",)


def test_missing_objects_are_noted_instead_of_failing() -> None:
    view = tree(baking(), deployment=None, route=None, service=None, replica_sets=())
    assert view.tracks == ()
    assert view.weight == 50
    assert [w.split()[0] for w in view.warnings] == ["Deployment", "HTTPRoute"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59.9, "59s"),
        (60, "1m"),
        (125, "2m5s"),
        (3600, "1h"),
        (11400, "3h10m"),
        (86400, "1d"),
        (187200, "2d4h"),
    ],
)
def test_durations_read_like_kubectl(seconds: float, text: str) -> None:
    assert duration(seconds) == text
