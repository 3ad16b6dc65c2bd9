"""The service tells what memory it may have, whichever kind of cgroup says so."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from credit_check.limits import memory_limit, throttled_periods


@pytest.mark.parametrize(
    ("place", "text", "limit"),
    [
        ("memory.max", "201326592\n", 201326592.0),
        ("memory.max", "max\n", math.inf),
        ("memory/memory.limit_in_bytes", "104857600\n", 104857600.0),
    ],
)
def test_the_limit_is_read_from_both_kinds(tmp_path: Path, place: str, text: str, limit: float) -> None:
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text(text)
    assert memory_limit(tmp_path) == limit


def test_without_cgroups_there_is_none(tmp_path: Path) -> None:
    assert memory_limit(tmp_path) == math.inf


@pytest.mark.parametrize("place", ["cpu.stat", "cpu/cpu.stat"])
def test_throttling_is_counted(tmp_path: Path, place: str) -> None:
    assert throttled_periods(tmp_path) == 0
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).write_text("nr_periods 40\nnr_throttled 7\nthrottled_time 9\n")
    assert throttled_periods(tmp_path) == 7
