"""Error budgets as figures, so that alerts and dashboards need not know anybody's PromQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from prometheus_client import CollectorRegistry, Gauge

SEVERITIES = ("page", "ticket")

_OBJECTIVE = ("namespace", "objective")


class ObjectiveFigures:
    """One set of gauges an objective; they go with the object, and with leadership."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._measured = Gauge(
            "feem_slo_measured",
            "1 while an objective's queries return series, else 0.",
            _OBJECTIVE,
            registry=registry,
        )
        self._left = Gauge(
            "feem_slo_error_budget_left_ratio",
            "Part of an objective's error budget that is left; negative when it is overspent.",
            _OBJECTIVE,
            registry=registry,
        )
        self._burn = Gauge(
            "feem_slo_burn_rate",
            "Times the speed at which an objective's error budget lasts exactly its window, measured over a window.",
            (*_OBJECTIVE, "window"),
            registry=registry,
        )
        self._burning = Gauge(
            "feem_slo_budget_burning",
            "1 while an error budget burns so fast that somebody must look, now (page) or today (ticket), else 0.",
            (*_OBJECTIVE, "severity"),
            registry=registry,
        )
        self._windows: dict[tuple[str, str], frozenset[str]] = {}
        self._budgets: set[tuple[str, str]] = set()

    def objective_seen(
        self,
        namespace: str,
        objective: str,
        *,
        measured: bool,
        left: float | None,
        burn: Mapping[str, float],
        burning: Collection[str],
    ) -> None:
        """Set an objective's figures; what is not given is dropped.

        `left` goes from 1 down and is None when it is not known, `burn` is by window, `burning` is the severities of what
        burns too fast.
        """
        key = (namespace, objective)
        self._measured.labels(*key).set(1 if measured else 0)
        if left is not None:
            self._left.labels(*key).set(left)
            self._budgets.add(key)
            for severity in SEVERITIES:
                self._burning.labels(*key, severity).set(1 if severity in burning else 0)
        else:
            self._budget_gone(key)
        for window in self._windows.get(key, frozenset()) - burn.keys():
            self._burn.remove(*key, window)
        for window, rate in burn.items():
            self._burn.labels(*key, window).set(rate)
        self._windows[key] = frozenset(burn)

    def objective_gone(self, namespace: str, objective: str) -> None:
        """Drop an objective's figures; one that was never seen is no error."""
        key = (namespace, objective)
        if key not in self._windows:
            return
        for window in self._windows.pop(key):
            self._burn.remove(*key, window)
        self._budget_gone(key)
        self._measured.remove(*key)

    def clear(self) -> None:
        """Drop all: only a leader measures."""
        for key in tuple(self._windows):
            self.objective_gone(*key)

    def _budget_gone(self, key: tuple[str, str]) -> None:
        if key not in self._budgets:
            return
        self._budgets.discard(key)
        self._left.remove(*key)
        for severity in SEVERITIES:
            self._burning.remove(*key, severity)
