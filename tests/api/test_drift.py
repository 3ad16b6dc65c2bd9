"""The committed CRDs are what the models say, and the command notices when they are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from feem.api import KINDS
from feem.api.crd import drift, files, main, write

CRDS = Path(__file__).parents[2] / "crds"


def test_committed_crds_are_generated_from_the_models() -> None:
    assert drift(CRDS) == "", "run `python -m feem.api.crd crds` and commit crds/"


def test_one_file_a_kind_and_the_same_text_every_time() -> None:
    assert len(files()) == len(KINDS)
    assert files() == files()


def test_check_writes_nothing_prints_the_difference_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path)
    assert main(["--check", str(tmp_path)]) == 0
    path = tmp_path / "decisions.feem.dev.yaml"
    edited = path.read_text().replace("maxLength: 512", "maxLength: 513")
    path.write_text(edited)
    assert main(["--check", str(tmp_path)]) == 1
    printed = capsys.readouterr()
    assert "-                maxLength: 513" in printed.out
    assert "+                maxLength: 512" in printed.out
    assert "commit it" in printed.err
    assert path.read_text() == edited


def test_a_missing_and_a_forgotten_file_are_drift_that_writing_repairs(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "releases.feem.dev.yaml").unlink()
    (tmp_path / "gone.feem.dev.yaml").write_text("kind: Gone\n")
    difference = drift(tmp_path)
    assert "-kind: Gone" in difference
    assert "+  name: releases.feem.dev" in difference
    assert main([str(tmp_path)]) == 0
    assert drift(tmp_path) == ""
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files())
