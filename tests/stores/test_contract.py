"""What every store of the audit log promises (`feem.ports.Records`)."""

from __future__ import annotations

import asyncio
import tracemalloc
from itertools import pairwise

import pytest

from feem.adapters.audit.directory import DirectoryRecords
from feem.api.audit import AuditSpec
from feem.core.audit.entry import entry_bytes
from feem.ports import Forked, Records, Taken, Unavailable
from tests.stores.chain import all_since, chain, check_chain, follow, long_chain, put
from tests.stores.conftest import RolledBack
from tests.stores.places import Place
from tests.stores.writer import context, start, write, write_at_once

EACH = 200
"""Entries of each of two writers."""


async def last(records: Records) -> AuditSpec | None:
    stored = await records.head()
    return None if stored is None else stored.record


def after(head: AuditSpec | None) -> int:
    return 0 if head is None else head.index + 1


def epoch_of(head: AuditSpec | None) -> int:
    return 0 if head is None else head.epoch


async def test_what_is_put_is_read(records: Records) -> None:
    head = await last(records)
    epoch = epoch_of(head)
    entries = [follow(head, "Überweisung \\ “x” \u2028 \U0001f4b6 \x01", epoch=epoch)]
    entries += chain(4, entries[0], epoch=epoch)
    await put(records, entries)
    assert await last(records) == entries[-1]
    assert [await records.read(entry.index) for entry in entries] == entries
    assert await records.read(entries[-1].index + 1) is None
    assert await all_since(records, entries[0].index) == entries


async def test_the_head_says_from_where_intents_are_open(records: Records) -> None:
    head = await last(records)
    record = follow(head, epoch=epoch_of(head))
    await records.put(record, max(0, record.index - 1))
    stored = await records.head()
    assert stored is not None
    assert (stored.record, stored.open_from) == (record, max(0, record.index - 1))


async def test_another_hand_goes_on_where_the_first_ended(place: Place, records: Records) -> None:
    head = await last(records)
    epoch = epoch_of(head)
    entries = list(chain(6, head, epoch=epoch))
    await put(records, entries[:3])
    other = await place.open()
    assert await last(other) == entries[2]
    await put(other, entries[3:5])
    await put(records, entries[5:])
    assert await all_since(await place.open(), after(head)) == entries


async def test_an_index_is_taken_once(place: Place, records: Records) -> None:
    head = await last(records)
    epoch = epoch_of(head)
    first, second = follow(head, "first", epoch=epoch), follow(head, "second", epoch=epoch)
    await records.put(first, first.index)
    for hand in (records, await place.open()):
        for again in (first, second):
            with pytest.raises(Taken):
                await hand.put(again, again.index)
    assert await records.read(first.index) == first
    assert await last(records) == first


async def test_parts_of_the_log(records: Records) -> None:
    head = await last(records)
    start_ = after(head)
    entries = list(chain(60, head, epoch=epoch_of(head)))
    await put(records, entries)
    assert await all_since(records, start_ + 10, start_ + 20) == entries[10:20]
    assert await all_since(records, start_ + 59) == entries[59:]
    assert await all_since(records, start_ + 50, start_ + 10_000) == entries[50:]
    assert await all_since(records, start_ + 60) == []
    assert await all_since(records, start_ + 20, start_ + 20) == []


async def test_no_gap_and_no_other_past(place: Place, records: Records) -> None:
    if not place.orders:
        pytest.skip("the ledger, which never leaves one out, sees to it; here it would cost a request for each entry")
    entries = list(chain(4))
    with pytest.raises(Unavailable, match="does not follow"):
        await records.put(entries[1], 1)
    await put(records, entries[:2])
    with pytest.raises(Unavailable, match="does not follow"):
        await records.put(entries[3], 3)
    with pytest.raises(Unavailable, match="does not follow"):
        await records.put(follow(follow(entries[0], "another past")), 2)
    assert await all_since(records) == entries[:2]
    await records.put(entries[2], 2)


