"""A directory whose volume is full, whose files may grow no more, or which may not be written, says so and stays as it was."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from feem.adapters.audit.directory import DirectoryRecords
from feem.core.audit.entry import entry_bytes
from feem.ports import Unavailable
from tests.stores.chain import all_since, chain, check_chain, follow
from tests.stores.crashes import append_with_little_room
from tests.stores.layout import files, there
from tests.stores.mounts import enlarge, small
from tests.stores.test_directory import note
from tests.stores.writer import context, start


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    """A volume of 256 KiB."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small volume needs root")
    folder = tmp_path / "volume"
    folder.mkdir()
    with small(folder, "256k"):
        yield folder


async def test_one_by_one_until_the_volume_is_full(volume: Path) -> None:
    records = DirectoryRecords(volume / "audit")
    entry = follow(None)
    problem = ""
    while not problem:
        try:
            await records.put(entry, entry.index)
        except Unavailable as full:
            problem = str(full)
        else:
            entry = follow(entry)
    assert f"audit directory {volume / 'audit'}: No space left on device" in problem
    assert "add space to its volume" in problem
    assert entry.index > 100
    await still_whole(volume / "audit", entry.index)
    with pytest.raises(Unavailable, match="No space left"):
        await records.put(entry, entry.index)
    await still_whole(volume / "audit", entry.index)
    enlarge(volume, "4m")
    await records.put(entry, entry.index)
    await still_whole(volume / "audit", entry.index + 1)


async def test_a_batch_that_does_not_fit_leaves_nothing(volume: Path) -> None:
    records = DirectoryRecords(volume)
    data = [entry_bytes(entry) for entry in chain(2_000)]
    await records.extend(0, data[:100])
    with pytest.raises(Unavailable, match="No space left"):
        await records.extend(100, data[100:])
    await still_whole(volume, 100)
    await records.extend(100, data[100:200])
    await still_whole(volume, 200)


async def test_a_checkpoint_on_a_full_volume_stays_the_old_one(volume: Path) -> None:
    records = DirectoryRecords(volume)
    await records.extend(0, [entry_bytes(entry) for entry in chain(20)])
    fill_up(volume / "other")
    with pytest.raises(Unavailable, match="No space left"):
        await records.publish(note(20), "")
    assert await records.tip() == (20, None)
    (volume / "other").unlink()
    await records.publish(note(20), "")


async def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """RLIMIT_FSIZE, as a service's limits set it: a write is cut off in the middle of a file."""
    hears, says = context().Pipe(duplex=False)
    process = start(append_with_little_room, str(tmp_path), 20_000, says)
    says.close()
    size, problem = await asyncio.to_thread(hears.recv)
    process.join(30)
    assert "File too large" in problem
    assert "ulimit -f" in problem
    assert size > 20
    await still_whole(tmp_path, size)
    *_, last = await all_since(DirectoryRecords(tmp_path))
    await DirectoryRecords(tmp_path).put(follow(last), size)
    await still_whole(tmp_path, size + 1)


async def test_a_volume_that_became_read_only(volume: Path) -> None:
    records = DirectoryRecords(volume)
    entries = list(chain(2))
    await records.put(entries[0], 0)
    enlarge(volume, "256k,ro")
    with pytest.raises(Unavailable, match=r"Read-only file system.*mount its volume writable"):
        await records.put(entries[1], 1)
    assert await records.read(0) == entries[0]


def fill_up(path: Path) -> None:
    """Leave no byte free on a file's volume."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


async def still_whole(root: Path, size: int) -> None:
    """Fail unless the log has this size, and the directory exactly its files."""
    entries = await all_since(DirectoryRecords(root))
    check_chain(entries)
    assert len(entries) == size
    assert there(root) == files([entry_bytes(entry) for entry in entries])
    assert not (root / ".new").exists()
