"""The operator's HTTP endpoint: /metrics for Prometheus, /healthz and /readyz for the kubelet."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

Check = Callable[[], str | None]
"""Returns None while all is well, else the reason why not, as a sentence."""


class ObservationServer:
    """Serves figures and health; it must answer while the operator waits for leadership, so nothing here blocks."""

    def __init__(
        self,
        registry: CollectorRegistry,
        *,
        port: int = 8080,
        host: str = "0.0.0.0",  # noqa: S104 - the kubelet and Prometheus reach the pod by its own address
        live: Mapping[str, Check] | None = None,
        ready: Mapping[str, Check] | None = None,
    ) -> None:
        self._registry = registry
        self._host = host
        self._port = port
        self._live = dict(live or {})
        self._ready = dict(ready or {})
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port it listens on: once started, the real one, also when 0 was asked for."""
        if self._runner is not None and self._runner.addresses:
            port: int = self._runner.addresses[0][1]
            return port
        return self._port

    def add_live(self, name: str, check: Check) -> None:
        """Let /healthz fail, and the kubelet restart the pod, when this check does."""
        self._live[name] = check

    def add_ready(self, name: str, check: Check) -> None:
        """Let /readyz fail when this check does."""
        self._ready[name] = check

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._metrics),
                web.get("/healthz", self._healthz),
                web.get("/readyz", self._readyz),
            ]
        )
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner

    async def stop(self) -> None:
        """Stop listening; calling it twice is fine."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        response = web.Response(body=encode(self._registry), headers={"Content-Type": content_type})
        response.enable_compression()
        return response

    async def _healthz(self, _request: web.Request) -> web.Response:
        return _answer(self._live)

    async def _readyz(self, _request: web.Request) -> web.Response:
        return _answer(self._ready)


def _answer(checks: Mapping[str, Check]) -> web.Response:
    reasons = {name: check() for name, check in checks.items()}
    lines = [f"{name}: {reason or 'ok'}" for name, reason in reasons.items()] or ["ok"]
    healthy = all(reason is None for reason in reasons.values())
    return web.Response(text="\n".join(lines) + "\n", status=200 if healthy else 503)
