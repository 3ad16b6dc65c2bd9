"""Reading the audit log from the API server: its head, its open intents, all of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.resources import RECORDS
from feem.api.audit import AuditSpec, Part
from feem.core.audit.record import name_of
from feem.ports import Body

log = logging.getLogger(__name__)

OPEN_FROM = "feem.dev/open-from"
"""Annotation on a record: the lowest index whose intent was still open once it was written, so that a start reads from there."""
AHEAD = 16
"""How many places behind the head are looked at, so that a hole in the log is not taken for its end."""
FEW = 2_000
"""Up to so many entries are read one by one; more are read by listing the log."""
NAMES_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"


async def entries(client: Client) -> AsyncIterator[tuple[str, Any]]:
    """Return the whole log in order, as (object name, `spec` as stored)."""
    async for page in client.pages(RECORDS):
        for item in page.get("items") or ():
            yield item["metadata"]["name"], item.get("spec")


async def lowest_free_epoch(client: Client) -> int:
    """Return the lowest fencing epoch the log allows: 0 when it is empty, else one more than its head's."""
    head = await find_head(client)
    return 0 if head is None else int(head["spec"]["epoch"]) + 1


async def find_head(client: Client) -> Body | None:
    """Return the last record, None when there is none.

    A few requests whatever the length, as long as the log has no holes: the first name and the count tell where the head is.
    Otherwise all names are listed.
    """
    first, count = await _first_and_count(client)
    if first is None:
        return None
    guess = first + count - 1
    found = await asyncio.gather(*(read(client, index) for index in range(guess, guess + 1 + AHEAD)))
    if found[0] is not None and not any(found[1:]):
        return found[0]
    log.warning("the audit log has holes or is being written to: looking for its head by listing all names")
    return await _last_listed(client)


async def open_intents(client: Client, head: Body) -> list[AuditSpec]:
    """Return the intents without an outcome, oldest first."""
    last = int(head["spec"]["index"])
    start = _open_from(head)
    if start is not None and last - start <= FEW:
        found = await asyncio.gather(*(read(client, index) for index in range(start, last)))
        return unsettled([*(body["spec"] for body in found if body is not None), head["spec"]])
    return unsettled([spec async for _, spec in entries(client)])


def unsettled(specs: Iterable[Any]) -> list[AuditSpec]:
    """Return the intents among these entries that none of them is the outcome of."""
    waiting: dict[int, Any] = {}
    for spec in specs:
        if spec["part"] == Part.INTENT:
            waiting[spec["index"]] = spec
        elif spec["part"] == Part.OUTCOME:
            waiting.pop(spec.get("intent"), None)
    return [AuditSpec.model_validate(spec) for spec in waiting.values()]


async def read(client: Client, index: int) -> Body | None:
    """Return the record at an index, None when there is none."""
    return await client.get(RECORDS, "", name_of(index))


async def _first_and_count(client: Client) -> tuple[int | None, int]:
    async for page in client.pages(RECORDS, limit=1, accept=NAMES_ONLY):
        items: Sequence[Body] = page.get("items") or ()
        if items and items[0]["metadata"]["name"].isdigit():
            return int(items[0]["metadata"]["name"]), 1 + int(page["metadata"].get("remainingItemCount") or 0)
        break
    return None, 0


async def _last_listed(client: Client) -> Body | None:
    last = -1
    async for page in client.pages(RECORDS, limit=5000, accept=NAMES_ONLY):
        names = [item["metadata"]["name"] for item in page.get("items") or ()]
        last = max([last, *(int(name) for name in names if name.isdigit())])
    return await read(client, last) if last >= 0 else None


def _open_from(head: Body) -> int | None:
    text = (head["metadata"].get("annotations") or {}).get(OPEN_FROM, "")
    return int(text) if text.isdigit() and int(text) <= int(head["spec"]["index"]) else None
