"""A published log, checked from its files: what is accepted, every flipped byte, and memory that does not grow."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from feem.core.audit.published import CHECKPOINT, KEYS, Trust, Verdict, verify_published
from feem.core.audit.verify import Fault
from feem.core.tlog.vkey import parse_keys
from feem.sample.build import Sample

Files = dict[str, bytes]


def published(entries: int) -> tuple[Sample, Files]:
    sample = Sample(entries)
    files = dict(sample.tiles)
    return sample, {**files, CHECKPOINT: sample.note(sample.tree.size).encode(), KEYS: sample.keys.encode()}


def checked(files: Files, sample: Sample, *held: str) -> Verdict:
    return verify_published(files.get, Trust(parse_keys(sample.keys), None, held))


@pytest.fixture(scope="module")
def small() -> tuple[Sample, Files]:
    return published(24)


@pytest.mark.parametrize("entries", [24, 255, 256, 257, 511, 513])
def test_whole_logs_are_accepted(entries: int) -> None:
    sample, files = published(entries)
    verdict = checked(files, sample, sample.note(entries // 2), sample.note(entries))
    assert verdict.ok, verdict.findings
    assert verdict.report is not None
    assert verdict.report.entries == entries


def test_no_flipped_byte_is_accepted(small: tuple[Sample, Files]) -> None:
    sample, files = small
    for name in sorted(set(files) - {KEYS}):
        data = files[name]
        step = 1 if len(data) < 500 else 13
        for place in range(0, len(data), step):
            changed = data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]
            verdict = checked({**files, name: changed}, sample)
            # a line whose name or key id is another one is by an unknown key; the log's own two signatures are always needed
            by_the_witness = name == CHECKPOINT and data[:place].count(b"\xe2\x80\x94") == 3
            assert not verdict.ok or by_the_witness, (name, place)


def entry_of(files: Files, index: int) -> tuple[str, int, int]:
    """Where an entry's bytes are: file, start, end."""
    name = next(name for name in files if name.startswith("tile/entries/"))
    at = 0
    for number in range(index + 1):
        length = int.from_bytes(files[name][at : at + 2], "big")
        if number == index:
            return name, at + 2, at + 2 + length
        at += 2 + length
    raise AssertionError


@pytest.mark.parametrize(
    ("edit", "fault"),
    [
        (lambda data: data.replace(b'"epoch":3', b'"epoch":4'), Fault.DIGEST),
        (lambda data: data.replace(b'"epoch":3', b'"epoch": 3'), Fault.MALFORMED),
        (lambda data: data.replace(b'"epoch":3', b'"epoch":3.0'), Fault.MALFORMED),
        (lambda data: data.replace(b'"epoch":3', b'"epoch":9007199254740993'), Fault.MALFORMED),
        (lambda data: data.replace(b'"epoch":3', b'"epoch":3,"epoch":3'), Fault.MALFORMED),
        (lambda data: data.replace(b'"epoch":3', b'"epoch":3,"extra":1'), Fault.MALFORMED),
        (lambda data: data.replace(b'"epoch":3', b'"epoch":NaN'), Fault.MALFORMED),
        (lambda _: b"[" * 40_000, Fault.MALFORMED),
        (lambda data: b"\xff" + data, Fault.MALFORMED),
        (lambda _: b"", Fault.MALFORMED),
    ],
)
def test_a_changed_entry_is_named(small: tuple[Sample, Files], edit: Callable[[bytes], bytes], fault: Fault) -> None:
    sample, files = small
    name, start, end = entry_of(files, 9)
    data = edit(files[name][start:end])
    assert data != files[name][start:end]
    changed = files[name][: start - 2] + len(data).to_bytes(2, "big") + data + files[name][end:]
    verdict = checked({**files, name: changed}, sample)
    assert verdict.first_bad is not None
    assert verdict.first_bad.index == 9
    assert fault in {found.fault for found in verdict.findings if found.index == 9}


def test_a_log_that_was_cut_off_shows_only_against_a_held_checkpoint() -> None:
    sample, _ = published(300)
    held = sample.note(300)
    short = {name: data for name, data in sample.tiles if ".p/" not in name}
    short |= {"checkpoint": sample.note(256).encode(), "tile/1/000.p/1": sample.tree.node(8, 0)}
    assert checked(short, sample).ok
    verdict = checked(short, sample, held)
    assert [(found.index, found.fault) for found in verdict.findings] == [(256, Fault.HELD)]


@pytest.mark.parametrize("name", ["tile/0/001", "tile/entries/001", "tile/1/000.p/2"])
def test_a_missing_file_is_named(name: str) -> None:
    sample, files = published(600)
    del files[name]
    found = checked(files, sample).first_bad
    assert found is not None
    assert found.fault is Fault.MISSING
    assert found.index == (None if name.startswith("tile/1") else 256)


def test_memory_does_not_grow_with_the_log() -> None:
    peaks = []
    for entries in (1_000, 4_000):
        sample, files = published(entries)
        tracemalloc.start()
        assert checked(files, sample).ok
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 500_000, peaks
