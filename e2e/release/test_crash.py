"""The operator dies in every state of a release; the release ends as it would have, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2e.kit.audit import doubly_closed, open_intents, records, verify
from e2e.kit.example import Example, condition
from e2e.kit.install import NAMESPACE, OPERATOR_PODS
from e2e.kit.kubectl import wait_until
from e2e.kit.traffic import Traffic, failures
from e2e.release.test_main_job import assert_nothing_left

Body = dict[str, Any]
Tell = Callable[[str], None]


class Killer:
    """Kills the operator's pod the first time each state is seen."""

    def __init__(self, example: Example, tell: Tell) -> None:
        self._system, self._tell = example.kubectl.replaced(NAMESPACE), tell
        self.killed_in: list[tuple[str, int]] = []

    def watch(self, body: Body) -> None:
        reason = condition(body, "Progressing").get("reason", "Held")
        state = reason, int((body.get("status") or {}).get("step", 0))
        if state in self.killed_in:
            return
        self.killed_in.append(state)
        self._tell(f"killing the operator in {state[0]}, step {state[1]}")
        self._system.run("delete", "pod", "-l", OPERATOR_PODS, "--force", "--grace-period=0")


@pytest.mark.parametrize(("version", "expected"), [("", "Promoted"), ("3.0", "RolledBack")], ids=["good", "bad"])
def test_killed_in_each_state(example: Example, traffic: Traffic, tell: Tell, version: str, expected: str) -> None:
    example.watch_for(15)
    first = len(records(example.kubectl))
    killer = Killer(example, tell)
    name = example.start(version or example.other_good_version())
    assert example.wait_end(name, 420, killer.watch) == expected
    assert len(killer.killed_in) >= 4

    wait_until("every intent's outcome", lambda: not open_intents(records(example.kubectl)), 60)
    log = records(example.kubectl)
    assert doubly_closed(log) == []
    mine = [spec for spec in log[first:] if spec["subject"]["name"] == name]
    done = [spec["action"] for spec in mine if spec["part"] == "Outcome" and spec["reason"] in ("Done", "Recovered")]
    assert done.count("Promote") == (1 if expected == "Promoted" else 0)
    assert done.count("RollBack") == (0 if expected == "Promoted" else 1)
    assert verify(example.kubectl).ok
    assert_nothing_left(example)
    if expected == "Promoted":
        assert failures(traffic.answers()) == []
