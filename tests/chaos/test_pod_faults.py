"""Proves what each fault of pods changes, and when it is refused instead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from feem.api.fault import BlastRadius, CpuPressure, MemoryPressure, PodFailure, PodKill, PodLoss, ScaleDown
from feem.core.chaos.edit import DEPLOYMENTS, PODS, Body, Change, Field, Remove, Target
from feem.core.chaos.pod_faults import NO_IMAGE, cpu, fail, kill, memory, scale_down
from feem.core.chaos.scene import Scene, Unfit
from tests.chaos.scenes import (
    IMAGE,
    NAME,
    NAMESPACE,
    RESOURCES,
    RUN,
    autoscaler,
    budget,
    container,
    deployment,
    pod,
    pods,
    refused,
    scene,
)

ONE, ALL = BlastRadius(pods=1), BlastRadius(pod_percent=100)
LIMITS = "/spec/containers/0/resources/limits"
REQUESTS = "/spec/containers/0/resources/requests"


def target(number: int = 1) -> Target:
    return Target(PODS, NAMESPACE, f"scoring-aaa-{number}", f"uid-scoring-aaa-{number}")


def resources(limit: str | None, request: str | None, kind: str = "cpu") -> Body:
    made = {key: {kind: value} for key, value in (("limits", limit), ("requests", request)) if value is not None}
    return made or {"limits": None}


# -- what is changed ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("grace", [None, 0, 30])
@pytest.mark.parametrize("how", list(PodLoss))
def test_a_pod_is_lost_the_way_that_was_asked_for(how: PodLoss, grace: int | None) -> None:
    found = kill(scene(1), ONE, PodKill(how=how, grace_seconds=grace), RUN)
    assert found == (Remove(target(), how is PodLoss.EVICT, grace),)


def test_all_pods_are_lost_where_all_may_be() -> None:
    found = kill(scene(3), ALL, PodKill(), RUN)
    assert found == tuple(Remove(target(number), evict=True) for number in (1, 2, 3))


def test_a_failing_container_gets_an_image_that_is_nowhere_and_the_others_keep_theirs() -> None:
    around = scene(1, pods=pods(1, containers=[container("proxy"), container("app")]))
    found = fail(around, ONE, PodFailure(container="app"), RUN)
    assert found == (Change(target(), (Field("/spec/containers/1/image", IMAGE, NO_IMAGE),)),)
    assert ".invalid/" in NO_IMAGE


@pytest.mark.parametrize(("there", "left"), [(3, 2), (3, 0), (10, 9), (1, 0)])
def test_a_deployment_is_scaled_down(there: int, left: int) -> None:
    found = scale_down(scene(there), ALL, ScaleDown(replicas=left))
    place = Target(DEPLOYMENTS, NAMESPACE, NAME, "uid-deployment")
    assert found == (Change(place, (Field("/spec/replicas", there, left),)),)


def test_a_deployment_that_says_no_number_has_one_pod() -> None:
    around = scene(1, deployment={"metadata": deployment()["metadata"], "spec": {}})
    found = scale_down(around, ALL, ScaleDown(replicas=0))
    assert not isinstance(found, Unfit)
    assert [edit.fields for edit in found if isinstance(edit, Change)] == [(Field("/spec/replicas", 1, 0),)]


@pytest.mark.parametrize(
    ("limit", "request_", "wanted", "fields"),
    [
        pytest.param("500m", "100m", "200m", [("limits", "500m", "200m")], id="the request fits"),
        pytest.param("500m", "199m", "200m", [("limits", "500m", "200m")], id="the request just fits"),
        pytest.param(
            *("500m", "200m", "200m"),
            [("requests", "200m", "199m"), ("limits", "500m", "200m")],
            id="a request that was below the limit stays below it",
        ),
        pytest.param(
            *("500m", "100m", "50m"), [("requests", "100m", "49m"), ("limits", "500m", "50m")], id="the request first"
        ),
        pytest.param("500m", None, "50m", [("limits", "500m", "50m")], id="no request"),
        pytest.param("1", "1", "999m", [("requests", "1", "999m"), ("limits", "1", "999m")], id="other words"),
        pytest.param("20", "1", "10", [("limits", "20", "10")], id="whole cores"),
    ],
)
def test_a_processor_limit_is_lowered_and_the_request_where_it_would_be_above(
    limit: str, request_: str | None, wanted: str, fields: list[tuple[str, str, str]]
) -> None:
    around = scene(1, pods=pods(1, containers=[container(resources=resources(limit, request_))]))
    found = cpu(around, ONE, CpuPressure(container="app", limit=wanted), RUN)
    changed = tuple(
        Field(f"/spec/containers/0/resources/{group}/cpu", before, after) for group, before, after in fields
    )
    assert found == (Change(target(), changed, subresource="resize"),)


def test_memory_is_lowered_in_the_same_way_and_nothing_else() -> None:
    around = scene(1, pods=pods(1, containers=[container("proxy"), container("app")]))
    found = memory(around, ONE, MemoryPressure(container="app", limit="64Mi"), RUN)
    root = "/spec/containers/1/resources"
    changed = (
        Field(f"{root}/requests/memory", "128Mi", str(64 * 2**20 - 1)),
        Field(f"{root}/limits/memory", "256Mi", "64Mi"),
    )
    assert found == (Change(target(), changed, subresource="resize"),)


def test_each_pod_is_changed_from_what_it_has_itself() -> None:
    other = container(resources={"limits": {"cpu": "2"}})
    around = scene(2, pods=(pod("scoring-aaa-1"), pod("scoring-aaa-2", containers=[container("x"), other])))
    found = cpu(around, ALL, CpuPressure(container="app", limit="50m"), RUN)
    assert not isinstance(found, Unfit)
    assert [edit.fields[-1] for edit in found if isinstance(edit, Change)] == [
        Field(f"{LIMITS}/cpu", "500m", "50m"),
        Field("/spec/containers/1/resources/limits/cpu", "2", "50m"),
    ]


# -- what is refused ----------------------------------------------------------------------------------------------------

FAULTS: dict[str, Any] = {
    "kill": lambda around, radius: kill(around, radius, PodKill(), RUN),
    "fail": lambda around, radius: fail(around, radius, PodFailure(container="app"), RUN),
    "cpu": lambda around, radius: cpu(around, radius, CpuPressure(container="app", limit="50m"), RUN),
    "memory": lambda around, radius: memory(around, radius, MemoryPressure(container="app", limit="64Mi"), RUN),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    ("around", "radius", "reason"),
    [
        pytest.param(scene(pods=pods(3, ready=1)), BlastRadius(pods=2), "TooFewPods", id="two of one"),
        pytest.param(scene(pods=()), ONE, "TooFewPods", id="none"),
        pytest.param(scene(disruption_budgets=(budget(0),)), ONE, "BelowDisruptionBudget", id="budget"),
        pytest.param(scene(disruption_budgets=(budget(1),)), ALL, "BelowDisruptionBudget", id="budget of one"),
        pytest.param(scene(disruption_budgets=(budget(1),)), ONE, "", id="within the budget"),
        pytest.param(scene(autoscalers=(autoscaler(),)), ONE, "", id="an autoscaler undoes nothing of it"),
    ],
)
def test_every_fault_of_pods_keeps_to_ready_pods_and_budgets(
    fault: str, around: Scene, radius: BlastRadius, reason: str
) -> None:
    assert refused(FAULTS[fault](around, radius)) == reason


@pytest.mark.parametrize("fault", ["fail", "cpu", "memory"])
def test_a_container_that_no_pod_has_is_named_with_those_there_are(fault: str) -> None:
    around = scene(1, pods=pods(1, containers=[container("proxy"), container("web")]))
    found = FAULTS[fault](around, ONE)
    assert found == Unfit("ContainerMissing", "Pod scoring-aaa-1 has no container 'app'; it has proxy, web: name one")


def test_one_pod_without_the_container_is_enough_to_refuse_all() -> None:
    around = scene(2, pods=(pod("a"), pod("b", containers=[container("web")])))
    assert refused(FAULTS["fail"](around, ALL)) == "ContainerMissing"


@pytest.mark.parametrize(
    ("limit", "request_", "wanted", "reason"),
    [
        (None, None, "50m", "NoLimit"),
        (None, "100m", "50m", "NoLimit"),
        ("a lot", "100m", "50m", "NoLimit"),
        ("50m", "50m", "50m", "NothingLowered"),
        ("0.05", None, "50m", "NothingLowered"),
        ("49m", None, "50m", "NothingLowered"),
        ("1", None, "1000m", "NothingLowered"),
        ("51m", None, "50m", ""),
    ],
)
def test_only_a_limit_that_is_there_can_be_lowered(
    limit: str | None, request_: str | None, wanted: str, reason: str
) -> None:
    around = scene(1, pods=pods(1, containers=[container(resources=resources(limit, request_))]))
    found = cpu(around, ONE, CpuPressure(container="app", limit=wanted), RUN)
    assert refused(found) == reason


@pytest.mark.parametrize(("limit", "wanted"), [("1Gi", "1024Mi"), ("64Mi", "1G"), ("64M", "64Mi")])
def test_memory_is_compared_by_what_it_means(limit: str, wanted: str) -> None:
    around = scene(1, pods=pods(1, containers=[container(resources=resources(limit, None, "memory"))]))
    found = memory(around, ONE, MemoryPressure(container="app", limit=wanted), RUN)
    assert refused(found) == "NothingLowered"


def test_a_limit_of_the_other_kind_is_none() -> None:
    around = scene(1, pods=pods(1, containers=[container(resources={"limits": {"memory": "1Gi"}})]))
    found = cpu(around, ONE, CpuPressure(container="app", limit="50m"), RUN)
    assert isinstance(found, Unfit)
    assert "has no cpu limit" in found.message


@pytest.mark.parametrize(
    ("around", "radius", "left", "reason"),
    [
        pytest.param(scene(3), ONE, 2, "", id="one of three"),
        pytest.param(scene(3), ONE, 1, "BeyondBlastRadius", id="two where one may be"),
        pytest.param(scene(4), BlastRadius(pod_percent=50), 2, "", id="half"),
        pytest.param(scene(5), BlastRadius(pod_percent=50), 2, "BeyondBlastRadius", id="more than half"),
        pytest.param(scene(3), ALL, 3, "TooFewPods", id="as many as there are"),
        pytest.param(scene(3), ALL, 5, "TooFewPods", id="more than there are"),
        pytest.param(scene(3, autoscalers=(autoscaler(),)), ONE, 2, "AutoscalerDecides", id="an autoscaler"),
        pytest.param(
            scene(3, autoscalers=(autoscaler("other"), autoscaler(kind="StatefulSet"))),
            ONE,
            2,
            "",
            id="others' autoscalers",
        ),
        pytest.param(scene(3, disruption_budgets=(budget(1),)), ONE, 2, "", id="within the budget"),
        pytest.param(
            scene(3, disruption_budgets=(budget(1),)), ALL, 1, "BelowDisruptionBudget", id="beyond the budget"
        ),
        pytest.param(
            scene(3, autoscalers=(autoscaler(),), disruption_budgets=(budget(0),)),
            ONE,
            3,
            "AutoscalerDecides",
            id="first",
        ),
    ],
)
def test_what_a_deployment_may_lose(around: Scene, radius: BlastRadius, left: int, reason: str) -> None:
    assert refused(scale_down(around, radius, ScaleDown(replicas=left))) == reason


def test_whichever_pods_kubernetes_scales_away_no_budget_is_broken() -> None:
    mixed = (pod("a", labels={"app": "scoring"}), pod("b", labels={"app": "scoring", "quorum": "yes"}))
    around = replace(scene(2, pods=mixed), disruption_budgets=(budget(0, {"matchLabels": {"quorum": "yes"}}),))
    assert refused(scale_down(around, ONE, ScaleDown(replicas=1))) == "BelowDisruptionBudget"


def test_every_refusal_says_what_to_do() -> None:
    found = [
        FAULTS["kill"](scene(pods=()), ONE),
        FAULTS["kill"](scene(disruption_budgets=(budget(0),)), ONE),
        FAULTS["cpu"](scene(1, pods=pods(1, containers=[container(resources={})])), ONE),
        cpu(scene(1), ONE, CpuPressure(container="app", limit="1000m"), RUN),
        scale_down(scene(3), ONE, ScaleDown(replicas=0)),
        scale_down(scene(3, autoscalers=(autoscaler(),)), ONE, ScaleDown(replicas=0)),
    ]
    for each in found:
        assert isinstance(each, Unfit)
        assert ": " in each.message, each


def test_the_scene_is_not_touched() -> None:
    assert container()["resources"] == RESOURCES
