"""The directory is exactly what c2sp.org/tlog-tiles describes, at every size, whatever was published in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from feem.adapters.audit.directory import DirectoryRecords
from feem.adapters.audit.disk import changing
from feem.core.audit.entry import entry_bytes
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.note import Note, Signature
from feem.ports import Forked, Unavailable
from tests.stores.chain import chain, follow
from tests.stores.layout import files, leaf, there, tree_hash

ENTRIES = list(chain(700))
BYTES = [entry_bytes(entry) for entry in ENTRIES]
LEAVES = [leaf(entry) for entry in BYTES]


def note(size: int, root: bytes | None = None) -> str:
    """A checkpoint; who signed it is not the directory's business."""
    text = Checkpoint("feem.dev/audit/test", size, tree_hash(LEAVES[:size]) if root is None else root).text()
    return Note(text, (Signature("feem.dev/audit/test", b"\0\0\0\1", b"\1" * 64),)).wire()


async def of_size(root: Path, size: int) -> DirectoryRecords:
    records = DirectoryRecords(root)
    await records.extend(0, BYTES[:size])
    return records


def names(root: Path) -> set[str]:
    return {path.name for path in root.iterdir()}


async def test_every_size_up_to_600_one_by_one(tmp_path: Path) -> None:
    records = DirectoryRecords(tmp_path)
    for size, entry in enumerate(ENTRIES[:600], 1):
        await records.put(entry, entry.index)
        if size < 4 or size % 256 < 3 or size % 256 > 253 or size % 37 == 0:
            assert there(tmp_path) == files(BYTES[:size]), size
        else:
            assert {path.name for path in (tmp_path / f"tile/0/{size // 256:03d}.p").iterdir()} == {str(size % 256)}
    assert [*records.leaf_hashes()] == LEAVES[:600]
    assert names(tmp_path) == {".head.json", ".lock", "tile"}


@pytest.mark.parametrize("step", [1, 3, 255, 256, 257, 300, 512, 600])
async def test_batches_make_the_same_files(tmp_path: Path, step: int) -> None:
    records = DirectoryRecords(tmp_path)
    first = 500 if step == 1 else 240 if step == 3 else 0
    await records.extend(0, BYTES[:first])
    for start in range(first, 600, step):
        await records.extend(start, BYTES[start : min(start + step, 600)])
        assert there(tmp_path) == files(BYTES[: min(start + step, 600)])


async def test_the_second_level(tmp_path: Path) -> None:
    """65,536 entries fill 256 tiles and the tile above them."""
    step = 13_001
    entries = [b"%d" % index for index in range(65_700)]
    for index in {*range(step - 1, 65_700, step), 65_699}:  # of a batch, the last is looked at
        entries[index] = entry_bytes(ENTRIES[1].model_copy(update={"index": index}))
    records = DirectoryRecords(tmp_path)
    for start in range(0, 65_700, step):
        await records.extend(start, entries[start : start + step])
    assert there(tmp_path) == files(entries)
    assert "tile/2/000.p/1" in there(tmp_path)


async def test_what_a_published_checkpoint_needs_stays(tmp_path: Path) -> None:
    records = await of_size(tmp_path, 250)
    await records.publish(note(250), "a key\n")
    for entry in ENTRIES[250:270]:
        await records.put(entry, entry.index)
        assert files(BYTES[:250]).items() <= there(tmp_path).items()
    assert set(there(tmp_path)) == {*files(BYTES[:250]), *files(BYTES[:270])}
    await records.publish(note(270), "another key\n")
    assert there(tmp_path) == files(BYTES[:270])
    assert (tmp_path / "keys.txt").read_text() == "another key\n"
    assert await records.tip() == (270, note(270))


async def test_a_partial_tile_that_was_published_stays_until_it_is_full(tmp_path: Path) -> None:
    records = await of_size(tmp_path, 5)
    await records.publish(note(5), "")
    await records.extend(5, BYTES[5:9])
    await records.publish(note(9), "")
    assert set(there(tmp_path)) == {*files(BYTES[:5]), *files(BYTES[:9])}
    await records.extend(9, BYTES[9:256])
    assert set(there(tmp_path)) == {*files(BYTES[:9]), *files(BYTES[:256])}


async def test_a_checkpoint_of_an_earlier_size_gets_its_tiles_back(tmp_path: Path) -> None:
    records = await of_size(tmp_path, 40)
    await records.extend(40, BYTES[40:300])
    assert "tile/0/000.p/40" not in there(tmp_path)
    await records.publish(note(40), "")
    assert files(BYTES[:40]).items() <= there(tmp_path).items()
    assert set(there(tmp_path)) == {*files(BYTES[:40]), *files(BYTES[:300])}


async def test_checkpoints_never_go_back_nor_ahead(tmp_path: Path) -> None:
    records = await of_size(tmp_path, 40)
    await records.publish(note(40), "")
    await records.publish(note(40), "")
    for size in (39, 41):
        with pytest.raises(Unavailable, match=f"checkpoint of {size} entries"):
            await records.publish(note(size), "")
    with pytest.raises(Forked, match="root over 40 entries"):
        await records.publish(note(40, b"\7" * 32), "")
    with pytest.raises(Unavailable, match="no checkpoint"):
        await records.publish("hello\n", "")
    assert await records.tip() == (40, note(40))


