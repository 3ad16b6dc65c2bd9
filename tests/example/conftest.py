"""The example is no installed package: its folders are put on the path here, and its real process is started."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "credit-factory" / "limit-scoring"
sys.path[:0] = [str(EXAMPLE), str(EXAMPLE / "app")]

Start = Callable[..., tuple[subprocess.Popen[str], int]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start the service as its image does, on a free loopback port, and end it whatever the test did."""
    processes: list[subprocess.Popen[str]] = []

    def begin(**environment: str) -> tuple[subprocess.Popen[str], int]:
        given = {"ADDRESS": "127.0.0.1", "PORT": "0", "PYTHONPATH": str(EXAMPLE / "app"), "HOSTNAME": "pod-1"}
        process = subprocess.Popen(
            [sys.executable, "-m", "limit_scoring"],
            env={**os.environ, **given, **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        processes.append(process)
        assert process.stdout
        return process, int(process.stdout.readline().split()[-1])

    yield begin
    for process in processes:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()
