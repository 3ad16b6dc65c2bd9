"""The canary is the owner's workload in everything but its track."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from feem.adapters.kubernetes import canary
from feem.adapters.kubernetes.resources import WATCHED, type_of
from feem.core.rollout.effects import ApplyCanary

EFFECT = ApplyCanary("lending", "scoring", "front", "scoring-2", "release-uid", "sha256:" + "a" * 64, 3, 120)


def owner() -> dict[str, Any]:
    template = {
        "metadata": {"labels": {"app": "scoring", "tier": "web"}, "annotations": {"a": "b"}},
        "spec": {"containers": [{"name": "app", "image": "bank/scoring:2"}]},
    }
    return {
        "metadata": {"namespace": "lending", "name": "scoring", "labels": {"team": "credit"}},
        "spec": {
            "paused": True,
            "replicas": 10,
            "minReadySeconds": 5,
            "strategy": {"type": "RollingUpdate"},
            "selector": {
                "matchLabels": {"app": "scoring"},
                "matchExpressions": [{"key": "tier", "operator": "Exists"}],
            },
            "template": template,
        },
    }


def test_the_deployment_is_cloned_and_never_paused() -> None:
    before = owner()
    made = canary.deployment(before, EFFECT, 7)
    spec = made["spec"]
    assert before == owner()
    assert "paused" not in spec
    assert (spec["replicas"], spec["minReadySeconds"], spec["progressDeadlineSeconds"]) == (3, 5, 120)
    assert spec["selector"]["matchLabels"] == {"app": "scoring", "feem.dev/track": "canary"}
    assert spec["selector"]["matchExpressions"] == before["spec"]["selector"]["matchExpressions"]
    expected = copy.deepcopy(before["spec"]["template"])
    expected["metadata"]["labels"]["feem.dev/track"] = "canary"
    assert spec["template"] == expected
    metadata = made["metadata"]
    assert (metadata["namespace"], metadata["name"]) == ("lending", "scoring-canary")
    assert metadata["labels"] == {"feem.dev/track": "canary", "feem.dev/release": "scoring-2"}
    assert metadata["annotations"] == {"feem.dev/intent": "7", "feem.dev/template-digest": EFFECT.template_digest}
    assert canary.is_canary(made)
    assert canary.belongs_to(made, "release-uid")
    assert not canary.belongs_to(made, "another")


def test_a_selector_of_expressions_alone_gets_the_track_too() -> None:
    before = owner()
    del before["spec"]["selector"]["matchLabels"]
    made = canary.deployment(before, EFFECT, 7)
    assert made["spec"]["selector"]["matchLabels"] == {"feem.dev/track": "canary"}


def a_service(**spec: Any) -> dict[str, Any]:
    port = {"name": "http", "protocol": "TCP", "port": 80, "targetPort": "http", "nodePort": 30080}
    default = {"ports": [port], "selector": {"app": "scoring", "pod-template-hash": "abc"}, "type": "NodePort"}
    return {"metadata": {"namespace": "lending", "name": "front"}, "spec": {**default, **spec}}


def test_the_service_takes_ports_over_and_drops_the_pin() -> None:
    made = canary.service(a_service(), EFFECT, 7)
    assert made["metadata"]["name"] == "front-canary"
    assert made["spec"] == {
        "type": "ClusterIP",
        "ports": [{"name": "http", "protocol": "TCP", "port": 80, "targetPort": "http"}],
        "selector": {"app": "scoring", "feem.dev/track": "canary"},
    }


def test_what_the_api_server_fills_in_does_not_count_as_a_change() -> None:
    made = canary.service(a_service(), EFFECT, 7)
    stored = copy.deepcopy(made)
    stored["spec"] |= {"clusterIP": "10.96.1.1", "sessionAffinity": "None"}
    stored["spec"]["ports"][0]["nodePort"] = 0
    assert canary.service_agrees(stored, made)
    other = canary.service(a_service(ports=[{"port": 81, "protocol": "TCP", "targetPort": 81}]), EFFECT, 7)
    assert not canary.service_agrees(stored, other)


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {"feem.dev/track": "canary"}},
        {"ownerReferences": [{"apiVersion": "feem.dev/v1alpha1", "kind": "Release", "uid": "u"}]},
        {
            "labels": {"feem.dev/track": "canary"},
            "ownerReferences": [{"apiVersion": "v1", "kind": "Release", "uid": "u"}],
        },
    ],
)
def test_a_label_or_an_owner_alone_do_not_make_a_canary(metadata: dict[str, Any]) -> None:
    assert not canary.is_canary({"metadata": {"name": "x", **metadata}})


@pytest.mark.parametrize(
    ("resource", "path"),
    [
        ("services", "/api/v1/namespaces/n/services/x"),
        ("deployments.apps", "/apis/apps/v1/namespaces/n/deployments/x"),
        ("auditrecords.feem.dev", "/apis/feem.dev/v1alpha1/auditrecords/x"),
        (
            "mutatingadmissionpolicies.admissionregistration.k8s.io",
            "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies/x",
        ),
    ],
)
def test_paths(resource: str, path: str) -> None:
    assert type_of(resource).path("n", "x") == path
    assert type_of(resource).name == resource


def test_audit_records_and_pods_are_not_watched() -> None:
    assert "auditrecords.feem.dev" not in WATCHED
    assert "pods" not in WATCHED
    assert {"releases.feem.dev", "decisions.feem.dev", "replicasets.apps"} <= set(WATCHED)
