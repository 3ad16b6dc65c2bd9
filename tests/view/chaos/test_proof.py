"""Proves that a run's proof is the same for the same run however it is stored, another for another, and without secrets."""

from __future__ import annotations

import copy
import json

import pytest

from feem.core.chaos.proof import proof_digest, proof_of, run_of
from feem.core.digest import digest_of
from feem.core.dossier.gameday import document_of
from feem.core.dossier.redact import concealed
from tests.view.chaos import bodies as at


@pytest.mark.parametrize("body", at.game_day(), ids=lambda body: body["metadata"]["name"])
def test_what_is_read_from_a_report_has_the_proof_of_what_was_read_from_the_cluster(body: at.Body) -> None:
    run = at.read(body)
    document = json.loads(json.dumps(document_of(run)))
    assert proof_digest(run) == digest_of({"spec": document["spec"], "status": document["status"]})
    assert proof_digest(run_of(document)) == proof_digest(run)


def test_what_is_of_the_moment_of_writing_does_not_count() -> None:
    one, other = at.passed(), copy.deepcopy(at.passed())
    for condition in other["status"]["conditions"]:
        condition["lastTransitionTime"], condition["observedGeneration"] = at.stamp(1), 9
    other["status"]["conditions"].reverse()
    other["status"]["observedGeneration"] = 9
    other["metadata"]["resourceVersion"] = "99"
    assert proof_digest(at.read(one)) == proof_digest(at.read(other))


def test_defaults_count_the_same_whether_or_not_they_are_stored() -> None:
    one, other = at.passed(), copy.deepcopy(at.passed())
    other["spec"] |= {"track": "Stable", "release": ""}
    other["status"] |= {"residue": [], "compared_with": "", "evidenceFiles": []}
    other["status"]["terms"]["hypothesis"]["recoveryWindowSeconds"] = 30
    assert proof_digest(at.read(one)) == proof_digest(at.read(other))


def test_a_later_version_with_more_that_is_empty_computes_the_same() -> None:
    told = proof_of(at.read(at.skipped()))
    assert "residue" not in told["status"]
    assert told["status"]["terms"]["blastRadius"] == {
        "pods": 1,
        "durationSeconds": 60,
    }  # a figure is told, also a default


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("spec", "reason", "another"),
        ("spec", "requestedBy", "li"),
        ("status", "cause", "Stopped"),
        ("status", "undoneAt", at.stamp(1)),
        ("status", "residue", ["something"]),
        ("status", "edits", []),
        ("status", "replicas", 0),
    ],
)
def test_every_change_of_the_run_is_another_proof(part: str, key: str, value: object) -> None:
    other = copy.deepcopy(at.passed())
    other[part][key] = value
    assert proof_digest(at.read(other)) != proof_digest(at.read(at.passed()))


def test_a_stop_counts_where_it_ended_the_run_only() -> None:
    late, stopped = copy.deepcopy(at.passed()), at.ended("a-1", "Aborted", "Stopped", "li stopped it")
    late["spec"]["stop"] = {"by": "li", "reason": "too late"}
    assert proof_digest(at.read(late)) == proof_digest(at.read(at.passed()))
    stopped["spec"]["stop"] = {"by": "li", "reason": "lunch"}
    assert proof_of(at.read(stopped))["spec"]["stop"] == {"by": "li", "reason": "lunch"}


def test_nothing_secret_stands_in_a_proof() -> None:
    body = at.failed()
    route = {"filters": [{"requestHeaderModifier": {"set": [{"name": "authorization", "value": "hunter2hunter2"}]}}]}
    made = {"resource": "httproutes.gateway.networking.k8s.io", "body": {"metadata": {"name": "r"}, "spec": route}}
    body["status"]["edits"] = [{"object": "HTTPRoute lending/r", "action": "Make", "detail": json.dumps(made)}]
    body["spec"]["reason"] = "call 13800138000, password=correct-horse"
    body["spec"]["requestedBy"] = "mei@bank.example"
    text = json.dumps(proof_of(at.read(body)))
    for secret in ("hunter2", "13800138000", "correct-horse"):
        assert secret not in text
    assert "mei@bank.example" in text  # who acts is told, as in the log
    assert json.loads(proof_of(at.read(body))["status"]["edits"][0]["detail"])["resource"] == made["resource"]


def test_a_header_that_picks_requests_is_no_secret_and_masking_twice_is_masking_once() -> None:
    header = {
        "header": {"name": "x-chaos", "value": "yes"},
        "env": [{"name": "A", "value": "b"}],
        "n": 7,
        "odd": "{no json",
    }
    once = concealed(header)
    assert once == {
        "header": {"name": "x-chaos", "value": "yes"},
        "env": [{"name": "A", "value": "[masked]"}],
        "n": 7,
        "odd": "{no json",
    }
    assert concealed(once) == once
