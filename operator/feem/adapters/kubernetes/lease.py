"""Who leads: one holder of a Lease, and a number that rises with every change of holder.

The rules are those of client-go's leader election: other holders' clocks are never believed. A candidate waits until it has
seen the Lease unchanged, by its own clock, for as long as the Lease says; a leader stops sooner than that after its last renewal.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from feem.adapters.kubernetes.client import Client, with_type
from feem.adapters.kubernetes.resources import LEASES
from feem.ports import Body, Conflict, Refused, Unavailable

log = logging.getLogger(__name__)

Lead = Callable[[int], Awaitable[None]]
"""What the leader does, given its epoch; it is cancelled when leadership ends."""


@dataclass(frozen=True)
class LeaseTimes:
    """In seconds: how long a silent leader is respected, how long a leader goes on without a renewal, how often it renews."""

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry: float = 2.0

    def __post_init__(self) -> None:
        if not self.retry < self.renew_deadline < self.duration:
            raise ValueError(f"a Lease needs retry < renew deadline < duration, not {self}")


class StillWorking(RuntimeError):  # noqa: N818 - see ports.Conflict
    """The leader's work did not end in time: the process must, before another leader starts."""


class Election:
    """Stands for election until cancelled.

    `identity` is a name that no other living process has, such as the pod's: a Lease held under it is our predecessor's, who
    died without releasing it, and is taken over at once.
    `floor` returns the lowest epoch that may be used, for the case that the Lease was deleted and its count began anew.
    `changed` is called with True when leading begins and False when it ends.
    """

    def __init__(
        self,
        client: Client,
        *,
        namespace: str,
        name: str,
        identity: str,
        times: LeaseTimes | None = None,
        floor: Callable[[], Awaitable[int]] | None = None,
        changed: Callable[[bool], None] | None = None,
    ) -> None:
        self._client = client
        self._place = (LEASES, namespace, name)
        self._name = identity
        self.identity = f"{identity}_{uuid.uuid4().hex[:8]}"
        """Unique to this process, so that a restart under the same pod name is a change of holder, and of epoch, too."""
        self._times = times or LeaseTimes()
        self._floor = floor
        self._changed: Callable[[bool], None] = changed or (lambda _: None)
        self.predecessor = ""
        """Who held the Lease before we took it; empty when nobody did."""
        self._seen: tuple[Any, ...] = ()
        self._seen_at = 0.0
        self._renewed_at = 0.0
        self._lease: Body | None = None
        self.leads = False

    async def run(self, lead: Lead) -> None:
        """Wait for the Lease, lead, and stand again when it is lost. Ends when `lead` ends: by returning, or with its exception.

        Raises StillWorking when `lead` does not end in time after its cancellation.
        """
        while True:
            epoch = await self._win()
            if await self._serve(lead, epoch):
                return

    async def _win(self) -> int:
        while True:
            try:
                epoch = await self._try_to_win()
            except (Conflict, Unavailable, Refused) as problem:
                log.warning("the Lease %s/%s could not be taken: %s", *self._place[1:], problem)
                epoch = None
            if epoch is not None:
                return epoch
            await asyncio.sleep(self._times.retry * random.uniform(0.8, 1.2))  # noqa: S311 - spreads candidates, hides nothing

    async def _try_to_win(self) -> int | None:
        began = time.monotonic()
        lease = await self._client.get(*self._place, timeout=self._request_timeout)
        if lease is not None and self._is_held(lease):
            return None
        lowest = await self._floor() if self._floor is not None else 0
        if lease is None:
            epoch = lowest
            self._lease = await self._client.create(LEASES, self._place[1], self._body(None, epoch))
        else:
            epoch = max(int(lease["spec"].get("leaseTransitions") or 0) + 1, lowest)
            self._lease = await self._client.replace(
                *self._place, self._body(lease, epoch), timeout=self._request_timeout
            )
        self.predecessor = str((lease or {"spec": {}})["spec"].get("holderIdentity") or "")
        self._renewed_at = began
        return epoch

    def _is_held(self, lease: Body) -> bool:
        """Whether somebody holds it: seen to change, by our clock, less than its duration ago."""
        spec = lease.get("spec") or {}
        state = tuple(spec.get(key) for key in ("holderIdentity", "acquireTime", "renewTime", "leaseTransitions"))
        if state != self._seen:
            self._seen, self._seen_at = state, time.monotonic()
        holder = str(spec.get("holderIdentity") or "")
        if not holder or holder.rpartition("_")[0] == self._name:
            return False
        lasts = max(float(spec.get("leaseDurationSeconds") or 0), self._times.duration)
        return time.monotonic() < self._seen_at + lasts

    async def _serve(self, lead: Lead, epoch: int) -> bool:
        """Lead until the work ends (True) or the Lease is lost (False)."""
        self._lead_begins(epoch)
        work: asyncio.Future[None] = asyncio.ensure_future(lead(epoch))
        renewal = asyncio.create_task(self._keep(), name="lease renewal")
        try:
            await asyncio.wait([work, renewal], return_when=asyncio.FIRST_COMPLETED)
            ended = work.done()
            if ended:
                await work
            return ended
        finally:
            await _end(renewal, self._times.retry)
            stopped = await _end(work, (self._times.duration - self._times.renew_deadline) * 0.8)
            self._lead_ends()
            if not stopped:
                raise StillWorking(f"the work of epoch {epoch} goes on although {self.identity} no longer leads")
            await self._release()

    async def _keep(self) -> None:
        """Renew until that has failed for too long, or somebody else holds the Lease."""
        while True:
            await asyncio.sleep(min(self._times.retry, max(0.0, self._left())))
            left = self._left()
            if left <= 0:
                log.error("the Lease could not be renewed for %g s: leading ends", self._times.renew_deadline)
                return
            try:
                async with asyncio.timeout(left):
                    renewed = await self._renew()
            except TimeoutError:
                continue
            except (Conflict, Unavailable, Refused) as problem:
                log.warning("the Lease was not renewed: %s", problem)
                continue
            if not renewed:
                log.error("the Lease has another holder: leading ends")
                return

    def _left(self) -> float:
        """Seconds until leading must end, unless the Lease is renewed."""
        return self._renewed_at + self._times.renew_deadline - time.monotonic()

    async def _renew(self) -> bool:
        began = time.monotonic()
        lease = self._lease
        if lease is None:
            lease = await self._client.get(*self._place, timeout=self._request_timeout)
            if lease is None or lease["spec"].get("holderIdentity") != self.identity:
                return False
        self._lease = None
        self._lease = await self._client.replace(
            *self._place, self._body(lease, int(lease["spec"]["leaseTransitions"])), timeout=self._request_timeout
        )
        self._renewed_at = began
        return True

    async def _release(self) -> None:
        """Let others lead at once. Failing to only costs them the rest of the Lease's time."""
        with contextlib.suppress(Conflict, Unavailable, Refused, TimeoutError):
            async with asyncio.timeout(self._times.retry):
                lease = await self._client.get(*self._place)
                if lease is None or lease["spec"].get("holderIdentity") != self.identity:
                    return
                body = self._body(lease, int(lease["spec"]["leaseTransitions"]))
                body["spec"] |= {"holderIdentity": "", "leaseDurationSeconds": 1}
                await self._client.replace(*self._place, body)

    def _body(self, lease: Body | None, epoch: int) -> Body:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        mine = lease is not None and lease["spec"].get("holderIdentity") == self.identity
        spec = {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": math.ceil(self._times.duration),
            "acquireTime": lease["spec"].get("acquireTime") if lease is not None and mine else now,
            "renewTime": now,
            "leaseTransitions": epoch,
        }
        metadata = {"namespace": self._place[1], "name": self._place[2]}
        return with_type(LEASES, {"metadata": lease["metadata"] if lease is not None else metadata, "spec": spec})

    @property
    def _request_timeout(self) -> float:
        return self._times.renew_deadline / 2

    def _lead_begins(self, epoch: int) -> None:
        self.leads = True
        log.info("%s leads, epoch %d", self.identity, epoch)
        self._changed(True)

    def _lead_ends(self) -> None:
        self.leads = False
        log.info("%s leads no more", self.identity)
        self._changed(False)


async def _end(task: asyncio.Future[None], seconds: float) -> bool:
    """Cancel a task and wait for its end; returns whether it ended in time."""
    if not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=seconds)
    if task.done() and not task.cancelled():
        task.exception()  # whoever awaits it has it; asked for here, so that asyncio does not call it unheard
    return task.done()
