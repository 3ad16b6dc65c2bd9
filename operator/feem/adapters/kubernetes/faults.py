"""Puts faults in place and takes them back: JSON patches that test, in the same request, what they were decided on.

The reaper uses the same undo, so nothing here needs more than a client.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping, Sequence
from typing import Any

from feem.adapters.kubernetes.client import Client, with_type
from feem.adapters.kubernetes.errors import AlreadyExists
from feem.adapters.kubernetes.resources import DEPLOYMENTS
from feem.adapters.kubernetes.writer import Writer
from feem.core.chaos.acts import InjectFault, UndoFault
from feem.core.chaos.edit import ANNOTATION, Change, Edit, Make, Mark, MarkUnreadable, Remove, Tag, Target, mark_of
from feem.core.chaos.undo import Delete, Restore, Taken, injection, subresource_of, undo
from feem.ports import Body, Conflict, Refused

MOST_TRIES = 3
"""How often an object is read again that was written to between our read and our write."""
AT_ONCE = 16
"""Objects a fault is taken off at the same time: a fault on a hundred pods shall be gone within seconds, and the API server stay quick."""


async def inject(writer: Writer, effect: InjectFault) -> None:
    """Make the edits; one that is made already stays. Raises Refused when an object is not what the fault was planned on."""
    for edit in effect.edits:
        await _inject(writer, edit, effect.marked(edit))


async def take_back(writer: Writer, effect: UndoFault) -> None:
    """Take a run's fault off its objects; what others changed stays, and an object that is gone needs nothing.

    Every object is tried, also when another one's undo fails. Raises a problem that may pass (Conflict, Unavailable) before
    one that does not (Refused).
    """

    async def one(target: Target) -> None:
        written = await taken_back(writer.client, target, effect.run_uid)
        if written is not None:
            _remember(writer, target, written)

    problems: list[BaseException] = []
    for first in range(0, len(effect.targets), AT_ONCE):
        block = effect.targets[first : first + AT_ONCE]
        outcomes = await asyncio.gather(*(one(target) for target in block), return_exceptions=True)
        problems += [outcome for outcome in outcomes if outcome is not None]
    if problems:
        raise min(problems, key=lambda problem: isinstance(problem, Refused))


async def taken_back(client: Client, target: Target, run_uid: str | None) -> Body | None:
    """Take a fault off one object, whosoever it is when `run_uid` is None; returns the object where it was patched.

    Raises Refused for a mark that cannot be read, so that nobody believes it is gone.
    """
    for attempt in range(MOST_TRIES):
        body = await client.get(target.resource, target.namespace, target.name)
        if body is None:
            return None
        try:
            return await _undone(client, target, body, run_uid)
        except Conflict:
            if attempt == MOST_TRIES - 1:
                raise
    return None


async def _undone(client: Client, target: Target, body: Body, run_uid: str | None) -> Body | None:
    place = (target.resource, target.namespace, target.name)
    try:
        way, subresource = undo(body, run_uid), subresource_of(body)
    except MarkUnreadable as problem:
        raise Refused(f"{problem}: put right what the fault changed by hand, then remove the annotation") from problem
    if isinstance(way, Delete):
        await client.delete(*place, uid=body["metadata"]["uid"])
        return None
    if not isinstance(way, Restore):
        return None
    if way.values:
        body = await client.patch(*place, way.values, subresource=subresource)
        # the values are back, and whose they are can be seen: now the mark goes
        return await _undone(client, target, body, run_uid)
    return await client.patch(*place, way.mark)


async def _inject(writer: Writer, edit: Edit, mark: Mark) -> None:
    client, target = writer.client, edit.target
    if isinstance(edit, Remove):
        await _remove(client, edit)
        return
    if isinstance(edit, Make):
        await _make(client, edit, mark)
        return
    for attempt in range(MOST_TRIES):
        body = await client.get(target.resource, target.namespace, target.name)
        if body is None:
            raise Refused(f"{target} is gone")
        try:
            await _mark_and_change(writer, edit, body, mark)
        except Taken as taken:
            raise Refused(str(taken)) from taken
        except MarkUnreadable as problem:
            raise Refused(str(problem)) from problem
        except Conflict:
            if attempt == MOST_TRIES - 1:
                raise
        else:
            return


async def _mark_and_change(writer: Writer, edit: Change | Tag, body: Body, mark: Mark) -> None:
    target, client = edit.target, writer.client
    place = (target.resource, target.namespace, target.name)
    marking, values = injection(body, edit, mark)
    subresource = edit.subresource if isinstance(edit, Change) else ""
    parts: Sequence[tuple[Sequence[Mapping[str, Any]], str]]
    parts = ((marking, ""), (values, subresource)) if subresource else (((*marking, *values), ""),)
    for operations, where in parts:
        if operations:
            _remember(writer, target, await client.patch(*place, [dict(one) for one in operations], subresource=where))


async def _make(client: Client, edit: Make, mark: Mark) -> None:
    """Create the object with its mark; one of this name with our mark is the same object."""
    body, target = copy.deepcopy(dict(edit.body)), edit.target
    metadata = body["metadata"]
    metadata["labels"] = {**(metadata.get("labels") or {}), **mark.labels}
    metadata["annotations"] = {**(metadata.get("annotations") or {}), ANNOTATION: mark.text()}
    try:
        await client.create(target.resource, target.namespace, with_type(target.resource, body))
    except AlreadyExists as exists:
        there = await client.get(target.resource, target.namespace, target.name)
        try:
            carried = mark_of(there) if there is not None else None
        except MarkUnreadable as problem:
            raise Refused(str(problem)) from problem
        if carried is None or carried.run_uid != mark.run_uid:
            raise Refused(f"{target} exists, and is not this run's") from exists


async def _remove(client: Client, edit: Remove) -> None:
    target = edit.target
    try:
        if edit.evict:
            await client.evict(target.namespace, target.name, uid=target.uid, grace_seconds=edit.grace_seconds)
        else:
            await client.delete(
                target.resource, target.namespace, target.name, uid=target.uid, grace_seconds=edit.grace_seconds
            )
    except Conflict:
        return  # another pod of this name: the one that was meant is gone


def _remember(writer: Writer, target: Target, written: Body) -> None:
    """Deployments are watched: the local copy has to know what was written."""
    if target.resource == DEPLOYMENTS:
        writer.know(target.resource, written)
