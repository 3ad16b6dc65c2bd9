"""The samples of both tracks, told apart by the names of their pods."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from feem.adapters.prometheus.answer import Labels, Unanswered
from feem.adapters.prometheus.asking import Asker
from feem.adapters.prometheus.gauge import gauge
from feem.adapters.prometheus.histogram import EDGE_LABEL, edge_of, edges, without_edge
from feem.adapters.prometheus.parsing import UnusableQuery, reading, shown
from feem.adapters.prometheus.parts import parts_of
from feem.adapters.prometheus.selector import POD_LABEL, Match, Selector, of_namespace, of_pods, pod_prefix
from feem.core.evidence.counter import Target, target_of
from feem.core.evidence.samples import Evidence, SampleRequest, Series, TrackSamples

BySeries = dict[Labels, Series]


@dataclass
class Fetched:
    """What was asked and found so far for one request, both tracks together."""

    roles: dict[str, BySeries] = field(default_factory=dict)
    queries: list[str] = field(default_factory=list)
    horizon: dict[Target, float] = field(default_factory=dict)
    """The newest sample that the first query to see a target saw of it."""

    def add(self, role: str, series: Iterable[Series]) -> None:
        """Keep each series once, however many selectors select it."""
        known = self.roles.setdefault(role, {})
        for one in series:
            known.setdefault(one.labels, one)

    def level(self, series: Iterable[Series]) -> tuple[Series, ...]:
        """Cut series at the newest sample an earlier query saw of the same target.

        A scrape that falls between two queries would else count in one role and not in the other; what is cut comes
        again with the next request.
        """
        seen: dict[Target, float] = {}
        kept = []
        for one in series:
            if not one.samples:
                continue
            target = target_of(one)
            seen[target] = max(one.samples[-1].time, seen.get(target, -math.inf))
            limit = self.horizon.get(target, math.inf)
            kept.append(Series(one.labels, tuple(sample for sample in one.samples if sample.time <= limit)))
        for target, newest in seen.items():
            self.horizon.setdefault(target, newest)
        return tuple(one for one in kept if one.samples)


async def evidence_of(asker: Asker, request: SampleRequest) -> Evidence:
    """Fetch both tracks' samples with `start` < time <= `end`; never raises, what went wrong is the evidence's problem."""
    sets = tuple(name for name in (request.canary_replica_set, request.stable_replica_set) if name)
    if request.whole:
        return await whole_of(asker, request)
    if len({pod_prefix(name) for name in sets}) < len(sets) or not sets:
        return Evidence(problem=indistinct(request))
    fetched = Fetched()
    try:
        if request.indicator.gauge is not None:
            return await gauges(asker, request, fetched)
        await counters(asker, request, of_pods(request.namespace, sets), fetched)
    except (UnusableQuery, Unanswered) as problem:
        return Evidence(problem=str(problem), queries=tuple(fetched.queries))
    canary, stable = (
        TrackSamples({role: of_replica_set(name, sets, found.values()) for role, found in fetched.roles.items()})
        for name in (request.canary_replica_set, request.stable_replica_set)
    )
    return Evidence(canary, stable, queries=tuple(fetched.queries))


async def whole_of(asker: Asker, request: SampleRequest) -> Evidence:
    """Fetch the samples of a whole service, whatever pods it has and had; never raises."""
    if request.indicator.ratio is None and request.indicator.latency is None:
        return Evidence(problem="only a ratio or a latency can be counted over a whole service: name such an objective")
    fetched = Fetched()
    try:
        await counters(asker, request, of_namespace(request.namespace), fetched)
    except (UnusableQuery, Unanswered) as problem:
        return Evidence(problem=str(problem), queries=tuple(fetched.queries))
    found = {role: tuple(sorted(series.values(), key=lambda s: s.labels)) for role, series in fetched.roles.items()}
    return Evidence(TrackSamples(found), queries=tuple(fetched.queries))


async def counters(asker: Asker, request: SampleRequest, narrowing: tuple[Match, ...], fetched: Fetched) -> None:
    """Fetch the raw samples of every selector of a counter indicator; raises UnusableQuery or Unanswered."""
    threshold = None if request.indicator.latency is None else request.indicator.latency.threshold
    for part in parts_of(request.indicator):
        for selector in part.selectors:
            narrowed = selector.narrowed(*narrowing)
            if threshold is not None:
                await latency(asker, request, narrowed, threshold, fetched)
            else:
                fetched.add(part.role, await raw(asker, request, narrowed, fetched))


async def raw(asker: Asker, request: SampleRequest, narrowed: Selector, fetched: Fetched) -> tuple[Series, ...]:
    """Fetch the samples of one narrowed selector; raises Unanswered."""
    query = f"{narrowed}[{max(1, math.ceil(request.end - request.start))}s]"
    fetched.queries.append(query)
    return fetched.level(since(request, one) for one in await asker.samples(query, request.end))


async def latency(asker: Asker, request: SampleRequest, narrowed: Selector, threshold: str, fetched: Fetched) -> None:
    """Fetch the two buckets a latency needs, in one query so that they come from the same scrapes.

    Raises Unanswered; also when a histogram has no bucket that ends at the threshold: its events cannot be judged.
    """
    found = await raw(asker, request, narrowed.narrowed(edges(threshold)), fetched)
    ends = {"fast": float(threshold), "total": math.inf}
    by_edge = {role: [one for one in found if edge(one) == end] for role, end in ends.items()}
    fast, total = ({without(one.labels, EDGE_LABEL) for one in by_edge[role]} for role in ("fast", "total"))
    if total - fast:
        known = await asker.values(f"group by ({EDGE_LABEL}) ({narrowed})", request.end)
        raise Unanswered(without_edge(narrowed, threshold, (dict(one.labels).get(EDGE_LABEL, "") for one in known)))
    for role, series in by_edge.items():
        fetched.add(role, series)


async def gauges(asker: Asker, request: SampleRequest, fetched: Fetched) -> Evidence:
    """Compute a gauge's value of each track; raises UnusableQuery or Unanswered."""
    if request.indicator.gauge is None:
        return Evidence()
    text = request.indicator.gauge.query

    async def track(name: str) -> TrackSamples:
        if not name:
            return TrackSamples({"value": ()})
        query = reading("gauge.query", lambda written: gauge(written, *of_pods(request.namespace, (name,))), text)
        fetched.queries.append(query)
        return TrackSamples({"value": one_value(query, await asker.values(query, request.end))})

    canary, stable = await asyncio.gather(track(request.canary_replica_set), track(request.stable_replica_set))
    return Evidence(canary, stable, queries=tuple(fetched.queries))


