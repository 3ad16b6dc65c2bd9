"""The port `Notes`: Kubernetes Events (events.k8s.io/v1), sent in the background, repeated ones counted as a series."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime

from feem.adapters.kubernetes.client import Client, with_type
from feem.adapters.kubernetes.resources import EVENTS
from feem.ports import Body, Conflict, Refused, Unavailable

log = logging.getLogger(__name__)

CONTROLLER = "feem.dev/operator"
SERIES_SECONDS = 360.0
"""How long a repetition counts into the same Event: as long as client-go keeps a series open."""
MAX_NOTE, MAX_REASON, MAX_INSTANCE = 1024, 128, 128
MAX_SERIES, MAX_WAITING = 1_000, 200

Sameness = tuple[str, str, str, bool]


@dataclass
class _Series:
    name: str
    namespace: str
    count: int
    last: float


class KubernetesNotes:
    """Publishing returns at once; what cannot be sent is logged. `instance` is the pod's name."""

    def __init__(self, client: Client, *, instance: str) -> None:
        self._client = client
        self._instance = instance[:MAX_INSTANCE] or "feem"
        self._series: OrderedDict[Sameness, _Series] = OrderedDict()
        self._sending: set[asyncio.Task[None]] = set()
        self._order = asyncio.Lock()

    async def publish(self, regarding: Body, *, reason: str, message: str, warning: bool = False) -> None:
        """Publish one event about an object."""
        if len(self._sending) >= MAX_WAITING:
            log.warning("event %s dropped, %d are waiting to be sent: %s", reason, len(self._sending), message)
            return
        now = datetime.now(UTC)
        task = asyncio.create_task(self._send(regarding, reason[:MAX_REASON], message, warning=warning, now=now))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def drain(self, seconds: float = 5.0) -> None:
        """Wait until what was published is sent."""
        if self._sending:
            await asyncio.wait(set(self._sending), timeout=seconds)

    async def _send(self, regarding: Body, reason: str, message: str, *, warning: bool, now: datetime) -> None:
        same = (str(regarding["metadata"].get("uid")), reason, message, warning)
        try:
            async with self._order:
                series = self._open_series(same)
                if series is None or not await self._count(series, now):
                    await self._begin(same, regarding, now)
        except (Conflict, Unavailable, Refused) as problem:
            log.warning("event %s about %s was not published: %s", reason, regarding["metadata"].get("name"), problem)

    def _open_series(self, same: Sameness) -> _Series | None:
        series = self._series.get(same)
        return series if series is not None and time.monotonic() - series.last < SERIES_SECONDS else None

    async def _count(self, series: _Series, now: datetime) -> bool:
        """Add one to a series; False when its Event is gone (the API server forgets Events after an hour)."""
        count = {"count": series.count + 1, "lastObservedTime": _micro(now)}
        try:
            await self._client.merge(EVENTS, series.namespace, series.name, {"series": count})
        except Conflict:
            return False
        series.count, series.last = series.count + 1, time.monotonic()
        return True

    async def _begin(self, same: Sameness, regarding: Body, now: datetime) -> None:
        _, reason, message, warning = same
        metadata = regarding["metadata"]
        namespace = metadata.get("namespace") or "default"
        name = f"{metadata['name'][:200]}.{time.time_ns():x}"
        note = (
            message
            if len(message.encode()) <= MAX_NOTE
            else message.encode()[: MAX_NOTE - 3].decode(errors="ignore") + "…"
        )
        event = {
            "metadata": {"namespace": namespace, "name": name},
            "eventTime": _micro(now),
            "reportingController": CONTROLLER,
            "reportingInstance": self._instance,
            "action": reason,
            "reason": reason,
            "regarding": {
                "apiVersion": regarding.get("apiVersion", ""),
                "kind": regarding.get("kind", ""),
                "namespace": metadata.get("namespace", ""),
                "name": metadata["name"],
                "uid": metadata.get("uid", ""),
                "resourceVersion": metadata.get("resourceVersion", ""),
            },
            "note": note,
            "type": "Warning" if warning else "Normal",
        }
        await self._client.create(EVENTS, namespace, with_type(EVENTS, event))
        self._series[same] = _Series(name, namespace, 1, time.monotonic())
        self._series.move_to_end(same)
        if len(self._series) > MAX_SERIES:
            self._series.popitem(last=False)


def _micro(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
