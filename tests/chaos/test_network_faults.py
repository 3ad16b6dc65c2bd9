"""Proves that a network fault cuts off what it shall and nothing else, by the rules of NetworkPolicies."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.api.fault import BlastRadius, DependencyCut, Direction, NetworkPartition
from feem.core.chaos.edit import LABEL, NETWORK_POLICIES, Body, Make, Tag
from feem.core.chaos.network_faults import NAMESPACE_NAME, cut, made_name, partition
from feem.core.chaos.pod_faults import target_of
from feem.core.chaos.scene import Scene, Unfit, labels_of, name_of, selects
from tests.chaos.scenes import (
    NAMESPACE,
    RUN,
    budget,
    bureau_pods,
    dependency,
    made,
    network_policy,
    planned,
    pod,
    pods,
    refused,
    scene,
)

ONE = BlastRadius(pods=1)
BUREAU = DependencyCut(service="bureau")
OPEN: list[Body] = [{"from": [{"podSelector": {}}]}]


def cut_scene(**changes: Any) -> Scene:
    return scene(**{"dependency": dependency(), "dependency_pods": bureau_pods(), **changes})


def tagged(edits: Iterable[Any], crowd: Iterable[Body]) -> list[Body]:
    """The pods as they are once they are marked."""
    names = {edit.target.name for edit in edits if isinstance(edit, Tag)}
    marked = copy.deepcopy(list(crowd))
    for each in marked:
        if name_of(each) in names:
            each["metadata"]["labels"][LABEL] = RUN
    return marked


def admits(policies: Iterable[Body], receiver: Body, sender: Body, kind: str, namespace: str = NAMESPACE) -> bool:
    """Whether one side of a connection is let through, by the rules of Kubernetes: policies are added to one another."""
    chosen = [each["spec"] for each in policies if selects(each["spec"]["podSelector"], labels_of(receiver))]
    chosen = [spec for spec in chosen if kind in spec["policyTypes"]]
    peers = [peer for spec in chosen for rule in spec.get(kind.lower()) or () for peer in rule["from"]]
    return not chosen or any(_is(peer, sender, namespace) for peer in peers)


def _is(peer: Mapping[str, Any], sender: Body, namespace: str) -> bool:
    if "namespaceSelector" in peer:
        there = selects(peer["namespaceSelector"], {NAMESPACE_NAME: namespace})
        return there and selects(peer.get("podSelector", {}), labels_of(sender))
    return namespace == NAMESPACE and selects(peer["podSelector"], labels_of(sender))


# -- partition ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("direction", "types"),
    [(Direction.INGRESS, ["Ingress"]), (Direction.EGRESS, ["Egress"]), (Direction.BOTH, ["Ingress", "Egress"])],
)
def test_pods_are_marked_and_then_cut_off_by_a_policy_without_rules(direction: Direction, types: list[str]) -> None:
    around = scene(2)
    found = partition(around, BlastRadius(pods=2), NetworkPartition(direction=direction), RUN)
    policy = {
        "metadata": {"namespace": NAMESPACE, "name": "feem-chaos-0f8fad5b-d9cb"},
        "spec": {"podSelector": {"matchLabels": {LABEL: RUN}}, "policyTypes": types},
    }
    assert found == (*(Tag(target_of(each)) for each in around.pods), Make(NETWORK_POLICIES, policy))


@given(st.integers(1, 4), st.sampled_from(list(Direction)))
def test_the_pods_that_were_chosen_are_cut_off_and_no_other(count: int, direction: Direction) -> None:
    around = scene(4)
    edits = partition(around, BlastRadius(pods=count), NetworkPartition(direction=direction), RUN)
    policies, crowd = made(edits), tagged(planned(edits), around.pods)
    for each in crowd:
        hit = LABEL in labels_of(each)
        for kind in ("Ingress", "Egress"):
            cuts = hit and kind in policies[0]["spec"]["policyTypes"]
            assert admits(policies, each, pod("client"), kind) is not cuts
    assert sum(LABEL in labels_of(each) for each in crowd) == count


@pytest.mark.parametrize(
    ("policy", "direction", "reason"),
    [
        (network_policy(ingress=OPEN), Direction.INGRESS, "OtherPolicyAllows"),
        (network_policy(ingress=OPEN), Direction.BOTH, "OtherPolicyAllows"),
        (network_policy(ingress=OPEN), Direction.EGRESS, ""),
        (network_policy(egress=[{}]), Direction.EGRESS, "OtherPolicyAllows"),
        (network_policy(egress=[{}]), Direction.BOTH, "OtherPolicyAllows"),
        (network_policy(egress=[{}]), Direction.INGRESS, ""),
        (network_policy(ingress=[{}]), Direction.INGRESS, "OtherPolicyAllows"),
        (network_policy(ingress=[]), Direction.INGRESS, ""),
        (network_policy(policyTypes=["Ingress"]), Direction.INGRESS, ""),
        (network_policy({"matchLabels": {"app": "scoring"}}, ingress=OPEN), Direction.INGRESS, "OtherPolicyAllows"),
        (network_policy({"matchLabels": {"app": "other"}}, ingress=OPEN), Direction.INGRESS, ""),
    ],
)
def test_where_another_policy_lets_the_traffic_through_it_is_not_tried(
    policy: Body, direction: Direction, reason: str
) -> None:
    found = partition(scene(network_policies=(policy,)), ONE, NetworkPartition(direction=direction), RUN)
    assert refused(found) == reason
    if isinstance(found, Unfit):
        assert found.message.startswith("NetworkPolicy allow-gateway lets ")


def test_only_a_policy_of_a_pod_that_is_hit_counts() -> None:
    special = pod("scoring-aaa-9", labels={"app": "scoring", "special": "yes"}, ready=False)
    policy = network_policy({"matchLabels": {"special": "yes"}}, ingress=OPEN)
    around = scene(pods=(*pods(1), special), network_policies=(policy,))
    assert refused(partition(around, ONE, NetworkPartition(), RUN)) == ""


@pytest.mark.parametrize(
    ("around", "radius", "reason"),
    [
        (scene(pods=pods(3, ready=0)), ONE, "TooFewPods"),
        (scene(disruption_budgets=(budget(0),)), ONE, "BelowDisruptionBudget"),
        (scene(disruption_budgets=(budget(1),)), ONE, ""),
        (scene(disruption_budgets=(budget(1),)), BlastRadius(pods=2), "BelowDisruptionBudget"),
    ],
)
def test_pods_that_are_cut_off_are_lost_to_their_users(around: Scene, radius: BlastRadius, reason: str) -> None:
    assert refused(partition(around, radius, NetworkPartition(), RUN)) == reason


# -- cut ----------------------------------------------------------------------------------------------------------------


def test_a_dependency_lets_in_everything_but_what_is_marked() -> None:
    found = cut(cut_scene(pods=pods(1)), ONE, BUREAU, RUN)
    spec = {
        "podSelector": {"matchLabels": {"app": "bureau"}},
        "policyTypes": ["Ingress"],
        "ingress": [
            {
                "from": [
                    {"podSelector": {"matchExpressions": [{"key": LABEL, "operator": "NotIn", "values": [RUN]}]}},
                    {
                        "namespaceSelector": {
                            "matchExpressions": [{"key": NAMESPACE_NAME, "operator": "NotIn", "values": [NAMESPACE]}]
                        }
                    },
                ]
            }
        ],
    }
    body = {"metadata": {"namespace": NAMESPACE, "name": made_name(RUN)}, "spec": spec}
    assert found == (Tag(target_of(pods(1)[0])), Make(NETWORK_POLICIES, body))


@given(st.integers(1, 4))
def test_only_the_pods_that_were_chosen_no_longer_reach_the_dependency(count: int) -> None:
    around = cut_scene(pods=pods(4))
    edits = cut(around, BlastRadius(pods=count), BUREAU, RUN)
    policies, crowd = made(edits), tagged(planned(edits), around.pods)
    other_run = pod("x", labels={LABEL: "another-run"})
    for receiver in around.dependency_pods:
        for each in crowd:
            assert admits(policies, receiver, each, "Ingress") is (LABEL not in labels_of(each))
            assert admits(policies, receiver, each, "Ingress", "elsewhere")
        for each in (*around.dependency_pods, other_run, pod("y", labels={"app": "report"})):
            assert admits(policies, receiver, each, "Ingress")
        assert admits(policies, receiver, crowd[0], "Egress")
    for each in crowd:
        assert admits(policies, each, pod("client"), "Ingress")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"dependency": None}, "DependencyMissing", id="no Service"),
        pytest.param({"dependency": dependency({})}, "DependencyMissing", id="it selects nothing"),
        pytest.param({"dependency": {"metadata": {}, "spec": {}}}, "DependencyMissing", id="an external name"),
        pytest.param({"dependency": {"metadata": {}}}, "DependencyMissing", id="no spec"),
        pytest.param({"dependency_pods": ()}, "DependencyMissing", id="no pods"),
        pytest.param({"pods": pods(3, ready=0)}, "TooFewPods", id="nobody to cut off"),
        pytest.param({"network_policies": (network_policy(ingress=OPEN),)}, "OtherPolicyAllows", id="another policy"),
        pytest.param(
            {"network_policies": (network_policy({"matchLabels": {"app": "bureau"}}, ingress=OPEN),)},
            "OtherPolicyAllows",
            id="another policy of the dependency",
        ),
        pytest.param(
            {"network_policies": (network_policy({"matchLabels": {"app": "scoring"}}, ingress=OPEN),)},
            "",
            id="of our own pods",
        ),
        pytest.param({"network_policies": (network_policy(egress=[{}]),)}, "", id="what goes out"),
        pytest.param({"disruption_budgets": (budget(0),)}, "", id="no pod is lost"),
    ],
)
def test_when_a_dependency_can_be_cut_off(changes: dict[str, Any], reason: str) -> None:
    found = cut(cut_scene(**changes), ONE, BUREAU, RUN)
    assert refused(found) == reason
    if reason == "DependencyMissing":
        assert isinstance(found, Unfit)
        assert found.message.startswith("Service bureau ")


@given(st.uuids())
def test_what_a_run_makes_is_named_after_it(uid: Any) -> None:
    name = made_name(str(uid))
    assert name.startswith("feem-chaos-")
    assert len(name) <= 63
    assert name[-1].isalnum()
    assert str(uid).startswith(name.removeprefix("feem-chaos-"))