async def test_an_old_leader_is_fenced_off(place: Place, records: Records) -> None:
    if not place.orders:
        pytest.skip("the ledger sees to it: an entry of the new leader stands where the old one wants to write")
    old = list(chain(2, epoch=4))
    new = follow(old[-1], epoch=7)
    await put(records, [*old, new])
    with pytest.raises(Taken, match="epoch 7 has written, 4 is over"):
        await records.put(follow(new, epoch=4), 3)
    await (await place.open()).put(follow(new, epoch=7), 3)


async def test_two_writers_leave_no_gap_and_no_duplicate(place: Place, records: Records) -> None:
    head = await last(records)
    if place.opening is None:
        hands = [(name, await place.open()) for name in ("one", "two")]
        await asyncio.gather(*(write(hand, EACH, name) for name, hand in hands))
    else:
        await records.head()
        ready = context().Barrier(2)
        processes = [start(write_at_once, place.opening, EACH, name, ready) for name in ("one", "two")]
        for process in processes:
            await asyncio.to_thread(process.join, 120)
            assert process.exitcode == 0
    entries = await all_since(records, after(head))
    check_chain(entries, head)
    writers = [entry.message.split()[0] for entry in entries]
    assert sum(one != two for one, two in pairwise(writers)) > EACH // 20, "they hardly met"
    said = sorted(entry.message for entry in entries if entry.message.split()[0] in ("one", "two"))
    assert said == sorted(f"{name} {number}" for name in ("one", "two") for number in range(EACH))


async def test_an_old_backup_is_an_older_head(place: Place, rolled_back: RolledBack) -> None:
    """What the publisher refuses to sign, since the published checkpoint and the witnesses know more."""
    if place.shared:
        pytest.skip("others write there, too")
    kept, lost = await rolled_back(place)
    records = await place.open()
    assert await last(records) == kept[-1]
    assert await all_since(records) == kept
    assert await records.read(lost[0].index) is None
    if place.orders:
        with pytest.raises(Unavailable, match="does not follow"):
            await records.put(follow(lost[-1]), lost[-1].index + 1)
    await records.put(follow(kept[-1], "another future"), kept[-1].index + 1)
    check_chain(await all_since(records))


async def test_a_publication_notices_an_old_backup(place: Place, rolled_back: RolledBack, tmp_path: object) -> None:
    if place.shared:
        pytest.skip("others write there, too")
    kept, lost = await rolled_back(place)
    published = DirectoryRecords(f"{tmp_path}/published")
    await published.extend(0, [entry_bytes(entry) for entry in (*kept, *lost)])
    records = await place.open()
    size, _ = await published.tip()
    assert size == len(kept) + len(lost)
    await published.extend(0, [entry_bytes(entry) async for entry in records.since(0)])
    await records.put(follow(kept[-1], "another future"), len(kept))
    with pytest.raises(Forked, match=f"entry {len(kept)} differs"):
        await published.extend(0, [entry_bytes(entry) async for entry in records.since(0)])


async def test_reading_a_long_log_needs_little_memory(place: Place, records: Records) -> None:
    if place.shared:
        pytest.skip("others write there, too")
    wanted = long_chain()
    await place.fill(wanted)
    assert await records.read(len(wanted) // 2) == wanted[len(wanted) // 2]
    count, previous = 0, ""
    tracemalloc.start()
    try:
        async for entry in records.since(0):
            assert (entry.index, entry.previous) == (count, previous)
            count, previous = count + 1, entry.digest
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == len(wanted)
    assert peak < 8_000_000, f"{peak} bytes; all entries would take some {len(wanted) * 3_000}"


async def test_pruning_keeps_the_rest(place: Place, records: Records) -> None:
    if place.shared:
        pytest.skip("others write there, too")
    entries = long_chain()[:500]
    await place.fill(entries)
    if not place.prunes:
        assert await records.prune(400) == 0
        assert await all_since(records) == list(entries)
        return
    assert await records.prune(400) == 400
    assert await records.prune(400) == 0
    assert await records.read(399) is None
    for first in (0, 300, 400):
        assert await all_since(records, first) == list(entries[400:])
    assert await all_since(records, 0, 350) == []
    assert await last(await place.open()) == entries[-1]
    with pytest.raises(Taken):
        await records.put(entries[-1], 0)
    await records.put(follow(entries[-1]), 500)
