"""The reaper process: `feem reaper`, beside the operator and with an account of its own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from typing import Annotated

import structlog
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.notes import KubernetesNotes
from feem.adapters.kubernetes.remains import KubernetesRemains
from feem.controllers.chaos.reaper import Reaper
from feem.observe.chaos import ReaperMetrics
from feem.observe.http import ObservationServer
from feem.observe.logging import configure
from feem.ports import Unavailable
from feem.runtime.clock import SystemClock

log = structlog.get_logger("feem.reaper")


class ReaperSettings(BaseSettings):
    """Each field is the environment variable FEEM_<FIELD>; the reaper knows no other."""

    model_config = SettingsConfigDict(env_prefix="FEEM_", use_attribute_docstrings=True, frozen=True)

    reaper_interval_seconds: Annotated[float, Field(ge=0.2, le=60)] = 2.0
    """How often runs and halts are looked at."""
    reaper_sweep_seconds: Annotated[float, Field(ge=1, le=3600)] = 30.0
    """How often everything that may carry a fault is looked at, also without any sign of one."""
    kubeconfig: str = ""
    """A kubeconfig file; empty: the service account in a pod, else what kubectl would use."""
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port of /metrics, /healthz and /readyz."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""


def main() -> int:
    """Run the reaper until it is told to stop; returns the exit code."""
    try:
        settings = ReaperSettings()
        configure(settings.log_level)
    except (ValidationError, ValueError) as problem:
        print(f"feem reaper: the environment is not right: {problem}")  # noqa: T201 - there is no log without settings
        return 2
    return asyncio.run(_until_stopped(settings))


async def _until_stopped(settings: ReaperSettings) -> int:
    loop, reaping = asyncio.get_running_loop(), asyncio.create_task(reap(settings))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, reaping.cancel)
    try:
        await reaping
    except asyncio.CancelledError:
        log.info("stopped")
    except Unavailable as problem:
        log.error("the API server cannot be reached", problem=str(problem))  # noqa: TRY400 - the sentence says it all
        return 1
    return 0


async def reap(settings: ReaperSettings) -> None:
    """Look again and again."""
    figures = ReaperMetrics()
    async with contextlib.AsyncExitStack() as stack:
        client = await stack.enter_async_context(await Client.connect(settings.kubeconfig))
        notes = KubernetesNotes(client, instance=socket.gethostname())
        stack.push_async_callback(notes.drain)
        reaper = Reaper(KubernetesRemains(client), notes, figures, SystemClock(), settings.reaper_sweep_seconds)
        server = ObservationServer(figures.registry, port=settings.http_port)
        server.add_ready("sweep", lambda: reaper.problem or None)
        await server.start()
        stack.push_async_callback(server.stop)
        log.info("reaping", every_seconds=settings.reaper_interval_seconds)
        while True:
            await reaper.look()
            await asyncio.sleep(settings.reaper_interval_seconds)
