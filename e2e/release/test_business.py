"""A version that answers 200, quickly, and decides otherwise than the bank does: it goes back, and people can read why."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from e2e.kit import words
from e2e.kit.audit import records, verify
from e2e.kit.example import Example, condition
from e2e.kit.impact import Decided
from e2e.kit.kubectl import Kubectl
from e2e.kit.story import Story
from e2e.kit.traffic import Traffic, failures, share, summary
from e2e.release.test_main_job import assert_nothing_left

Body = dict[str, Any]
Tell = Callable[[str], None]
DECISIONS = "limit-scoring-decisions"


def verdict_of(body: Body, objective: str) -> Body:
    verdicts: list[Body] = body["status"]["verdicts"]
    return next(item for item in verdicts if item["name"] == objective)


def feem(*arguments: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "feem", *arguments]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)


def saved(kubectl: Kubectl, release: str, file: Path) -> Path:
    """The samples behind a release's last decision, as `feem evidence save` writes them."""
    where = ("-n", kubectl.namespace, "--kubeconfig", str(kubectl.kubeconfig))
    done = feem("evidence", "save", release, "-o", str(file), *where)
    assert done.returncode == 0, done.stderr
    return file


def test_a_lenient_version_is_rolled_back_though_every_answer_is_200(
    example: Example, traffic: Traffic, tell: Tell, tmp_path: Path
) -> None:
    stable = example.stable_image().rpartition(":")[2]
    began, first = time.time(), len(records(example.kubectl))
    name = example.start("2.2")
    story = Story(tell)
    assert example.wait_end(name, 300, story.tell) == "RolledBack"
    answers = traffic.answers(began)
    decided = Decided.of(answers, "2.2", story)
    assert decided is not None
    for line in decided.lines():
        tell(line)
    tell(summary(answers))

    assert failures(answers) == []
    assert {percent for percent, _, _ in story.spans()} <= {10}, "the first step's weight is the only one it ever had"
    assert decided.first_to_weight_0 is not None
    assert decided.first_to_weight_0 < 120
    assert share(traffic.answers(time.time() - 1), stable) == 100
    assert_nothing_left(example)
    body = example.release(name)
    assert_read_by_a_risk_officer(example, body, decided)
    assert_provable(example, body, first, tmp_path / "evidence.jsonl.gz", tell)


def assert_read_by_a_risk_officer(example: Example, body: Body, decided: Decided) -> None:
    found = verdict_of(body, DECISIONS)
    assert (found["outcome"], found["reason"], found["category"]) == ("Fail", "MixShifted", "Business")
    end = condition(body, "Succeeded")
    assert end["status"] == "False"
    assert DECISIONS in end["message"]
    described = example.kubectl.run("describe", "rel", body["metadata"]["name"])
    said = words.verdict(described, DECISIONS)
    shown = re.search(r"Canary: +([0-9.]+)%\n +Name: +approved\n +Stable: +([0-9.]+)%", said)
    assert shown, said
    canary, stable = (float(text) for text in shown.groups())
    assert abs(canary - 84) < 8
    assert abs(stable - 56) < 5
    assert abs(canary - 100 * decided.canary["approved"] / decided.canary.total()) < 8, "what clients saw"
    assert re.search(r"Evidence: +\S", said)
    assert "MixShifted" in said


def assert_provable(example: Example, body: Body, first: int, file: Path, tell: Tell) -> None:
    """The audit record names the samples by digest, and the saved samples give the verdict and the digest again."""
    name = body["metadata"]["name"]
    mine = [spec for spec in records(example.kubectl)[first:] if spec["subject"]["name"] == name]
    (intent,) = [spec for spec in mine if spec["action"] == "RollBack" and spec["part"] == "Intent"]
    assert intent["reason"] == "MixShifted"
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", intent["evidence"])
    again = feem("evidence", "replay", str(saved(example.kubectl, name, file)))
    assert again.returncode == 0, again.stdout + again.stderr
    assert f"{DECISIONS}: Fail, MixShifted" in again.stdout
    assert verdict_of(body, DECISIONS)["message"] in again.stdout
    assert intent["evidence"] in again.stdout
    assert verify(example.kubectl).ok
    tell(again.stdout.splitlines()[0])
