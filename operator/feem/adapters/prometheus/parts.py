"""What an indicator's queries mean: the selectors behind each role a series can play."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from feem.adapters.prometheus.counter import counters_of
from feem.adapters.prometheus.gauge import gauge_selectors
from feem.adapters.prometheus.histogram import buckets_of
from feem.adapters.prometheus.parsing import UnusableQuery, reading
from feem.adapters.prometheus.selector import Selector
from feem.api.objective import Indicator


@dataclass(frozen=True)
class Part:
    """One query of an indicator: its field under `spec.indicator`, its role, and its selectors as the user wrote them."""

    field: str
    role: str
    selectors: tuple[Selector, ...]


def parts_of(indicator: Indicator) -> tuple[Part, ...]:
    """Return an indicator's queries, the one that counts all events first; raises UnusableQuery, which names the field.

    A latency has one part, its `buckets`; a gauge's part holds every selector of its query, which is more than them.
    """
    if indicator.ratio is not None:
        ratio = indicator.ratio
        role, query = ("bad", ratio.bad) if ratio.bad is not None else ("good", ratio.good)
        return (
            part("ratio.total", "total", counters_of, ratio.total),
            part(f"ratio.{role}", role, counters_of, query),
        )
    if indicator.latency is not None:
        return (part("latency.histogram", "buckets", buckets_of, indicator.latency.histogram),)
    if indicator.mix is not None and indicator.mix.histogram is not None:
        return (part("mix.histogram", "buckets", buckets_of, indicator.mix.histogram),)
    if indicator.mix is not None:
        return (part("mix.counter", "events", counters_of, indicator.mix.counter),)
    if indicator.gauge is not None:
        return (part("gauge.query", "value", gauge_selectors, indicator.gauge.query),)
    raise UnusableQuery("EmptySelector", "spec.indicator: give exactly one of ratio, latency, mix and gauge")


def part(field: str, role: str, read: Callable[[str], tuple[Selector, ...]], query: str | None) -> Part:
    """Read one query; raises UnusableQuery."""
    return Part(field, role, reading(field, read, query or ""))
