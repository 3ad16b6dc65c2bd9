"""People change their mind: a newer change, a return to stable, pause and resume, a deleted ManagedService."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from e2e.kit.example import NAME, Example, condition
from e2e.kit.kubectl import KubectlError, wait_until
from e2e.kit.people import decide
from e2e.kit.traffic import EXAMPLE, Traffic, failures, share
from e2e.release.test_main_job import assert_nothing_left

Tell = Callable[[str], None]


def in_step(example: Example, name: str, step: int, seconds: float = 120) -> None:
    wait_until(f"step {step}", lambda: (example.release(name).get("status") or {}).get("step") == step, seconds)


def test_a_newer_change_supersedes_and_stable_cancels(example: Example, traffic: Traffic, tell: Tell) -> None:
    stable = example.stable_image().rpartition(":")[2]
    first = example.start(example.other_good_version())
    in_step(example, first, 1)
    second = example.start("3.0", seconds=60)
    assert condition(example.release(first), "Succeeded")["reason"] == "Superseded"
    tell(f"{second} superseded {first}")
    example.set_version(stable)
    assert example.wait_end(second, 120) == "Cancelled"
    wait_until("the resumed Deployment", lambda: not example.held(), 30)
    assert example.image().endswith(f":{stable}")
    assert_nothing_left(example)
    assert {answer.version for answer in failures(traffic.answers())} <= {"3.0"}


def test_pause_resume_promote(example: Example, traffic: Traffic, tell: Tell) -> None:
    version = example.other_good_version()
    name = example.start(version)
    in_step(example, name, 1)
    decide(example.kubectl, name, "Pause")
    wait_until("the pause", lambda: _reason(example, name) == "Paused", 30)
    time.sleep(5)
    assert example.release(name)["status"]["weight"] == 10
    with pytest.raises(KubectlError, match=r"spec\.by|your own"):
        decide(example.kubectl, name, "Resume", by="somebody-else")
    decide(example.kubectl, name, "Promote")
    assert example.wait_end(name, 180) == "Promoted"
    answers = [
        item["status"]["conditions"][0]["reason"]
        for item in example.kubectl.list("decisions.feem.dev")
        if item["spec"]["release"] == name
    ]
    tell(f"paused, then promoted: {answers}")
    assert answers == ["Applied", "Applied"]
    assert failures(traffic.answers()) == []
    assert share(traffic.answers(time.time() - 1), version) == 100


def test_a_deleted_service_leaves_stable_with_everything(example: Example, traffic: Traffic) -> None:
    stable = example.stable_image().rpartition(":")[2]
    name = example.start("3.0")
    in_step(example, name, 1)
    example.kubectl.run("delete", "managedservice", NAME, "--timeout=90s")
    time.sleep(1)
    answers = traffic.answers(time.time() - 1)
    assert share(answers, stable) == 100
    assert_nothing_left(example)
    body = example.kubectl.get("deployment", NAME) or {}
    assert not [key for key in body["metadata"]["labels"] if key.startswith("feem.dev/")]
    assert body["spec"]["paused"] is True, "an unreleased template stays held"
    example.set_version(stable)
    example.kubectl.run("rollout", "resume", f"deployment/{NAME}")
    example.kubectl.run("rollout", "status", f"deployment/{NAME}", "--timeout=60s")
    example.kubectl.apply(EXAMPLE / "k8s" / "feem.yaml")
    wait_until("the service governed again", example.governed, 60)


def _reason(example: Example, name: str) -> str:
    return str(condition(example.release(name), "Progressing").get("reason", ""))
