"""A version that is good as a canary and turns bad once everybody uses it: the watch takes it back."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from e2e.kit.audit import records, verify
from e2e.kit.example import NAME, Example, condition
from e2e.kit.kubectl import wait_until
from e2e.kit.traffic import Traffic, failures, share, summary
from e2e.release.test_hold import owners_pods
from e2e.release.test_main_job import assert_nothing_left

Body = dict[str, Any]
TURN = "import os, signal; os.kill(1, signal.SIGUSR1)"


def turn_bad(example: Example) -> None:
    """What a fault that shows late does: every pod of version 2.3 fails four of ten applications from now on."""
    for pod in example.kubectl.list("pods", "-l", f"app.kubernetes.io/name={NAME},feem.dev/track!=canary"):
        if not pod["metadata"].get("deletionTimestamp"):
            example.kubectl.run("exec", pod["metadata"]["name"], "--", "python", "-c", TURN)


def test_what_turns_bad_after_its_promotion_goes_back(
    example: Example, traffic: Traffic, tell: Callable[[str], None]
) -> None:
    example.watch_for(60)
    before = example.kubectl.get("deployment", NAME) or {}
    stable, first = example.stable_image(), len(records(example.kubectl))
    name = example.start("2.3")

    def watched() -> Body | None:
        body = example.release(name)
        reason = condition(body, "Progressing").get("reason")
        assert not (body.get("status") or {}).get("completedAt"), "it must still be watched"
        return body if reason == "Watching" else None

    wait_until("the watch", watched, 240)
    assert failures(traffic.answers()) == []
    tell(str(condition(example.release(name), "Progressing")["message"]))
    turned = time.time()
    turn_bad(example)
    assert example.wait_end(name, 180) == "RolledBack"
    tell(
        f"turned bad, taken back and all pods replaced in {time.time() - turned:.0f} s: {summary(traffic.answers(turned))}"
    )

    end = condition(example.release(name), "Succeeded")
    assert end["status"] == "False"
    assert "limit-scoring-answers failed after the promotion" in end["message"]
    after = example.kubectl.get("deployment", NAME) or {}
    assert after["spec"] == before["spec"]
    assert set(owners_pods(example.kubectl)) == {stable}
    tag = stable.rpartition(":")[2]
    # pods that were replaced answer what they still have in hand, for a few seconds
    wait_until("only the earlier version answering", lambda: share(traffic.answers(time.time() - 2), tag) == 100, 30)
    assert {answer.version for answer in failures(traffic.answers())} == {"2.3"}
    assert_nothing_left(example)
    mine = [spec for spec in records(example.kubectl)[first:] if spec["subject"]["name"] == name]
    (undone,) = [spec for spec in mine if spec["action"] == "Undo" and spec["part"] == "Intent"]
    assert undone["reason"] == "BurnsTooFast"
    assert undone["evidence"]
    assert verify(example.kubectl).ok
