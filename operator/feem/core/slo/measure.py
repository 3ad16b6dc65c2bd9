"""What an OpenSLO indicator and its objective mean as an indicator of FEEM."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from feem.core.slo.document import Section, Unreadable

BY_COUNTING = "FEEM counts events: use a ratioMetric with good or bad, and total"


def measure(sli: Section, entry: Section, sources: Mapping[str, Section]) -> dict[str, Any]:
    """Return the objective and the indicator of a ServiceLevelObjective's spec; raises Unreadable."""
    given = sli.given("ratioMetric", "thresholdMetric")
    if len(given) != 1:
        raise Unreadable(
            f"{sli.path} has {' and '.join(given) or 'no metric'}; give exactly one of ratioMetric and thresholdMetric"
        )
    if given == ["thresholdMetric"]:
        query = _query(sli.must("thresholdMetric", ""), sources)
        return {"indicator": {"gauge": {"query": query, **_bound(entry)}}}
    ratio = sli.must("ratioMetric", "")
    if ratio.given("raw", "rawType"):
        raise Unreadable(f"{ratio.at('raw')} is a ratio that was computed before; {BY_COUNTING}")
    if ratio.value("counter") is None:
        ratio.warnings.append(f"{ratio.at('counter')} is missing: the queries are taken for counters")
    elif ratio.value("counter") is not True:
        raise Unreadable(f"{ratio.at('counter')} is not true, so its values go up and down; {BY_COUNTING} of counters")
    numerators = ratio.given("good", "bad")
    if len(numerators) != 1:
        raise Unreadable(f"{ratio.path} has {' and '.join(numerators) or 'neither'}; give exactly one of good and bad")
    entry.warn("op", "it belongs to a thresholdMetric")
    entry.warn("value", "it belongs to a thresholdMetric")
    queries = {key: _query(ratio.must(key, "give the query for it"), sources) for key in (*numerators, "total")}
    return {"objective": _percent(entry), "indicator": {"ratio": queries}}


def _query(metric: Section, sources: Mapping[str, Section]) -> str:
    """Return the PromQL of a metric."""
    source = metric.must("metricSource", "give type Prometheus and spec.query")
    kind, reference = source.text("type"), source.text("metricSourceRef")
    if not kind and reference in sources:
        kind = sources[reference].must("spec", "give its type").text("type")
    if kind.casefold() != "prometheus":
        said = f"is {kind!r}" if kind else "is not known"
        raise Unreadable(
            f"{source.at('type')} {said}; FEEM asks Prometheus only: write type: Prometheus with PromQL in spec.query"
        )
    return source.must("spec", "give the PromQL as query").text("query", "write PromQL").strip()


def _bound(entry: Section) -> dict[str, str]:
    """Return the bound of a gauge: `op` says how a good value compares with `value`."""
    op = entry.text("op", "write lte, lt, gte or gt")
    if op not in {"lte", "lt", "gte", "gt"}:
        raise Unreadable(f"{entry.at('op')} is {op!r}; write lte, lt, gte or gt")
    value = _plain(entry.number("value"))
    if not re.fullmatch(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", value):
        raise Unreadable(f"{entry.at('value')} is {value}; use at most 12 digits before the point and 6 after it")
    if op in {"lt", "gt"}:
        entry.warnings.append(f"{entry.at('op')} {op} became {op}e: {value} itself counts as good")
    for key in entry.given("target", "targetPercent"):
        entry.warn(key, "a gauge of FEEM is a bound without a budget; breachSeconds says how long it may be broken")
    return {"max" if op in {"lte", "lt"} else "min": value}


def _percent(entry: Section) -> str:
    """Return the target in percent, exactly: 0.999 becomes 99.9."""
    given = entry.given("target", "targetPercent")
    if len(given) != 1:
        raise Unreadable(
            f"{entry.path} has {' and '.join(given) or 'no target'}; give exactly one of target and targetPercent"
        )
    percent = entry.number(given[0]) * (100 if given == ["target"] else 1)
    text = _plain(percent)
    if not 0 < percent < 100 or not re.fullmatch(r"[0-9]{1,2}(\.[0-9]{1,6})?", text):
        raise Unreadable(
            f"{entry.at(given[0])} is {text}%; it must lie between 0% and 100%, with at most 6 digits after the point"
        )
    return text


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
