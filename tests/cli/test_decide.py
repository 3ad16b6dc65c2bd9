from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from feem.api.decision import Verb
from feem.cli.app import app
from feem.cli.decide import decide
from feem.cli.problem import Problem
from tests.cli.fake import FakeCluster
from tests.view import bodies as at


def answering(cluster: FakeCluster, status: str, reason: str, message: str) -> None:
    def answer(body: dict[str, Any]) -> None:
        body["status"] = {"conditions": [at.condition("Applied", status, reason, message)]}

    cluster.on_create = answer


@pytest.mark.parametrize("verb", [Verb.PAUSE, Verb.RESUME, Verb.ABORT, Verb.PROMOTE])
def test_a_decision_is_made_in_the_persons_own_name(cluster: FakeCluster, verb: Verb) -> None:
    answering(cluster, "True", "Applied", "it counts")
    done = CliRunner().invoke(app, [verb.value.lower(), "limit-scoring", "--reason", "month-end close"])
    assert done.exit_code == 0, done.output
    assert done.output == f"{verb.value} of Release lending/limit-scoring-4 by risk-officer: it counts\n"
    (body,) = cluster.created
    assert body["spec"] == {
        "release": "limit-scoring-4",
        "verb": verb.value,
        "reason": "month-end close",
        "by": "risk-officer",
        "groups": ["risk-officers", "system:authenticated"],
    }
    assert body["metadata"]["name"].startswith(f"limit-scoring-4-{verb.value.lower()}-")


def test_without_an_operator_it_says_that_it_will_count(cluster: FakeCluster) -> None:
    text = decide(cluster, "lending", "limit-scoring", Verb.PAUSE, "why", wait=0.3)
    assert "FEEM has not answered within 0.3 s; it counts as soon as the operator runs" in text


def test_feems_no_is_an_error(cluster: FakeCluster) -> None:
    answering(cluster, "False", "ReleaseEnded", "the release has ended meanwhile")
    with pytest.raises(Problem, match="the release has ended meanwhile"):
        decide(cluster, "lending", "limit-scoring", Verb.ABORT, "why", wait=2)


def test_what_cannot_count_is_not_even_created(cluster: FakeCluster) -> None:
    with pytest.raises(Problem, match="still under way; Abort it first"):
        decide(cluster, "lending", "limit-scoring", Verb.RETRY, "why", wait=0)
    cluster.add("releases.feem.dev", at.release(conditions=at.over("RolledBack", "bad"), completedAt=at.stamp(1)))
    with pytest.raises(Problem, match=r"had already ended \(RolledBack\)"):
        decide(cluster, "lending", "limit-scoring", Verb.PAUSE, "why", wait=0)
    assert cluster.created == []


def test_a_rolled_back_change_can_be_retried(cluster: FakeCluster) -> None:
    cluster.add("releases.feem.dev", at.release(conditions=at.over("RolledBack", "bad"), completedAt=at.stamp(1)))
    decide(cluster, "lending", "limit-scoring", Verb.RETRY, "the database is back", wait=0)
    assert cluster.created[0]["spec"]["verb"] == "Retry"


def test_a_reason_is_needed(cluster: FakeCluster) -> None:
    assert CliRunner().invoke(app, ["pause", "limit-scoring"]).exit_code == 2
    with pytest.raises(Problem, match="the audit log needs a reason"):
        decide(cluster, "lending", "limit-scoring", Verb.PAUSE, "  ", wait=0)
