"""The main job: a good release reaches everybody without one failed request; a bad one goes back by itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from e2e.kit.audit import verify
from e2e.kit.example import NAME, Example, condition
from e2e.kit.impact import reaction
from e2e.kit.story import Story
from e2e.kit.traffic import Traffic, failures, share, summary

Body = dict[str, Any]
Tell = Callable[[str], None]


def owners_part(body: Body) -> Body:
    """What the owner wrote: the spec, and the metadata without what Kubernetes and FEEM count and stamp."""
    metadata = body["metadata"]
    annotations = {
        key: value
        for key, value in (metadata.get("annotations") or {}).items()
        if not key.startswith(("feem.dev/", "deployment.kubernetes.io/", "kubectl.kubernetes.io/last-applied"))
    }
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != "feem.dev/governed"}
    return {"spec": body["spec"], "labels": labels, "annotations": annotations}


def with_image(part: Body, image: str) -> Body:
    copy: Body = json.loads(json.dumps(part))
    if "template" in copy["spec"]:
        copy["spec"]["template"]["spec"]["containers"][0]["image"] = image
    return copy


def everything(example: Example) -> dict[str, Body]:
    kinds = {"deployment": NAME, "service": NAME, "httproute": NAME}
    return {kind: owners_part(example.kubectl.get(kind, name) or {}) for kind, name in kinds.items()}


def assert_nothing_left(example: Example) -> None:
    names = example.kubectl.run("get", "deployments,replicasets,services,pods", "-o", "name").split()
    left = [name for name in names if "canary" in name and "pod/" not in name]
    assert not left
    route = example.kubectl.get("httproute", NAME) or {}
    assert not [key for key in route["metadata"].get("annotations") or {} if key.startswith("feem.dev/")]
    assert "pod-template-hash" not in (example.kubectl.get("service", NAME) or {})["spec"]["selector"]


def test_a_good_release_is_promoted_and_nobody_notices(example: Example, traffic: Traffic, tell: Tell) -> None:
    before, version = everything(example), example.other_good_version()
    began = time.time()
    name = example.start(version)
    story = Story(tell)
    assert example.wait_end(name, 300, story.tell) == "Promoted"
    time.sleep(2)
    answers = traffic.answers(began)
    tell(summary(answers))

    configured = [step["weight"] for step in example.release(name)["spec"]["plan"]["steps"]]
    assert [percent for percent, _, _ in story.spans() if percent in configured] == configured
    for percent, begin, end in story.spans():
        seen = share((answer for answer in answers if begin <= answer.at < end), version)
        tell(f"weight {percent}%: clients saw {seen:.1f}%")
        assert abs(seen - percent) <= 3
    assert failures(answers) == []
    assert share(traffic.answers(time.time() - 1), version) == 100

    after = everything(example)
    image = f"feem.example/limit-scoring:{version}"
    assert {kind: with_image(part, image) for kind, part in before.items()} == after
    assert "paused" not in after["deployment"]["spec"]
    assert_nothing_left(example)
    assert verify(example.kubectl).ok


def test_a_bad_release_is_rolled_back_without_a_human(example: Example, traffic: Traffic, tell: Tell) -> None:
    stable = example.stable_image().rpartition(":")[2]
    began = time.time()
    name = example.start("3.0")
    story = Story(tell)
    assert example.wait_end(name, 300, story.tell) == "RolledBack"
    answers = traffic.answers(began)
    for line in reaction(answers, "3.0", story):
        tell(line)
    tell(summary(answers))

    weights = [percent for percent, _, _ in story.spans()]
    assert set(weights) <= {10}, "the first step's weight is the only one the bad version ever had"
    assert condition(example.release(name), "Succeeded")["status"] == "False"
    assert {answer.version for answer in failures(answers)} <= {"3.0"}
    assert share(traffic.answers(time.time() - 1), stable) == 100
    assert_nothing_left(example)
    assert verify(example.kubectl).ok

    held = example.kubectl.get("deployment", NAME) or {}
    assert held["spec"]["paused"] is True
    assert held["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":3.0")
