"""The port `Records` over AuditRecord objects: creating the object named by the next index is a compare-and-swap on the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

from feem.adapters.kubernetes.client import Client, with_type
from feem.adapters.kubernetes.errors import AlreadyExists
from feem.adapters.kubernetes.resources import RECORDS
from feem.api.audit import AuditSpec
from feem.core.audit.record import name_of
from feem.ports import Body, Stored, Taken

log = logging.getLogger(__name__)

OPEN_FROM = "feem.dev/open-from"
"""Annotation on a record: the lowest index whose intent was still open once it was written, so that a start reads from there."""
AHEAD = 16
"""How many places behind the head are looked at, so that a hole in the log is not taken for its end."""
FEW = 2_000
"""Up to so many entries are read one by one; more are read by listing the log."""
AT_ONCE = 50
"""Reads and deletions that are under way together."""
NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


class KubernetesRecords:
    """The embedded store: the log lives beside what it is about, and needs nothing else."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def head(self) -> Stored | None:
        """Return the last entry; see `feem.ports.Records`."""
        body = await self._find_head()
        return None if body is None else Stored(AuditSpec.model_validate(body["spec"]), _open_from(body))

    async def read(self, index: int) -> AuditSpec | None:
        """Return the entry at an index."""
        body = await self._body_at(index)
        return None if body is None else AuditSpec.model_validate(body["spec"])

    async def put(self, record: AuditSpec, open_from: int) -> None:
        """Create the object of the next index."""
        metadata = {"name": name_of(record.index), "annotations": {OPEN_FROM: str(open_from)}}
        body = with_type(RECORDS, {"metadata": metadata, "spec": record.wire()})
        try:
            await self._client.create(RECORDS, "", body)
        except AlreadyExists as there:
            raise Taken(f"AuditRecord {name_of(record.index)} exists") from there

    async def since(self, first: int, until: int | None = None) -> AsyncIterator[AuditSpec]:
        """Read a few entries one by one, many by listing."""
        end = await self._end() if until is None else until
        if end - first > FEW:
            async for name, spec in self.entries():
                if first <= int(name) < end:
                    yield AuditSpec.model_validate(spec)
            return
        for start in range(first, end, AT_ONCE):
            block = range(start, min(start + AT_ONCE, end))
            for record in await asyncio.gather(*(self.read(index) for index in block)):
                if record is not None:
                    yield record

    async def prune(self, before: int) -> int:
        """Delete the objects below an index, oldest first."""
        gone = 0
        async for page in self._client.pages(RECORDS, limit=AT_ONCE, accept=NAMES_ONLY):
            found = [item["metadata"] for item in page.get("items") or () if int(item["metadata"]["name"]) < before]
            await asyncio.gather(*(self._client.delete(RECORDS, "", meta["name"], uid=meta["uid"]) for meta in found))
            gone += len(found)
            if len(found) < len(page.get("items") or ()):
                break
        return gone

    async def entries(self) -> AsyncIterator[tuple[str, Any]]:
        """Return the whole log in order, as (object name, `spec` as stored)."""
        async for page in self._client.pages(RECORDS):
            for item in page.get("items") or ():
                yield item["metadata"]["name"], item.get("spec")

    async def _end(self) -> int:
        head = await self._find_head()
        return 0 if head is None else int(head["spec"]["index"]) + 1

    async def _find_head(self) -> Body | None:
        """Return the last object.

        A few requests whatever the length, as long as the log has few holes: the first name and the count tell where the head was,
        and it is the last one from there on. Otherwise all names are listed.
        """
        first, count = await self._first_and_count()
        if first is None:
            return None
        guess = first + count - 1
        found = await asyncio.gather(*(self._body_at(index) for index in range(guess, guess + 1 + AHEAD)))
        if found[0] is not None and found[-1] is None:
            return next(body for body in reversed(found) if body is not None)
        log.warning("the head of the audit log is not near entry %d (has it holes?): listing all names", guess)
        return await self._last_listed()

    async def _body_at(self, index: int) -> Body | None:
        return await self._client.get(RECORDS, "", name_of(index))

    async def _first_and_count(self) -> tuple[int | None, int]:
        async for page in self._client.pages(RECORDS, limit=1, accept=NAMES_ONLY):
            items: Sequence[Body] = page.get("items") or ()
            if items and items[0]["metadata"]["name"].isdigit():
                return int(items[0]["metadata"]["name"]), 1 + int(page["metadata"].get("remainingItemCount") or 0)
            break
        return None, 0

    async def _last_listed(self) -> Body | None:
        last = -1
        async for page in self._client.pages(RECORDS, limit=5000, accept=NAMES_ONLY):
            names = [item["metadata"]["name"] for item in page.get("items") or ()]
            last = max([last, *(int(name) for name in names if name.isdigit())])
        return await self._body_at(last) if last >= 0 else None


def _open_from(head: Body) -> int | None:
    text = (head["metadata"].get("annotations") or {}).get(OPEN_FROM, "")
    return int(text) if text.isdigit() and int(text) <= int(head["spec"]["index"]) else None
