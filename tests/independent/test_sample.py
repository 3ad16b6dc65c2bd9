"""What FEEM writes, read by the verifier that was written from the public texts alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from feem.cli.audit.source import opened
from feem.core.audit.record import name_of
from feem.sample.build import HELD, PACK, Sample, write, write_zip
from tests.independent.samplefiles import listed
from tests.independent.verifier import judge
from tests.independent.verifier_json import canonical
from tests.view.chaos.test_pack import LOG, MADE


@pytest.mark.parametrize("entries", [24, 255, 256, 257, 1000])
def test_everything_of_the_sample_is_accepted(tmp_path: Path, entries: int) -> None:
    made = write(tmp_path / "sample", entries)
    keys, held = made.keys, (tmp_path / "sample" / HELD).read_bytes()
    assert made.tree.size == entries
    assert judge("directory", tmp_path / "sample" / "log", keys, held=held).ok
    assert judge("pack", tmp_path / "sample" / PACK, keys).ok
    proofs = sorted((tmp_path / "sample" / "proofs").glob("*.tlog-proof"))
    assert [path.stem for path in proofs] == [name_of(0), name_of(round((entries - 1) / 2)), name_of(entries - 1)]
    for path in proofs:
        assert judge("proof", path, keys, entry=path.with_suffix(".json").read_bytes()).ok
    with opened(tmp_path / "sample" / "log") as log:
        write_zip(tmp_path / "log.zip", {name: log.read(name) or b"" for name in log.names})
    assert judge("bundle", tmp_path / "log.zip", keys, held=held).ok


def test_the_pack_of_a_promoted_release_is_accepted(tmp_path: Path) -> None:
    made = Sample(100, good=True)
    write_zip(tmp_path / PACK, made.pack())
    assert judge("pack", tmp_path / PACK, made.keys).ok


def test_the_keys_of_another_sample_are_not_believed(tmp_path: Path) -> None:
    write(tmp_path / "sample", 30)
    other = Sample(30)
    assert not judge("directory", tmp_path / "sample" / "log", other.keys).ok
    assert not judge("pack", tmp_path / "sample" / PACK, other.keys).ok


def test_the_report_of_a_game_day_is_accepted(tmp_path: Path) -> None:
    keys, path = "\n".join(LOG.keys), tmp_path / "game-day.zip"
    write_zip(path, MADE)
    assert judge("report", path, keys).told.startswith("20 records about 4 chaos runs of ")
    assert not judge("report", path, Sample(30).keys).ok


@pytest.mark.parametrize(
    ("figure", "value"), [("longestUndoSeconds", 0.1), ("faultsInjected", 4), ("results", {"Passed": 4})]
)
def test_a_figure_that_was_improved_is_found(tmp_path: Path, figure: str, value: object) -> None:
    path, about = tmp_path / "game-day.zip", json.loads(MADE["pack.json"])
    del about["files"]
    figures = json.loads(MADE["report.json"])
    figures["totals"][figure] = value
    write_zip(path, listed({**MADE, "report.json": canonical(figures)}, **about))
    verdict = judge("report", path, "\n".join(LOG.keys))
    assert (verdict.ok, verdict.index) == (False, None)
    assert "report.json" in verdict.told
