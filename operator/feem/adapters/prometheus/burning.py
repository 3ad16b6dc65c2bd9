"""How many of a whole service's events were bad in several windows, with one query."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import promql_parser as promql

from feem.adapters.prometheus.answer import Unanswered
from feem.adapters.prometheus.asking import Asker
from feem.adapters.prometheus.histogram import EDGE_LABEL, EVERYTHING, edge_of, fast, without_edge
from feem.adapters.prometheus.parsing import UnusableQuery
from feem.adapters.prometheus.parts import parts_of
from feem.adapters.prometheus.selector import Match, Selector, of_namespace, quoted
from feem.api.indicator import LatencyIndicator
from feem.api.objective import Indicator
from feem.core.evidence.samples import Series
from feem.ports import Burn

WINDOW_LABEL, ROLE_LABEL, METRIC_LABEL = "feem_window", "feem_role", "feem_metric"

Roles = Mapping[str, tuple[Selector, ...]]
Grown = Mapping[tuple[str, str], float]
"""By window and role."""


async def burn_of(asker: Asker, indicator: Indicator, namespace: str, windows: Sequence[str]) -> Burn:
    """Count bad and all events in windows that end now, by Prometheus' own `increase`; never raises.

    A window without a total is left out. Bad events are the total less the good ones where good ones are counted.
    """
    if indicator.ratio is None and indicator.latency is None:
        return Burn(problem="only a ratio or a latency has an error budget: this objective has another indicator")
    if not windows:
        return Burn()
    try:
        roles = roles_of(indicator, of_namespace(namespace))
        grown = by_window(await asker.values(burn_query(roles, windows)))
        if indicator.latency is not None:
            await require_edge(asker, indicator.latency, namespace, grown)
        known = [window for window in windows if (window, "total") in grown]
        return Burn({window: counts(grown, window, subtract="good" in roles) for window in known})
    except (UnusableQuery, Unanswered) as problem:
        return Burn(problem=str(problem))


def roles_of(indicator: Indicator, matches: tuple[Match, ...]) -> Roles:
    """Return the narrowed selectors of bad or good, and of all events; raises UnusableQuery."""
    parts = parts_of(indicator)
    if indicator.latency is None:
        return {part.role: tuple(one.narrowed(*matches) for one in part.selectors) for part in parts}
    buckets = tuple(one.narrowed(*matches) for one in parts[0].selectors)
    return {
        "total": tuple(one.narrowed(EVERYTHING) for one in buckets),
        "good": tuple(one.narrowed(fast(indicator.latency.threshold)) for one in buckets),
    }


def burn_query(roles: Roles, windows: Sequence[str]) -> str:
    """Return one query for all roles and windows; its results carry both as labels. Raises UnusableQuery."""
    for window in windows:
        try:
            promql.parse_duration(window)
        except ValueError as refused:
            raise UnusableQuery(
                "NotParseable", f"{window!r} is no window: {refused}; write one such as 5m"
            ) from refused
    return " or ".join(
        labelled(labelled(f"sum({growth(selectors, window)})", WINDOW_LABEL, window), ROLE_LABEL, role)
        for role, selectors in roles.items()
        for window in windows
    )


def growth(selectors: tuple[Selector, ...], window: str) -> str:
    """Return the increase of each series that any selector selects.

    `increase` drops the metric's name, and `or` takes equal labels for the same series: a label in its stead keeps
    counters of different names apart, while a series that two selectors of one metric select counts once.
    """
    if len(selectors) == 1:
        return f"increase({selectors[0]}[{window}])"
    names = list(dict.fromkeys(one.name for one in selectors))
    return " or ".join(
        labelled(f"increase({one}[{window}])", METRIC_LABEL, str(names.index(one.name))) for one in selectors
    )


def labelled(query: str, label: str, value: str) -> str:
    """Give every series of a query a label."""
    return f'label_replace({query}, {quoted(label)}, {quoted(value)}, "", "")'


def by_window(found: tuple[Series, ...]) -> Grown:
    """Read the answer; raises Unanswered when an increase is not a number."""
    grown = {}
    for one in found:
        labels = dict(one.labels)
        window, role, value = labels.get(WINDOW_LABEL, ""), labels.get(ROLE_LABEL, ""), one.samples[-1].value
        if not math.isfinite(value):
            raise Unanswered(
                f"the counter of {role} events grew by {value} in {window}: check what the service exposes"
            )
        grown[window, role] = value
    return grown


def counts(grown: Grown, window: str, *, subtract: bool) -> tuple[float, float]:
    """Return the bad and all events of one window; a counter of which there is no series counted nothing."""
    total = grown[window, "total"]
    if subtract:
        return max(0.0, total - grown.get((window, "good"), 0.0)), total
    return grown.get((window, "bad"), 0.0), total


async def require_edge(asker: Asker, latency: LatencyIndicator, namespace: str, grown: Grown) -> None:
    """Raise Unanswered when no histogram has a bucket that ends at the threshold; asks only when none has grown."""
    if any(role == "good" for _, role in grown) or not grown:
        return
    for part in parts_of(Indicator(latency=latency)):
        for selector in part.selectors:
            narrowed = selector.narrowed(*of_namespace(namespace))
            known = await asker.values(f"group by ({EDGE_LABEL}) ({narrowed})")
            found = [dict(one.labels).get(EDGE_LABEL, "") for one in known]
            if float(latency.threshold) not in map(edge_of, found):
                raise Unanswered(without_edge(narrowed, latency.threshold, found))
