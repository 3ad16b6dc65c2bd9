"""A version whose every answer is right but late."""

from __future__ import annotations

import time
from collections.abc import Callable

from e2e.kit.example import Example
from e2e.kit.story import Story
from e2e.kit.traffic import Traffic, failures, share
from e2e.release.test_business import verdict_of
from e2e.release.test_main_job import assert_nothing_left


def test_a_slow_version_is_rolled_back_by_its_latency(
    example: Example, traffic: Traffic, tell: Callable[[str], None]
) -> None:
    stable = example.stable_image().rpartition(":")[2]
    began = time.time()
    name = example.start("2.1")
    story = Story(tell)
    assert example.wait_end(name, 240, story.tell) == "RolledBack"
    found = verdict_of(example.release(name), "limit-scoring-speed")
    assert (found["outcome"], found["reason"]) == ("Fail", "LatencyAboveStable")
    assert float(found["canary"]["rate"].removesuffix("%")) > 90
    assert float(found["stable"]["rate"].removesuffix("%")) < 10
    assert {percent for percent, _, _ in story.spans()} <= {10}
    assert failures(traffic.answers(began)) == []
    assert share(traffic.answers(time.time() - 1), stable) == 100
    assert_nothing_left(example)
