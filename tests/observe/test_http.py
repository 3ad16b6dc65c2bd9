from __future__ import annotations

import aiohttp
import pytest

from feem.observe.http import ObservationServer
from feem.observe.metrics import OperatorMetrics


async def fetch(server: ObservationServer, path: str) -> tuple[int, str, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{server.port}{path}") as answer,
    ):
        return answer.status, await answer.text(), answer.headers["Content-Type"]


async def test_metrics_are_served_in_prometheus_format() -> None:
    metrics = OperatorMetrics()
    metrics.leading(True)
    server = ObservationServer(metrics.registry, port=0, host="127.0.0.1")
    await server.start()
    try:
        status, text, content_type = await fetch(server, "/metrics")
    finally:
        await server.stop()
    assert status == 200
    assert "feem_leader 1.0" in text
    assert content_type.startswith("text/plain")


async def test_readiness_and_liveness_are_separate_and_tell_the_reason() -> None:
    reasons: dict[str, str | None] = {"watches": "Release: no list yet", "loop": None}
    server = ObservationServer(
        OperatorMetrics().registry,
        port=0,
        host="127.0.0.1",
        live={"loop": lambda: reasons["loop"]},
        ready={"watches": lambda: reasons["watches"]},
    )
    await server.start()
    try:
        assert (await fetch(server, "/healthz"))[:2] == (200, "loop: ok\n")
        assert (await fetch(server, "/readyz"))[:2] == (503, "watches: Release: no list yet\n")
        reasons["watches"] = None
        assert (await fetch(server, "/readyz"))[:2] == (200, "watches: ok\n")
        server.add_ready("leader", lambda: "another one leads")
        assert (await fetch(server, "/readyz"))[0] == 503
    finally:
        await server.stop()


async def test_it_can_start_again_after_a_stop_and_tells_a_taken_port() -> None:
    first = ObservationServer(OperatorMetrics().registry, port=0, host="127.0.0.1")
    await first.start()
    second = ObservationServer(OperatorMetrics().registry, port=first.port, host="127.0.0.1")
    with pytest.raises(OSError, match="address already in use"):
        await second.start()
    await first.stop()
    await first.stop()
    await first.start()
    assert (await fetch(first, "/healthz"))[0] == 200
    await first.stop()
