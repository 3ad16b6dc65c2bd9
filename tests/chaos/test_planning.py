"""Proves what holds for the plan of every fault: within its radius, above every budget, the same each time, and reversible."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.api.fault import BlastRadius, Fault
from feem.core.chaos.acts import injections, undos
from feem.core.chaos.edit import DEPLOYMENTS, PODS, Body, Change, Edit, Field, Make, Mark, Remove, Tag, Target
from feem.core.chaos.planning import CANARY_FAULTS, plan_fault
from feem.core.chaos.radius import allowed
from feem.core.chaos.record import edits_of, records_of
from feem.core.chaos.scene import Scene, Unfit, is_ready, labels_of, selects
from tests.chaos.scenes import (
    RUN,
    autoscaler,
    budget,
    bureau_pods,
    dependency,
    network_policy,
    planned,
    pod,
    refused,
    route,
    scene,
)

FAULTS: dict[str, Body] = {
    "PodKill": {"podKill": {}},
    "PodFailure": {"podFailure": {"container": "app"}},
    "ScaleDown": {"scaleDown": {"replicas": 1}},
    "NetworkPartition": {"networkPartition": {}},
    "DependencyCut": {"dependencyCut": {"service": "bureau"}},
    "HttpAbort": {"httpAbort": {}},
    "HttpLatency": {"httpLatency": {"milliseconds": 300}},
    "CpuPressure": {"cpuPressure": {"container": "app", "limit": "50m"}},
    "MemoryPressure": {"memoryPressure": {"container": "app", "limit": "64Mi"}},
}
OF_PODS = sorted(set(FAULTS) - {"HttpAbort", "HttpLatency", "ScaleDown"})
AT = datetime(2026, 3, 2, 9, 31, tzinfo=UTC)
LOSES = {"PodKill", "PodFailure", "NetworkPartition", "CpuPressure", "MemoryPressure", "ScaleDown"}
"""After these a pod does not serve, or may not."""


def fault(kind: str) -> Fault:
    return Fault.model_validate(FAULTS[kind])


def radius_for(kind: str, pods: int = 2) -> BlastRadius:
    return BlastRadius(request_percent=20) if fault(kind).hits_requests else BlastRadius(pods=pods)


def whole_scene(**changes: Any) -> Scene:
    around = {"dependency": dependency(), "dependency_pods": bureau_pods(), "route": route(), "traffic_policies": ()}
    return scene(**{**around, **changes})


def test_every_fault_of_the_api_is_here() -> None:
    assert set(FAULTS) == {fault(kind).kind for kind in FAULTS}
    assert len(FAULTS) == len(Fault.model_fields)


@pytest.mark.parametrize(
    ("kind", "edits"),
    [
        ("PodKill", [Remove, Remove]),
        ("PodFailure", [Change, Change]),
        ("ScaleDown", [Change]),
        ("NetworkPartition", [Tag, Tag, Make]),
        ("DependencyCut", [Tag, Tag, Make]),
        ("HttpAbort", [Make]),
        ("HttpLatency", [Make]),
        ("CpuPressure", [Change, Change]),
        ("MemoryPressure", [Change, Change]),
    ],
)
def test_each_fault_is_made_of_its_edits_in_the_order_in_which_they_work(kind: str, edits: list[type[Edit]]) -> None:
    found = planned(plan_fault(fault(kind), radius_for(kind), whole_scene(), RUN))
    assert [type(edit) for edit in found] == edits


def test_a_fault_of_a_later_version_is_refused() -> None:
    assert refused(plan_fault(Fault(), BlastRadius(pods=1), whole_scene(), RUN)) == "FaultUnknown"


@pytest.mark.parametrize("kind", FAULTS)
def test_on_a_canary_only_what_stays_with_its_pods_is_done(kind: str) -> None:
    found = plan_fault(fault(kind), radius_for(kind), whole_scene(), RUN, canary=True)
    assert refused(found) == ("" if kind in CANARY_FAULTS else "NotOnCanary")
    if isinstance(found, tuple):
        assert all(edit.target.resource != DEPLOYMENTS for edit in found)


CROWDS = st.lists(
    st.tuples(st.booleans(), st.sampled_from([{"app": "scoring"}, {"app": "scoring", "zone": "b"}])),
    min_size=1,
    max_size=7,
)
BUDGETS = st.lists(
    st.builds(
        budget,
        st.integers(0, 6),
        st.sampled_from([{}, {"matchLabels": {"app": "scoring"}}, {"matchLabels": {"zone": "b"}}]),
    ),
    max_size=2,
)


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    crowd = tuple(
        pod(f"scoring-aaa-{number}", ready=ready, labels=labels) for number, (ready, labels) in enumerate(draw(CROWDS))
    )
    replicas = {"metadata": scene().deployment["metadata"], "spec": {"replicas": len(crowd)}}
    policies = st.sampled_from([(), (), (network_policy(ingress=[{}]),), (network_policy(egress=[{}]),)])
    return whole_scene(
        deployment=replicas,
        pods=crowd,
        disruption_budgets=tuple(draw(BUDGETS)),
        network_policies=draw(policies),
        autoscalers=draw(st.sampled_from([(), (), (autoscaler(),)])),
    )


RADII = st.builds(lambda count: BlastRadius(pods=count), st.integers(1, 7)) | st.builds(
    lambda percent: BlastRadius(pod_percent=percent), st.integers(1, 100)
)


def hit(edits: tuple[Edit, ...]) -> set[Target]:
    return {edit.target for edit in edits if edit.target.resource == PODS}


@given(st.sampled_from(OF_PODS), RADII, scenes())
def test_no_fault_reaches_further_than_it_may(kind: str, radius: BlastRadius, around: Scene) -> None:
    found = plan_fault(fault(kind), radius, around, RUN)
    if isinstance(found, Unfit):
        return
    by_name = {each["metadata"]["name"]: each for each in around.pods}
    ready = [each for each in around.pods if is_ready(each)]
    victims = [by_name[target.name] for target in hit(found)]
    assert 1 <= len(victims) == allowed(radius, len(ready)) <= len(ready)
    assert all(is_ready(each) for each in victims)
    assert {target.uid for target in hit(found)} == {each["metadata"]["uid"] for each in victims}
    if kind in LOSES:
        for one in around.disruption_budgets:
            lost = sum(selects(one["spec"]["selector"], labels_of(each)) for each in victims)
            assert lost <= one["status"]["disruptionsAllowed"]


@given(RADII, st.integers(0, 7), scenes())
def test_a_deployment_is_not_scaled_further_than_it_may(radius: BlastRadius, left: int, around: Scene) -> None:
    asked = Fault.model_validate({"scaleDown": {"replicas": left}})
    found = plan_fault(asked, radius, around, RUN)
    if isinstance(found, Unfit):
        return
    lost = around.replicas - left
    assert 1 <= lost <= allowed(radius, around.replicas)
    assert not around.autoscalers
    for one in around.disruption_budgets:
        if not one["spec"]["selector"] or one["spec"]["selector"] == {"matchLabels": {"app": "scoring"}}:
            assert lost <= one["status"]["disruptionsAllowed"]


@given(st.sampled_from(sorted(FAULTS)), scenes(), st.integers(1, 3), st.booleans())
def test_the_same_scene_gives_the_same_edits_and_stays_as_it_is(
    kind: str,
    around: Scene,
    count: int,
    canary: bool,  # noqa: FBT001
) -> None:
    before = copy.deepcopy(around)
    first = plan_fault(fault(kind), radius_for(kind, count), around, RUN, canary=canary)
    assert first == plan_fault(fault(kind), radius_for(kind, count), around, RUN, canary=canary)
    assert around == before


@given(st.sampled_from(sorted(FAULTS)), scenes())
def test_every_plan_is_read_from_the_status_as_it_was_made(kind: str, around: Scene) -> None:
    found = plan_fault(fault(kind), radius_for(kind, 1), around, RUN)
    if not isinstance(found, Unfit):
        assert edits_of(records_of(found)) == found


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("count", [1, 3, 100])
def test_every_edit_is_announced_once_and_in_order_within_what_the_log_takes(kind: str, count: int) -> None:
    crowd = tuple(pod(f"{'scoring-' * 20}{number}") for number in range(100))
    around = whole_scene(pods=crowd, deployment={**scene().deployment, "spec": {"replicas": 100}})
    wanted = Fault.model_validate({"scaleDown": {"replicas": 100 - count}}) if kind == "ScaleDown" else fault(kind)
    edits = planned(plan_fault(wanted, radius_for(kind, count), around, RUN))
    mark = Mark("r", "lending", RUN, AT)
    made, back = injections(edits, mark), undos(edits, RUN)
    assert tuple(edit for effect in made for edit in effect.edits) == edits
    gone = [target for effect in back for target in effect.targets]
    assert gone == [edit.target for edit in reversed(edits) if not isinstance(edit, Remove)]
    for effect in made:
        assert effect.mark == mark
        assert all(edit.target.name in str(effect) for edit in effect.edits)
    for taken in back:
        assert taken.run_uid == RUN
        assert all(target.name in str(taken) for target in taken.targets)
    assert all(len(str(one)) <= 512 for one in (*made, *back))
    assert len({str(effect) for effect in (*made, *back)}) == len(made) + len(back), (
        "the log tells them apart by their text"
    )


def test_an_edit_with_a_long_value_is_announced_by_its_object() -> None:
    long = "x" * 70
    (edit,) = planned(plan_fault(fault("PodFailure"), BlastRadius(pods=1), whole_scene(), RUN))
    assert isinstance(edit, Change)
    many = Change(edit.target, tuple(Field(f"/spec/{long}/{n}", long, long) for n in range(4)))
    (effect,) = injections((many,), Mark("r", "lending", RUN, AT))
    assert str(effect) == f"change {edit.target}"
