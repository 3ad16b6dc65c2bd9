"""One operator as a process of its own, and what it uses: requests, CPU seconds, memory."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from prometheus_client.parser import text_string_to_metric_families

from bench.admission.policies import NotInForceError
from bench.admission.server import cpu_seconds

LEADS_WITHIN = 60.0
NOBODY = "http://127.0.0.1:9"
"""A metrics server that is not there: refused runs ask it nothing."""


@dataclass(frozen=True)
class Usage:
    """What an operator has used since it began, and its memory now and at its peak (bytes)."""

    at: float
    cpu: float
    server_cpu: float
    memory: int
    peak: int
    requests: Counter[tuple[str, str]]
    """By verb and resource, whatever the answer."""
    failed: int
    """Requests that were not granted."""

    @property
    def total(self) -> int:
        """All requests."""
        return self.requests.total()


@dataclass(frozen=True)
class Spent:
    """What was used between two looks."""

    seconds: float
    cpu: float
    server_cpu: float
    requests: Counter[tuple[str, str]]
    failed: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests.total() / self.seconds

    @property
    def share(self) -> float:
        """Of one CPU."""
        return self.cpu / self.seconds


def between(before: Usage, after: Usage) -> Spent:
    """Return what was used in between."""
    return Spent(
        after.at - before.at,
        after.cpu - before.cpu,
        after.server_cpu - before.server_cpu,
        after.requests - before.requests,
        after.failed - before.failed,
    )


class Operator:
    """`feem operator` on a kubeconfig; it ends with the block it is used in."""

    def __init__(self, kubeconfig: Path, log: Path, server_pid: int) -> None:
        self._port, self._server_pid, self._log = _free_port(), server_pid, log
        environment = {
            **os.environ,
            "FEEM_KUBECONFIG": str(kubeconfig),
            "FEEM_PROMETHEUS_URL": NOBODY,
            "FEEM_NAMESPACE": "default",
            "FEEM_HTTP_PORT": str(self._port),
            "FEEM_CHAOS_NAMESPACES": "*",
            "FEEM_BUDGET_INTERVAL_SECONDS": "3600",
            "FEEM_AUDIT_HEARTBEAT_SECONDS": "86400",
            "FEEM_LOG_LEVEL": "WARNING",
        }
        with log.open("ab") as out:
            words = [sys.executable, "-m", "feem", "operator"]
            self._process = subprocess.Popen(words, env=environment, stdout=out, stderr=out)

    def __enter__(self) -> Self:
        deadline = time.monotonic() + LEADS_WITHIN
        while True:
            try:
                if "feem_leader 1.0" in self._metrics():
                    return self
            except OSError:
                pass
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__(None, None, None)
                raise NotInForceError(f"the operator does not lead: {self.log}")
            time.sleep(0.2)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(timeout=30)

    @property
    def log(self) -> str:
        """The end of what it says."""
        return self._log.read_text(errors="replace")[-2000:]

    def look(self) -> Usage:
        """Read what it has used so far."""
        requests, failed = Counter[tuple[str, str]](), 0
        for family in text_string_to_metric_families(self._metrics()):
            for sample in family.samples:
                if sample.name == "feem_api_requests_total":
                    labels = sample.labels
                    requests[labels["verb"], labels["resource"].split(".")[0]] += int(sample.value)
                    failed += 0 if labels["code"].startswith("2") else int(sample.value)
        pid = self._process.pid
        return Usage(
            time.monotonic(),
            cpu_seconds(pid),
            cpu_seconds(self._server_pid),
            _kib(pid, "VmRSS"),
            _kib(pid, "VmHWM"),
            requests,
            failed,
        )

    def _metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=10) as answer:
            content: bytes = answer.read()
        return content.decode()


def _kib(pid: int, field: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
