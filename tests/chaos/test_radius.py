"""Proves which pods a fault may reach, and that no PodDisruptionBudget is broken for it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.api.fault import BlastRadius
from feem.core.chaos.edit import Body
from feem.core.chaos.radius import allowed, below_budget, lost_by_scaling, picked
from feem.core.chaos.scene import Unfit, is_ready, name_of, selects
from tests.chaos.scenes import RUN, budget, pod, pods, scene

LABELS = {"app": "scoring", "tier": "", "zone": "a"}


@pytest.mark.parametrize(
    ("radius", "there", "count"),
    [
        ({"pods": 2}, 10, 2),
        ({"pods": 5}, 3, 5),
        ({"pod_percent": 50}, 4, 2),
        ({"pod_percent": 50}, 3, 1),
        ({"pod_percent": 34}, 3, 1),
        ({"pod_percent": 66}, 3, 1),
        ({"pod_percent": 67}, 3, 2),
        ({"pod_percent": 1}, 3, 1),
        ({"pod_percent": 1}, 0, 1),
        ({"pod_percent": 100}, 7, 7),
        ({"pod_percent": 99}, 7, 6),
    ],
)
def test_percent_is_rounded_down_but_one_at_least(radius: dict[str, int], there: int, count: int) -> None:
    assert allowed(BlastRadius(**radius), there) == count


@pytest.mark.parametrize(
    ("selector", "chosen"),
    [
        (None, False),
        ({}, True),
        ({"matchLabels": None, "matchExpressions": None}, True),
        ({"matchLabels": {"app": "scoring"}}, True),
        ({"matchLabels": {"app": "scoring", "zone": "b"}}, False),
        ({"matchLabels": {"other": "x"}}, False),
        ({"matchLabels": {"tier": ""}}, True),
        ({"matchLabels": {"other": ""}}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a", "b"]}]}, True),
        ({"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}, False),
        ({"matchExpressions": [{"key": "other", "operator": "In", "values": ["a"]}]}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["b"]}]}, True),
        ({"matchExpressions": [{"key": "zone", "operator": "NotIn", "values": ["a", "b"]}]}, False),
        ({"matchExpressions": [{"key": "other", "operator": "NotIn", "values": ["a"]}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, True),
        ({"matchExpressions": [{"key": "other", "operator": "Exists"}]}, False),
        ({"matchExpressions": [{"key": "other", "operator": "DoesNotExist"}]}, True),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, False),
        ({"matchExpressions": [{"key": "zone", "operator": "Newer"}]}, True),
        (
            {
                "matchLabels": {"app": "scoring"},
                "matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}],
            },
            False,
        ),
        (
            {"matchExpressions": [{"key": "app", "operator": "Exists"}, {"key": "zone", "operator": "DoesNotExist"}]},
            False,
        ),
    ],
)
def test_a_selector_means_what_it_means_to_kubernetes(selector: Body | None, *, chosen: bool) -> None:
    assert selects(selector, LABELS) is chosen


@pytest.mark.parametrize(
    ("body", "ready"),
    [
        (pod(), True),
        (pod(ready=False), False),
        ({**pod(), "status": None}, False),
        ({**pod(), "status": {"conditions": [{"type": "Initialized", "status": "True"}]}}, False),
        ({**pod(), "status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}, False),
    ],
)
def test_a_pod_is_ready_when_it_says_so(body: Body, *, ready: bool) -> None:
    assert is_ready(body) is ready


@pytest.mark.parametrize(
    ("radius", "count", "ready", "refusal"),
    [
        ({"pods": 3}, 3, 3, ""),
        ({"pods": 3}, 3, 2, "3 pods shall be hit and 2 of 3 are Ready"),
        ({"pods": 1}, 3, 0, "1 pods shall be hit and 0 of 3 are Ready"),
        ({"pods": 1}, 0, 0, "1 pods shall be hit and 0 of 0 are Ready"),
        ({"pod_percent": 100}, 3, 2, ""),
        ({"pod_percent": 100}, 3, 0, "1 pods shall be hit and 0 of 3 are Ready"),
    ],
)
def test_what_is_too_much_is_refused_and_not_cut_down(radius: Any, count: int, ready: int, refusal: str) -> None:
    found = picked(scene(pods=pods(count, ready=ready)), BlastRadius(**radius), RUN)
    if not refusal:
        assert not isinstance(found, Unfit)
        return
    assert isinstance(found, Unfit)
    assert found.reason == "TooFewPods"
    assert found.message == f"{refusal}: wait for them, or lower blastRadius"


radii = st.builds(lambda count: BlastRadius(pods=count), st.integers(1, 8)) | st.builds(
    lambda percent: BlastRadius(pod_percent=percent), st.integers(1, 100)
)
crowds = st.lists(st.booleans(), max_size=8).map(
    lambda flags: tuple(pod(f"p-{number}", ready=ready) for number, ready in enumerate(flags))
)


@given(crowds, radii, st.text("0123456789abcdef-", min_size=1, max_size=12))
def test_only_ready_pods_are_hit_each_once_and_never_more_than_allowed(
    crowd: tuple[Body, ...], radius: BlastRadius, uid: str
) -> None:
    found = picked(scene(pods=crowd), radius, uid)
    ready = [each for each in crowd if is_ready(each)]
    if isinstance(found, Unfit):
        assert len(ready) < (radius.pods or 1)
        return
    assert 1 <= len(found) == allowed(radius, len(ready)) <= len(ready)
    assert len({name_of(each) for each in found}) == len(found)
    assert all(is_ready(each) for each in found)


@given(crowds, radii, st.randoms(use_true_random=False))
def test_the_same_run_hits_the_same_pods_in_whatever_order_they_are_listed(
    crowd: tuple[Body, ...], radius: BlastRadius, random: Any
) -> None:
    mixed = list(crowd)
    random.shuffle(mixed)
    assert picked(scene(pods=tuple(mixed)), radius, RUN) == picked(scene(pods=crowd), radius, RUN)


def test_another_run_may_hit_others_and_each_pod_is_hit_sometimes() -> None:
    hit = [picked(scene(), BlastRadius(pods=1), f"run-{number}") for number in range(60)]
    names = {name_of(each) for found in hit if not isinstance(found, Unfit) for each in found}
    assert names == {name_of(each) for each in pods()}


@pytest.mark.parametrize(
    ("budgets", "hit", "broken"),
    [
        ([], 3, ""),
        ([budget(3)], 3, ""),
        ([budget(2)], 3, "keep-two"),
        ([budget(0)], 1, "keep-two"),
        ([budget(0, {"matchLabels": {"app": "other"}})], 3, ""),
        ([budget(0, {"matchLabels": {}})], 1, "keep-two"),
        ([budget(3, name="wide"), budget(1, name="narrow")], 2, "narrow"),
        ([{**budget(0), "spec": {}}], 3, ""),
        ([{**budget(5), "status": None}], 1, "keep-two"),
    ],
)
def test_a_disruption_budget_is_never_broken(budgets: list[Body], hit: int, broken: str) -> None:
    around = scene(disruption_budgets=tuple(budgets))
    for found in (below_budget(around, around.pods[:hit]), lost_by_scaling(around, hit)):
        if not broken:
            assert found is None
        else:
            assert isinstance(found, Unfit)
            assert found.reason == "BelowDisruptionBudget"
            assert f"PodDisruptionBudget {broken} lets" in found.message


def test_only_pods_that_a_budget_is_for_count_for_it() -> None:
    mixed = (pod("a", labels={"app": "scoring"}), pod("b", labels={"app": "other"}))
    around = scene(pods=mixed, disruption_budgets=(budget(1),))
    assert below_budget(around, mixed) is None
    around = scene(pods=mixed, disruption_budgets=(budget(0),))
    assert below_budget(around, mixed[1:]) is None
    assert below_budget(around, mixed[:1]) is not None
