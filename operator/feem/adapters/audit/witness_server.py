"""A witness on HTTP: logs show it their checkpoints, monitors read what it vouched for (c2sp.org/tlog-witness)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from urllib.parse import quote

from aiohttp import web

from feem.adapters.audit.witness_desk import TEXT_TYPE, WitnessDesk
from feem.adapters.audit.witness_request import MAX_BODY
from feem.adapters.audit.witness_state import CONFLICTS, REFUSED

_BODY_TIMEOUT = 10.0
"""Seconds for a request's body to arrive."""


class WitnessServer:
    """Listens at an address. The desk behind it decides; here is only the form."""

    def __init__(self, desk: WitnessDesk, host: str, port: int) -> None:
        self._desk, self._host, self._port = desk, host, port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it listens; with the real port once started, also when 0 was asked for."""
        port = self._runner.addresses[0][1] if self._runner and self._runner.addresses else self._port
        return f"http://{f'[{self._host}]' if ':' in self._host else self._host}:{port}"

    async def start(self) -> None:
        """Listen. Raises OSError when the address is taken or not one of this machine."""
        runner = web.AppRunner(witness_app(self._desk), access_log=None, handle_signals=False, shutdown_timeout=5.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner

    async def stop(self) -> None:
        """Stop listening, once the requests under way are answered; calling it twice is fine."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()


def witness_app(desk: WitnessDesk) -> web.Application:
    """Return the web application around a desk."""
    app = web.Application(client_max_size=MAX_BODY)
    pages = _Pages(desk)
    app.add_routes(
        [
            web.post("/add-checkpoint", pages.add_checkpoint),
            web.get("/checkpoints/{origin:.+}", pages.checkpoint),
            web.get("/healthz", pages.healthz),
            web.get("/", pages.status),
        ]
    )
    return app


class _Pages:
    def __init__(self, desk: WitnessDesk) -> None:
        self._desk = desk

    async def add_checkpoint(self, request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(_BODY_TIMEOUT):
                body = await request.read()
        except TimeoutError:
            return _text("the body did not arrive in time\n", 408)
        # in a thread, as a whole: it waits for the disk, and a client that goes away must not end it half-way
        answer = await asyncio.to_thread(self._desk.submit, body)
        return web.Response(
            status=answer.status,
            body=answer.body.encode(),
            headers={"Content-Type": _with_charset(answer.content_type)},
        )

    async def checkpoint(self, request: web.Request) -> web.Response:
        head = self._desk.state.heads.get(request.match_info["origin"])
        return _text(head.note) if head else _text("this witness has vouched for no log of that origin\n", 404)

    async def healthz(self, _request: web.Request) -> web.Response:
        return _text(f"{self._desk.failing}\n", 503) if self._desk.failing else _text("ok\n")

    async def status(self, _request: web.Request) -> web.Response:
        state, lines = self._desk.state, [f"C2SP witness {self._desk.state.name}"]
        lines += [f"  {key.key.vkey()}" for key in state.keys]
        for origin in sorted({*self._desk.logs, *state.heads}):
            lines += ["", f"log {origin}" + ("" if origin in self._desk.logs else " (no longer watched)")]
            if head := state.heads.get(origin):
                at = datetime.fromtimestamp(head.time, UTC).isoformat().replace("+00:00", "Z")
                lines.append(f"  {head.checkpoint.size} entries, root {head.checkpoint.root.hex()}, at {at}")
                lines.append(f"  /checkpoints/{quote(origin, safe='')}")
            else:
                lines.append("  nothing seen yet")
            if count := state.count(CONFLICTS, origin):
                lines.append(f"  TWO HISTORIES: {count} signed heads with another root for a size vouched for")
            if count := state.count(REFUSED, origin):
                lines.append(f"  {count} signed heads not shown to go on from the one vouched for")
        return _text("\n".join(lines) + "\n")


def _text(text: str, status: int = 200) -> web.Response:
    return web.Response(status=status, body=text.encode(), headers={"Content-Type": _with_charset(TEXT_TYPE)})


def _with_charset(content_type: str) -> str:
    """Return the type; `text/x.tlog.size` stands alone, as the protocol has it."""
    return f"{content_type}; charset=utf-8" if content_type == TEXT_TYPE else content_type
