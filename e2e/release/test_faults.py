"""What must not decide a release: a metrics server that is gone."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from e2e.kit.example import Example, condition
from e2e.kit.kubectl import wait_until
from e2e.kit.traffic import Traffic, failures

Body = dict[str, Any]
GONE_SECONDS = 120


def test_without_prometheus_for_two_minutes_the_release_holds_then_goes_on(
    example: Example, traffic: Traffic, tell: Callable[[str], None]
) -> None:
    monitoring = example.kubectl.replaced("monitoring")
    name = example.start(example.other_good_version())

    def baking() -> Body | None:
        body = example.release(name)
        return body if (body.get("status") or {}).get("step") == 1 else None

    wait_until("the first step", baking, 90)
    monitoring.run("scale", "deployment/prometheus", "--replicas=0")
    tell("Prometheus is gone")
    gone = time.monotonic()
    try:
        wait_until("the hold", lambda: _reason(example, name) == "Inconclusive", 90)
        tell(f"the release holds: {condition(example.release(name), 'Progressing')['message']}")
        while time.monotonic() - gone < GONE_SECONDS:
            body = example.release(name)
            assert body["status"]["step"] == 1
            assert body["status"]["weight"] == 10
            assert condition(body, "Succeeded")["status"] == "Unknown"
            time.sleep(2)
    finally:
        monitoring.run("scale", "deployment/prometheus", "--replicas=1")
    tell("Prometheus is back")
    assert example.wait_end(name, 300) == "Promoted"
    assert failures(traffic.answers()) == []


def _reason(example: Example, name: str) -> str:
    return str(condition(example.release(name), "Progressing").get("reason", ""))
