"""The reaper as a process beside the test, the runs it asks for, and what it wrote according to the API server."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from feem.adapters.kubernetes.client import Client, with_type
from feem.adapters.kubernetes.errors import NotFound
from feem.api.run import RunStatus
from feem.core.chaos.edit import Mark
from feem.ports import FINALIZER, Body
from tests.integration.conftest import REAPER

RUNS, HALTS = "chaosruns.feem.dev", "chaoshalts.feem.dev"
EVENTS = "events.events.k8s.io"
SWEEP_SECONDS = 5.0
QUICKER = "the server rejected our request due to an error in our request"
"""What the API server says of a JSON patch whose `test` fails; policies that forbid something say so."""


class Reaper:
    """`feem reaper`, started and killed at will; it looks as often as it does by default, and sweeps more often."""

    def __init__(self, kubeconfig: Path, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("FEEM_", "KUBE"))},
            "FEEM_KUBECONFIG": str(kubeconfig),
            "FEEM_HTTP_PORT": str(self._port),
            "FEEM_REAPER_SWEEP_SECONDS": str(SWEEP_SECONDS),
        }
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as out:
            words = [sys.executable, "-m", "feem", "reaper"]
            self._process = subprocess.Popen(words, env=self._environment, stdout=out, stderr=out)

    def kill(self) -> None:
        """End it as a machine that loses power does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """Tell it to end; returns its exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(timeout=20)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        return self._log.read_text() if self._log.exists() else ""

    def ask(self, path: str) -> tuple[int, str]:
        """Its HTTP endpoint; 0 while it does not listen yet."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as problem:
            return problem.code, problem.read().decode()
        except OSError:
            return 0, ""

    def figure(self, sample: str) -> float:
        """A sample of its metrics, e.g. `feem_reaper_sweeps_total{outcome="ok"}`; 0 where there is none yet."""
        found = re.search(rf"^{re.escape(sample)} (\S+)$", self.ask("/metrics")[1], re.MULTILINE)
        return float(found[1]) if found else 0.0

    @property
    def sweeps(self) -> float:
        return self.figure('feem_reaper_sweeps_total{outcome="ok"}')


@dataclass(frozen=True)
class Runs:
    """Runs as the operator writes them, and halts as people do, without any operator that would act on them."""

    operator: Client
    person: Client

    async def run(self, namespace: str, name: str, *, finalizer: bool = True) -> Mark:
        """Make a run with a fault that may be in place; returns the mark of its objects, which is good for an hour."""
        metadata: Body = {"namespace": namespace, "name": name, "finalizers": [FINALIZER] if finalizer else []}
        body = with_type(RUNS, {"metadata": metadata, "spec": {"experiment": "losing-pods"}})
        made = await self.operator.create(RUNS, namespace, body)
        now = datetime.now(UTC).replace(microsecond=0)
        expires = now + timedelta(hours=1)
        await self.say(namespace, name, planned_at=now, expires_at=expires)
        return Mark(name, namespace, made["metadata"]["uid"], expires)

    async def say(self, namespace: str, name: str, **status: datetime) -> None:
        """Write a run's status."""
        wire = RunStatus.model_validate(status).wire()
        await self.operator.merge(RUNS, namespace, name, {"status": wire}, subresource="status")

    async def read(self, mark: Mark) -> Body | None:
        return await self.person.get(RUNS, mark.namespace, mark.run)

    async def delete(self, mark: Mark) -> None:
        """Somebody deletes a run; its finalizer keeps it."""
        await self.person.delete(RUNS, mark.namespace, mark.run, uid=mark.run_uid)

    async def forget(self, mark: Mark) -> None:
        """Make a run vanish, finalizer and all, as a namespace that is finalized by force loses it."""
        await self.operator.merge(RUNS, mark.namespace, mark.run, {"metadata": {"finalizers": None}})
        await self.delete(mark)

    async def halt(self, name: str, *namespaces: str) -> Body:
        """Stop all chaos, in some namespaces or everywhere."""
        spec = {"reason": "the bank has an incident", "namespaces": list(namespaces)}
        return await self.person.create(HALTS, "", with_type(HALTS, {"metadata": {"name": name}, "spec": spec}))

    async def go_on(self, halt: Body) -> None:
        metadata = halt["metadata"]
        await self.person.delete(HALTS, "", metadata["name"], uid=metadata["uid"])

    async def said(self, namespace: str, reason: str) -> list[str]:
        """What Events with this reason say."""
        found = []
        try:
            async for page in self.person.pages(EVENTS, namespace=namespace):
                found += [item["note"] for item in page["items"] if item["reason"] == reason]
        except NotFound:
            return []
        return found


@dataclass(frozen=True)
class Written:
    """Writes of the reaper's account, from the API server's own audit log, from a moment on."""

    audit_log: Path
    offset: int

    @classmethod
    def from_now(cls, audit_log: Path | None) -> Written:
        assert audit_log is not None, "this cluster keeps no audit log"
        return cls(audit_log, audit_log.stat().st_size)

    def objects(self) -> Sequence[tuple[str, str, str, str]]:
        """Verb, resource with its subresource, namespace and name of each write that was carried out."""
        with self.audit_log.open("rb") as log:
            log.seek(self.offset)
            lines = [json.loads(line) for line in log.read().splitlines() if REAPER.encode() in line]
        return [
            (line["verb"], _resource(line["objectRef"]), line["objectRef"].get("namespace", ""), _name(line))
            for line in lines
            if line["user"]["username"] == REAPER and line["responseStatus"]["code"] < 300
        ]

    def refused(self) -> Sequence[str]:
        """Writes that RBAC or a policy forbade; not a patch whose `test` found that somebody was quicker: it is made again."""
        with self.audit_log.open("rb") as log:
            log.seek(self.offset)
            lines = [json.loads(line) for line in log.read().splitlines() if REAPER.encode() in line]
        return [
            f"{line['verb']} {_resource(line['objectRef'])} {_name(line)}: {line['responseStatus'].get('message', '')}"
            for line in lines
            if line["user"]["username"] == REAPER
            and line["responseStatus"]["code"] in (403, 422)
            and line["responseStatus"].get("message") != QUICKER
        ]


def _resource(reference: Body) -> str:
    return "/".join(filter(None, (reference["resource"], reference.get("subresource", ""))))


def _name(line: Body) -> str:
    return str(line["objectRef"].get("name", ""))


def soon(seconds: float) -> datetime:
    """A moment from now, as a mark writes it."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


class Watch:
    """A stop watch."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began
