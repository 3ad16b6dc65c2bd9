"""Does each query of an indicator find anything now? Asked before any release depends on it, with one query."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from feem.adapters.prometheus.answer import Unanswered
from feem.adapters.prometheus.asking import Asker
from feem.adapters.prometheus.burning import labelled
from feem.adapters.prometheus.histogram import EDGE_LABEL, edge_of, without_edge
from feem.adapters.prometheus.parsing import UnusableQuery, shown
from feem.adapters.prometheus.parts import Part, parts_of
from feem.adapters.prometheus.selector import NAME_LABEL, POD_LABEL, Match, Selector, of_namespace
from feem.api.objective import Indicator
from feem.ports import QueryProblem

PROBE_LABEL = "feem_probe"


@dataclass(frozen=True)
class Probe:
    """One selector to look for, and the label by which what it finds is told apart."""

    part: Part
    written: Selector
    """As the user wrote it."""
    selector: Selector
    by: str = ""

    def query(self, number: int, matches: tuple[Match, ...]) -> str:
        """Count what the selector finds in the namespace, marked with the probe's number."""
        by = f" by ({self.by})" if self.by else ""
        return labelled(f"count{by} ({self.selector.narrowed(*matches)})", PROBE_LABEL, str(number))


async def missing(asker: Asker, indicator: Indicator, namespace: str) -> QueryProblem | None:
    """Say which query finds no series of pods in the namespace now; never raises.

    The reason is `NoSeries`, or `MetricsUnavailable` when the server does not say.
    """
    matches = (*of_namespace(namespace), Match(POD_LABEL, "!=", ""))
    try:
        probes = tuple(probes_of(indicator))
        question = " or ".join(probe.query(number, matches) for number, probe in enumerate(probes))
        found: dict[str, set[str]] = {}
        for one in await asker.values(question):
            labels = dict(one.labels)
            number = labels.get(PROBE_LABEL, "")
            found.setdefault(number, set()).add(labels.get(probes[int(number)].by, ""))
    except UnusableQuery as unusable:
        return unusable.problem
    except Unanswered as problem:
        return QueryProblem("MetricsUnavailable", str(problem))
    except (ValueError, IndexError):
        return QueryProblem("MetricsUnavailable", "the answer's series do not carry the labels that were asked for")
    said = (lack(probe, indicator, namespace, found.get(str(number))) for number, probe in enumerate(probes))
    sentence = next(filter(None, said), None)
    return None if sentence is None else QueryProblem("NoSeries", sentence)


def probes_of(indicator: Indicator) -> Iterator[Probe]:
    """Return what to look for; raises UnusableQuery.

    Of bad events a healthy service may have had none, so that their counter is not there yet: then its labels must be,
    on any series of the metric.
    """
    for part in parts_of(indicator):
        for selector in part.selectors:
            if part.role == "bad":
                yield Probe(part, selector, any_value(selector))
            elif indicator.latency is not None:
                yield Probe(part, selector, selector, EDGE_LABEL)
            elif indicator.mix is not None and indicator.mix.label is not None:
                yield Probe(part, selector, selector, indicator.mix.label)
            else:
                yield Probe(part, selector, selector)


def any_value(selector: Selector) -> Selector:
    """Return the selector of all series of the same metric that have the labels it asks for, whatever their values."""
    kept = []
    for one in selector.matches:
        if one.label == NAME_LABEL:
            kept.append(one)
        elif one.operator in ("=", "=~") and not fits_nothing(one):
            kept.append(Match(one.label, "!=", ""))
    return Selector(selector.metric, tuple(dict.fromkeys(kept)))


def fits_nothing(match: Match) -> bool:
    """Say whether a matcher also takes series without its label; RE2 has patterns that Python does not read, they may."""
    if match.operator == "=":
        return not match.value
    try:
        return re.fullmatch(match.value, "") is not None
    except re.error:
        return True


def lack(probe: Probe, indicator: Indicator, namespace: str, found: set[str] | None) -> str | None:
    """Say what a probe did not find and what to check, or None when it found what it needs."""
    field = f"spec.indicator.{probe.part.field}"
    if not found:
        also = "" if probe.written == probe.selector else f", nor is there any {shown(str(probe.selector))}"
        return (
            f"{field}: {shown(str(probe.written))} finds nothing in the namespace {namespace} now{also}: check the metric's "
            f"name and labels, and that Prometheus scrapes the pods and gives their series the labels `namespace` and `pod`"
        )
    if indicator.latency is not None and float(indicator.latency.threshold) not in map(edge_of, found):
        return f"{field}: {without_edge(probe.selector, indicator.latency.threshold, found)}"
    if indicator.mix is not None and probe.by and found == {""}:
        return f"{field}: no series of {shown(str(probe.selector))} has the label `{probe.by}`: check spec.indicator.mix.label"
    return None
