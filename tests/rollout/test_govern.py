"""decide_service: one row a situation of a service that has no release under way, and what a running one changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from feem.api.release import Release
from feem.api.service import StableRevision
from feem.core.rollout.effects import CreateRelease, Govern, Pause, Ungovern, Unpause
from feem.core.rollout.govern import decide_service
from feem.core.rollout.request import release_name
from feem.core.rollout.snapshot import HoldMechanism, Revision, ServiceSnapshot
from tests.rollout import snapshots as at
from tests.rollout.snapshots import CHANGE, NEWER, NOW, REVISIONS, STABLE, WORKLOAD, at_rest

NEW = at.service({})
CALM = replace(WORKLOAD, template_digest=STABLE, paused=False, settled=True)
FREE = replace(CALM, governed_by="")
BOTH = (Revision("scoring-aaa", STABLE, "aaa", 3, 0), Revision("scoring-bbb", CHANGE, "bbb", 4, 10))
LATER = StableRevision(template_digest=CHANGE, pod_template_hash="bbb", replica_set="scoring-bbb")
STANDING: dict[str, Any] = {"hold": HoldMechanism.STANDING}
GOING = at.service(deletionTimestamp="2026-03-02T09:29:00Z", finalizers=["feem.dev/cleanup"])


def over(how: str, *, held: bool = True, name: str = at.NAME, **changes: Any) -> Release:
    """A complete release that ended so; `held`: the Deployment still carries its change."""
    state = at.status(1, ended=how, completed_at=NOW)
    if not held:
        items = [
            item if item.type != "Held" else item.model_copy(update={"status": "False", "reason": "Reverted"})
            for item in state.conditions
        ]
        state = state.model_copy(update={"conditions": items})
    return at.release(state, name, **changes)


def undone(*, held: bool = False) -> Release:
    """A complete release that was promoted and taken back; `held`: its change has come again."""
    release = over("RolledBack", held=held)
    assert release.status is not None
    return release.model_copy(update={"status": release.status.model_copy(update={"promoted_at": NOW})})


SITUATIONS: dict[str, tuple[ServiceSnapshot, str, str, list[type[Any]]]] = {
    "something is wrong": (at_rest(problem=("ServiceNotFound", "no")), "", "ServiceNotFound", []),
    "a new service learns its stable revision": (at_rest(service=NEW, workload=FREE), "", "Adopting", []),
    "a rolling Deployment has none yet": (
        at_rest(service=NEW, workload=replace(FREE, settled=False)),
        "",
        "DeploymentNotSettled",
        [],
    ),
    "nor has a paused one": (at_rest(service=NEW, workload=replace(FREE, paused=True)), "", "DeploymentNotSettled", []),
    "then it is governed": (at_rest(workload=FREE), "Govern", "Governed", [Govern]),
    "a held Deployment without label is governed again": (
        at_rest(workload=replace(WORKLOAD, governed_by="")),
        "Govern",
        "Governed",
        [Govern],
    ),
    "all is calm": (at_rest(workload=CALM), "", "Governed", []),
    "calm under a standing pause": (at_rest(workload=replace(CALM, paused=True), **STANDING), "", "Governed", []),
    "a standing pause waits for a rolling update": (
        at_rest(workload=replace(CALM, settled=False), **STANDING),
        "",
        "Governed",
        [],
    ),
    "a standing pause that stopped one half-way is lifted": (
        at_rest(
            workload=replace(CALM, paused=True, settled=False),
            revisions=(*REVISIONS, Revision("scoring-bbb", CHANGE, "bbb", 4, 2)),
            **STANDING,
        ),
        "Resume",
        "Governed",
        [Unpause],
    ),
    "a standing pause is put on": (at_rest(workload=CALM, **STANDING), "Pause", "Governed", [Pause]),
    "stable and paused": (at_rest(workload=replace(CALM, paused=True)), "Resume", "Governed", [Unpause]),
    "a change is held": (at_rest(), "RequestRelease", "Governed", [CreateRelease]),
    "a change goes live around FEEM": (
        at_rest(workload=replace(WORKLOAD, paused=False), revisions=BOTH),
        "",
        "UnattributedChange",
        [],
    ),
    "a rolled back change stays held": (at_rest(releases=(over("RolledBack"),)), "", "Governed", []),
    "an aborted change stays held": (at_rest(releases=(over("Aborted"),)), "", "Governed", []),
    "a person wants another try": (
        at_rest(releases=(over("RolledBack"),), retry=True),
        "RequestRelease",
        "Governed",
        [CreateRelease],
    ),
    "a superseded change came again during clean-up": (
        at_rest(releases=(over("Superseded"),), workload=replace(WORKLOAD, generation=6)),
        "RequestRelease",
        "Governed",
        [CreateRelease],
    ),
    "a change that was rolled back and dropped came again": (
        at_rest(releases=(over("RolledBack", held=False),), workload=replace(WORKLOAD, generation=6)),
        "RequestRelease",
        "Governed",
        [CreateRelease],
    ),
    "a promoted change came again after a bypass": (
        at_rest(releases=(over("Promoted", held=False),), workload=replace(WORKLOAD, generation=9)),
        "RequestRelease",
        "Governed",
        [CreateRelease],
    ),
    "a change that was taken back came again": (
        at_rest(releases=(undone(),), workload=replace(WORKLOAD, generation=9)),
        "",
        "Governed",
        [],
    ),
    "it came again after another release": (
        at_rest(releases=(undone(), over("Promoted", held=False, name="scoring-7", template_digest=NEWER))),
        "",
        "Governed",
        [],
    ),
    "it came again and a person wants another try": (
        at_rest(releases=(undone(held=True),), retry=True),
        "RequestRelease",
        "Governed",
        [CreateRelease],
    ),
    "its second attempt was promoted, and it came once more": (
        at_rest(
            releases=(undone(), over("Promoted", held=False, name="scoring-7-r2", attempt=2)),
            workload=replace(WORKLOAD, generation=9),
        ),
        "RequestRelease",
        "Governed",
        [CreateRelease],
    ),
    "another change after one that was taken back": (
        at_rest(releases=(undone(),), workload=replace(WORKLOAD, template_digest=NEWER)),
        "RequestRelease",
        "Governed",
        [CreateRelease],
    ),
    "a release is under way": (at_rest(releases=(at.release(at.status(1)),)), "", "Governed", []),
    "deleting waits for the release": (
        at_rest(service=GOING, releases=(at.release(at.status(1)),)),
        "",
        "Deleting",
        [],
    ),
    "deleting gives a held Deployment back paused": (at_rest(service=GOING), "GiveBack", "Deleting", [Ungovern]),
    "deleting resumes a stable one": (
        at_rest(service=GOING, workload=replace(CALM, paused=True)),
        "GiveBack",
        "Deleting",
        [Unpause, Ungovern],
    ),
    "deleting leaves a rolling one alone": (at_rest(service=GOING, workload=CALM), "GiveBack", "Deleting", [Ungovern]),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_what_a_service_needs(name: str) -> None:
    snapshot, action, ready, effects = SITUATIONS[name]
    plan = decide_service(snapshot)
    assert (plan.action, plan.ready[1], [type(effect) for effect in plan.effects]) == (action, ready, effects)
    assert not plan.released


@pytest.mark.parametrize("workload", [None, FREE, replace(CALM, deleting=True), replace(CALM, governed_by="other")])
def test_a_deleted_service_with_nothing_to_give_back_is_released(workload: Any) -> None:
    plan = decide_service(at_rest(service=GOING, workload=workload))
    assert (plan.released, plan.effects) == (True, ())


def test_a_change_that_went_live_around_feem_is_adopted_and_recorded() -> None:
    live = replace(WORKLOAD, paused=False, settled=True)
    plan = decide_service(at_rest(workload=live, revisions=BOTH))
    assert plan.stable is not None
    assert (plan.stable.replica_set, plan.unattributed) == ("scoring-bbb", CHANGE)


@pytest.mark.parametrize(("how", "recorded"), [("Promoted", ""), ("Bypassed", CHANGE)])
@pytest.mark.parametrize("problem", [None, ("ServiceNotFound", "no")])
def test_what_a_release_brought_live_is_stable_before_its_clean_up_is_over(
    how: str, recorded: str, problem: Any
) -> None:
    running = at.release(at.status(4, ended=how))
    for workload in (replace(WORKLOAD, template_digest=NEWER), replace(WORKLOAD, paused=False), CALM):
        snapshot = at_rest(workload=workload, revisions=BOTH, releases=(running,), problem=problem)
        plan = decide_service(snapshot)
        assert plan.stable is not None
        assert (plan.stable.template_digest, plan.unattributed) == (CHANGE, recorded)
        assert not plan.effects


def test_a_change_is_never_released_against_a_revision_without_pods() -> None:
    third = replace(WORKLOAD, template_digest=NEWER)
    plan = decide_service(at_rest(workload=third, revisions=BOTH))
    assert plan.stable is not None
    assert (plan.stable.template_digest, plan.unattributed, plan.effects) == (CHANGE, CHANGE, ())


def test_the_request_says_who_what_and_against_which_stable() -> None:
    (effect,) = decide_service(at_rest()).effects
    assert isinstance(effect, CreateRelease)
    assert effect.name == "scoring-4"
    spec = effect.spec
    assert (spec["requestedBy"], spec["templateDigest"], spec["attempt"]) == ("pipeline", CHANGE, 1)
    assert spec["stable"]["podTemplateHash"] == "aaa"


def test_a_retry_is_the_next_attempt_and_closes_the_one_before() -> None:
    last = over("RolledBack")
    plan = decide_service(at_rest(releases=(last,), retry=True))
    (effect,) = plan.effects
    assert isinstance(effect, CreateRelease)
    assert (effect.name, effect.spec["attempt"]) == ("scoring-4-r2", 2)
    assert plan.closed == ((last, "Retried"),)


@pytest.mark.parametrize(("carried", "reason"), [(STABLE, "Reverted"), (NEWER, "Superseded")])
def test_ended_releases_whose_change_is_gone_are_closed(carried: str, reason: str) -> None:
    last = over("RolledBack")
    plan = decide_service(at_rest(workload=replace(WORKLOAD, template_digest=carried), releases=(last,)))
    assert plan.closed == ((last, reason),)


def test_an_attempt_that_a_later_one_took_up_is_closed_even_after_a_crash() -> None:
    first, second = over("RolledBack"), over("RolledBack", name="scoring-4-r2", attempt=2)
    plan = decide_service(at_rest(releases=(first, second)))
    assert plan.closed == ((first, "Retried"),)


def test_a_change_that_was_taken_back_is_held_again_once_and_let_go_as_undone() -> None:
    back = at_rest(releases=(undone(),))
    assert decide_service(back).reheld == back.releases[0]
    held = undone(held=True)
    assert decide_service(at_rest(releases=(held,))).reheld is None
    for digest in (STABLE, NEWER):
        gone = decide_service(at_rest(releases=(held,), workload=replace(WORKLOAD, template_digest=digest)))
        assert gone.closed == ((held, "Undone"),)


def test_what_was_taken_back_is_not_stable_from_then_on() -> None:
    state = at.status(4, ended="RolledBack", promoted_at=NOW)
    going = at_rest(service=at.service({"stable": LATER.wire()}), revisions=BOTH, releases=(at.release(state),))
    assert decide_service(going).stable == at.REVISION


def test_a_deployment_that_was_made_anew_and_counts_from_one_gets_another_name() -> None:
    name = release_name("scoring", 4, 1, NEWER, (over("Promoted"),))
    assert name.startswith("scoring-4-")
    assert name != "scoring-4"


def test_a_service_at_rest_asks_for_nothing_twice() -> None:
    assert decide_service(at_rest(workload=CALM)) == decide_service(at_rest(workload=CALM))
    assert REVISIONS[0].template_digest == STABLE
