"""At night few people apply: too little is known, which is said, and nothing happens."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from e2e.cluster.context import Cluster
from e2e.kit.example import Example, condition
from e2e.kit.kubectl import wait_until
from e2e.kit.people import decide
from e2e.kit.traffic import Traffic

SHOWN_SECONDS = 15


def test_with_hardly_any_traffic_the_step_stays_and_says_what_it_lacks(
    cluster: Cluster, example: Example, tell: Callable[[str], None], tmp_path: Path
) -> None:
    with Traffic(cluster, tmp_path / "quiet.jsonl", rate=0.5):
        name = example.start(example.other_good_version())

        def reason() -> str:
            return str(condition(example.release(name), "Progressing").get("reason", ""))

        wait_until("the hold", lambda: reason() == "Inconclusive", 120)
        until = time.monotonic() + SHOWN_SECONDS
        while time.monotonic() < until:
            body = example.release(name)
            assert (body["status"]["step"], body["status"]["weight"]) == (1, 10)
            assert condition(body, "Succeeded")["status"] == "Unknown"
            time.sleep(1)
        progressing = condition(body, "Progressing")
        tell(f"{progressing['reason']}: {progressing['message']}")
        doubts = {item["reason"] for item in body["status"]["verdicts"] if item["outcome"] == "Inconclusive"}
        assert doubts
        assert doubts <= {"TooFewSamples", "NoData"}
        assert any(item.get("decides") for item in body["status"]["verdicts"]), "when it would decide"
        decide(example.kubectl, name, "Abort")
        assert example.wait_end(name, 120) == "Aborted"
