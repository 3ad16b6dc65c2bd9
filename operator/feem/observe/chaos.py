"""Figures of experiments and of the reaper: which faults are in place, how runs end, and how soon everything is as before."""

from __future__ import annotations

import contextlib

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

ENDINGS = (
    ("Passed", "HypothesisHeld"),
    ("Failed", "ObjectiveBreached"),
    ("Failed", "NotRecovered"),
    ("Error", "ResidueLeft"),
)
"""How a run whose fault was in place can end, as result and cause, as far as somebody waits for it."""

_FAULT = ("namespace", "service", "experiment", "run", "fault")
_RUN = ("namespace", "service", "experiment", "result", "cause")
_UNDO_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_RECOVERY_BUCKETS = (15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 300.0, 600.0, 1800.0, 3600.0)


class ChaosMetrics:
    """Implements `feem.ports.chaos.ChaosMeasurements`."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._in_place = Gauge(
            "feem_chaos_fault_in_place",
            "1 while an experiment's fault may be in place; the series goes with the fault.",
            _FAULT,
            registry=registry,
        )
        self._expires = Gauge(
            "feem_chaos_fault_expires_timestamp_seconds",
            "When the reaper takes a fault back that is in place (Unix seconds).",
            _FAULT,
            registry=registry,
        )
        self._runs = Counter("feem_chaos_runs", "Ended runs of experiments, by how and why.", _RUN, registry=registry)
        self._undo = Histogram(
            "feem_chaos_undo_seconds",
            "Seconds from the decision to take a fault back to the last change that was taken back.",
            buckets=_UNDO_BUCKETS,
            registry=registry,
        )
        self._recovery = Histogram(
            "feem_chaos_recovery_seconds",
            "Seconds from a fault's end until state and objectives were as before, the recovery window included.",
            buckets=_RECOVERY_BUCKETS,
            registry=registry,
        )

    def fault(
        self,
        namespace: str,
        service: str,
        experiment: str,
        run: str,
        fault: str,
        *,
        in_place: bool,
        expires: float = 0.0,
    ) -> None:
        """Say whether a fault may be in place, and until when it may stay."""
        labels = (namespace, service, experiment, run, fault)
        if in_place:
            for result, cause in ENDINGS:
                self._runs.labels(namespace, service, experiment, result, cause)  # from zero: `increase` sees the first
            self._in_place.labels(*labels).set(1)
            self._expires.labels(*labels).set(expires)
            return
        for gauge in (self._in_place, self._expires):
            with contextlib.suppress(KeyError):
                gauge.remove(*labels)

    def clear(self) -> None:
        """Drop the figures of faults: another operator leads, and says what is in place."""
        for gauge in (self._in_place, self._expires):
            gauge.clear()

    def run_ended(self, namespace: str, service: str, experiment: str, result: str, cause: str) -> None:
        """Count an ended run."""
        self._runs.labels(namespace, service, experiment, result, cause).inc()

    def undone(self, seconds: float) -> None:
        """Observe how long an undo took."""
        self._undo.observe(seconds)

    def recovered(self, seconds: float) -> None:
        """Observe how long it took until all was as before."""
        self._recovery.observe(seconds)


class ReaperMetrics:
    """What the reaper did, and that it is alive; in a process, and so a registry, of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=True)
        self._taken = Counter(
            "feem_reaper_taken_back", "Faults taken off objects, and why.", ("resource", "why"), registry=self.registry
        )
        self._sweeps = Counter(
            "feem_reaper_sweeps", "Looks at everything that carries a fault.", ("outcome",), registry=self.registry
        )
        self._last = Gauge(
            "feem_reaper_last_sweep_timestamp_seconds",
            "When the last complete look ended (Unix seconds).",
            registry=self.registry,
        )
        self._marked = Gauge("feem_reaper_marked_objects", "Objects that carry a fault.", registry=self.registry)

    def taken_back(self, resource: str, why: str) -> None:
        """Count an object that is as before again."""
        self._taken.labels(resource, why).inc()

    def swept(self, outcome: str, *, at: float = 0.0, marked: int = 0) -> None:
        """Count a look: ok, partial or failed; a complete one says when, and how many objects carry a fault."""
        self._sweeps.labels(outcome).inc()
        if outcome == "ok":
            self._last.set(at)
            self._marked.set(marked)