async def test_copies_must_be_the_same_and_leave_no_gap(tmp_path: Path) -> None:
    records = await of_size(tmp_path, 300)
    await records.extend(250, BYTES[250:310])
    await records.extend(310, [])
    other = entry_bytes(follow(ENTRIES[99], "another history"))
    with pytest.raises(Forked, match="entry 100 differs"):
        await records.extend(90, [*BYTES[90:100], other, *BYTES[101:400]])
    with pytest.raises(Unavailable, match="leave a gap after 310"):
        await records.extend(311, BYTES[311:312])
    with pytest.raises(ValueError, match="entry 310 says that it is entry 311"):
        await records.extend(310, BYTES[311:312])
    with pytest.raises(ValueError, match="entry 311 is no audit record"):
        await records.extend(310, [BYTES[310], b"{}"])
    assert there(tmp_path) == files(BYTES[:310])
    assert [entry async for entry in records.entries(305)] == BYTES[305:310]


async def test_what_others_changed_is_named_and_not_written_over(tmp_path: Path) -> None:
    records = await of_size(tmp_path, 20)
    bundle = tmp_path / "tile/entries/000.p/20"
    whole = bundle.read_bytes()
    bundle.write_bytes(whole.replace(b"seen", b"sean", 1))
    with pytest.raises(Unavailable, match=r"tile/entries/000.p/20 has other entries"):
        await records.put(ENTRIES[20], 20)
    bundle.write_bytes(whole[:-1])
    with pytest.raises(Unavailable, match="ends within entry 19"):
        await records.read(3)
    bundle.unlink()
    with pytest.raises(Unavailable, match="is missing"):
        await records.head()
    bundle.write_bytes(whole)
    await records.put(ENTRIES[20], 20)
    (tmp_path / ".head.json").write_text("{")
    with pytest.raises(Unavailable, match=r"\.head\.json cannot be read"):
        await records.tip()


async def test_a_head_older_than_the_checkpoint_stops_the_log(tmp_path: Path) -> None:
    records = await of_size(tmp_path, 20)
    old = (tmp_path / ".head.json").read_bytes()
    await records.extend(20, BYTES[20:30])
    await records.publish(note(30), "")
    (tmp_path / ".head.json").write_bytes(old)
    with pytest.raises(Unavailable, match="checkpoint speaks of 30 entries"):
        await records.put(ENTRIES[20], 20)
    (tmp_path / ".head.json").unlink()
    with pytest.raises(Unavailable, match="missing, though a checkpoint is there"):
        await records.head()


async def test_reading_goes_on_while_the_log_grows(tmp_path: Path) -> None:
    """Partial tiles are replaced under the reader's hands."""
    records = await of_size(tmp_path, 10)
    hashes, entries = records.leaf_hashes(), records.entries()
    stale = DirectoryRecords(tmp_path)
    head = stale._folder.head()
    await records.extend(10, BYTES[10:600])
    assert stale._folder.bundle(0, head.size) == BYTES[:10]
    assert stale._folder.hashes(0, 0, head.size) == b"".join(LEAVES[:10])
    assert next(hashes) == LEAVES[0]
    assert await anext(entries) == BYTES[0]


async def test_a_stopped_writer_does_not_hang_the_others(tmp_path: Path) -> None:
    records = DirectoryRecords(tmp_path, patience=0.05)
    with changing(tmp_path, 1), pytest.raises(Unavailable, match=r"another process has held \.lock for 0\.05 s"):
        await records.put(ENTRIES[0], 0)
    await records.put(ENTRIES[0], 0)


async def test_a_lock_file_that_was_deleted_excludes_nobody_twice(tmp_path: Path) -> None:
    records = DirectoryRecords(tmp_path, patience=0.05)
    await records.put(ENTRIES[0], 0)
    (tmp_path / ".lock").unlink()
    await records.put(ENTRIES[1], 1)


async def test_a_volume_that_is_not_mounted(tmp_path: Path) -> None:
    records = DirectoryRecords(tmp_path / "volume" / "audit")
    for attempt in (records.head(), records.put(ENTRIES[0], 0), records.tip()):
        with pytest.raises(Unavailable, match="mount its volume"):
            await attempt
    (tmp_path / "volume").mkdir()
    assert await records.head() is None
    await records.put(ENTRIES[0], 0)


async def test_an_entry_that_is_too_long_is_refused(tmp_path: Path) -> None:
    records = DirectoryRecords(tmp_path)
    wide = follow(None).model_copy(update={"message": "界" * 4096, "effects": ["界" * 512] * 40})
    with pytest.raises(ValueError, match="at most 65535 bytes"):
        await records.put(wide, 0)
    assert await records.head() is None
    assert not (tmp_path / "tile").exists()
