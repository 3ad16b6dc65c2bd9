"""The operator's process with nothing but the rights that the chart gives it, and with the clock that a test gives it."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path

import e2e.cluster
from tests.integration.conftest import OPERATOR
from tests.integration.operator import Operator, until

LEASE = "feem"
"""The only one that the chart's Role allows."""
WRONG_CLOCK = Path(__file__).parent / "wrong_clock"


class WithClock(Operator):
    """`feem operator` whose clock is this many seconds ahead."""

    def __init__(self, kubeconfig: Path, prometheus: str, log: Path, ahead: float = 0.0) -> None:
        super().__init__(kubeconfig, prometheus, log, LEASE)
        self._environment |= {"FEEM_NAMESPACE": "feem-system", "FEEM_LEASE_SECONDS": "15"}
        if ahead:
            paths = [str(WRONG_CLOCK), os.environ.get("PYTHONPATH", "")]
            self._environment |= {
                "FEEM_TEST_CLOCK_AHEAD": str(ahead),
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
            }

    @property
    def ended(self) -> bool:
        """Whether the process has ended by itself."""
        return self._process is not None and self._process.poll() is not None


class Staff:
    """One operator at a time: two would take the log from each other."""

    def __init__(self, cluster: e2e.cluster.Cluster, prometheus: str, log: Path) -> None:
        self._kubeconfig = e2e.cluster.user_kubeconfig(cluster, OPERATOR, ("system:serviceaccounts",))
        self._prometheus, self.log = prometheus, log
        self._running: WithClock | None = None
        self.patience = 10.0
        """Seconds that are surely enough for a start on this machine, as its last one went."""

    def start(self, ahead: float = 0.0) -> None:
        """Start the operator, its clock so many seconds ahead, and wait until it leads."""
        before, began = self._led(), time.monotonic()
        self._running = WithClock(self._kubeconfig, self._prometheus, self.log, ahead)
        self._running.start()
        try:
            until("an operator that leads", lambda: self._led() > before, 40)
        except AssertionError:
            self.stop()
            raise
        self.patience = max(10.0, 2 * (time.monotonic() - began))

    def alive(self) -> None:
        """Start it again when its process has ended, as the kubelet does."""
        if self._running is not None and self._running.ended:
            self.start()

    def start_at(self, moment: datetime) -> None:
        """Start it with a clock that shows this moment now."""
        self.start((moment - datetime.now(UTC)).total_seconds())

    def stop(self) -> None:
        """Stop it."""
        if self._running is not None:
            self._running.stop()
            self._running = None

    def _led(self) -> int:
        return self.log.read_text().count('"event": "leading"') if self.log.exists() else 0
