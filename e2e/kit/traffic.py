"""Client traffic through the gateway, and what the clients saw."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from e2e.cluster.context import GATEWAY_PORT, Cluster, ClusterError

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "credit-factory" / "limit-scoring"
HOST = "limit-scoring.lending.example"


@dataclass(frozen=True)
class Answer:
    """One request as its client saw it; `at` is Unix seconds, `decision` is empty where none was made."""

    at: float
    status: int
    version: str
    error: str | None
    decision: str = ""

    @property
    def failed(self) -> bool:
        """No decision was given."""
        return not 200 <= self.status < 300


class Traffic:
    """The example's load generator, running beside whatever happens until it is stopped."""

    def __init__(self, cluster: Cluster, out: Path, *, rate: float = 100.0, seconds: float = 3600.0) -> None:
        if cluster.address is None:
            raise ClusterError(f"cluster {cluster.name} has no gateway: make it with --profile full")
        self._url = f"http://{cluster.address}:{GATEWAY_PORT}/decision"
        self._out, self._rate, self._seconds = out, rate, seconds
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        words = [sys.executable, str(EXAMPLE / "loadgen.py"), self._url, "--host", HOST, "--out", str(self._out)]
        words += ["--rate", str(self._rate), "--seconds", str(self._seconds)]
        self._out.parent.mkdir(parents=True, exist_ok=True)
        self._out.write_text("")
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=15)

    def answers(self, since: float = 0.0, until: float = float("inf")) -> list[Answer]:
        """Return what the clients saw in [since, until), Unix seconds."""
        whole, _, _ = self._out.read_text().rpartition("\n")
        found = (json.loads(line) for line in whole.splitlines())
        every = (Answer(item["at"], item["status"], item["version"], item["error"], item["decision"]) for item in found)
        return [answer for answer in every if since <= answer.at < until]


def share(answers: Iterable[Answer], version: str) -> float:
    """Return one version's percent of the answers."""
    counts = Counter(answer.version for answer in answers)
    return 100 * counts[version] / counts.total() if counts else 0.0


def failures(answers: Iterable[Answer]) -> list[Answer]:
    """Return the answers that were none."""
    return [answer for answer in answers if answer.failed]


def summary(answers: Sequence[Answer]) -> str:
    """Say what clients saw in one line."""
    versions = ", ".join(
        f"{count} from {version}" for version, count in sorted(Counter(a.version for a in answers).items())
    )
    failed = len(failures(answers))
    percent = 100 * failed / len(answers) if answers else 0.0
    return f"{len(answers)} requests ({versions}); {failed} failed ({percent:.3f}%)"