def one_value(query: str, found: tuple[Series, ...]) -> tuple[Series, ...]:
    """Return a track's value without its labels; NaN is none. Raises UnusableQuery when there are several."""
    if len(found) > 1:
        raise UnusableQuery(
            "NotOneValue",
            f"spec.indicator.gauge.query: {shown(query)} gives {len(found)} values where one is needed: put an aggregation "
            f"around it, such as max(…) or sum(…)",
        )
    values = tuple(sample for one in found for sample in one.samples if not math.isnan(sample.value))
    return (Series((), values),) if values else ()


def since(request: SampleRequest, series: Series) -> Series:
    """Leave out what is not later than the request's start, or later than its end."""
    return Series(series.labels, tuple(one for one in series.samples if request.start < one.time <= request.end))


def edge(series: Series) -> float:
    """Return which bucket a series counts, as a number."""
    return edge_of(dict(series.labels).get(EDGE_LABEL, ""))


def without(labels: Labels, name: str) -> Labels:
    """Return labels without one of them."""
    return tuple(pair for pair in labels if pair[0] != name)


def of_replica_set(name: str, sets: tuple[str, ...], series: Iterable[Series]) -> tuple[Series, ...]:
    """Pick the series of one ReplicaSet's pods, in the order of their labels; the longest fitting name has a pod."""
    others = [pod_prefix(other) for other in sets if other != name and len(pod_prefix(other)) > len(pod_prefix(name))]

    def belongs(pod: str) -> bool:
        return pod.startswith(pod_prefix(name)) and not any(pod.startswith(other) for other in others)

    if not name:
        return ()
    return tuple(
        sorted((one for one in series if belongs(dict(one.labels).get(POD_LABEL, ""))), key=lambda s: s.labels)
    )


def indistinct(request: SampleRequest) -> str:
    """Say why the tracks' pods cannot be told apart."""
    return (
        f"the pods of the ReplicaSets {request.canary_replica_set!r} (canary) and {request.stable_replica_set!r} (stable) "
        f"cannot be told apart by their names: give the Deployment a name of at most 40 characters"
    )
