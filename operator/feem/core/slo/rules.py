"""Recording and alerting rules of an objective, for whoever alerts with Prometheus instead of asking FEEM.

The names of the recorded series are those of Sloth, which other generators follow: `slo:sli_error:ratio_rate5m` and the like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context
from fractions import Fraction
from typing import Any

from feem.api.objective import ServiceLevelObjective
from feem.core.slo.burn import SECONDS, Pair, Severity, allowed, pairs, rate_text, reachable, whole, windows

Rule = dict[str, Any]
ERRORS, BAD, EVENTS = "slo:sli_error:ratio_rate", "slo:sli_bad_events:rate5m", "slo:sli_events:rate5m"
SLOW_INTERVAL = "2m"
"""Long windows read many samples and change little; a series must be renewed within Prometheus' 5 minutes of lookback."""
DIGITS = Context(prec=12)


class NoBudget(ValueError):  # noqa: N818 - it is a fact about the objective
    """An objective that cannot burn; the text says why and what to do."""


@dataclass(frozen=True)
class Counter:
    """A PromQL selector that is already narrowed to the objective's namespace, and whatever tells its metric from others."""

    selector: str
    metric: str


@dataclass(frozen=True)
class Counters:
    """What to count: all events, and either the bad or the good ones. Several counters mean the union of their series."""

    total: tuple[Counter, ...]
    bad: tuple[Counter, ...] = ()
    good: tuple[Counter, ...] = ()


def prometheus_rule(
    slo: ServiceLevelObjective, counters: Counters, labels: dict[str, str] | None = None, runbook_url: str = ""
) -> dict[str, Any]:
    """Return a PrometheusRule object (monitoring.coreos.com/v1) in the objective's namespace; raises NoBudget.

    `labels` are put on the object: a Prometheus of the Prometheus Operator picks its rules by labels.
    """
    metadata = {"name": slo.metadata.name, "namespace": slo.metadata.namespace}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {**metadata, "labels": {"app.kubernetes.io/part-of": "feem", **(labels or {})}},
        "spec": {"groups": groups(slo, counters, runbook_url)},
    }


def groups(slo: ServiceLevelObjective, counters: Counters, runbook_url: str = "") -> list[Rule]:
    """Return the groups of a Prometheus rule file: rates, budget, alerts; raises NoBudget.

    Rules of a group run one after the other, so what a rule reads stands before it or in an earlier group.
    """
    objective, days = target(slo), slo.spec.window_days
    quick = [window for window in windows(days) if SECONDS.get(window, 0) and SECONDS[window] <= SECONDS["6h"]]
    slow = [window for window in windows(days) if window not in quick]
    complete = slo.spec.indicator.latency is not None
    rates = [
        _record(slo, BAD, _bad(counters, "5m", complete=complete)),
        _record(slo, EVENTS, _rate(counters.total, "5m")),
        _record(slo, ERRORS + "5m", f"{BAD}{_own(slo)} / ({EVENTS}{_own(slo)} > 0)"),
        *(_record(slo, ERRORS + window, _ratio(counters, window, complete=complete)) for window in quick[1:]),
    ]
    budget = [
        _record(slo, "slo:objective:ratio", f"vector({_decimal(1 - allowed(objective))})"),
        _record(slo, "slo:error_budget:ratio", f"vector({_decimal(allowed(objective))})"),
        *(
            _record(
                slo, ERRORS + window, _ratio(counters, window, complete=complete) if window in SECONDS else _mean(slo)
            )
            for window in slow
        ),
        _record(slo, "slo:period_error_budget_remaining:ratio", _remaining(slo, objective)),
    ]
    alerts = [
        _alert(slo, severity, chosen, runbook_url)
        for severity in Severity
        if (chosen := [pair for pair in pairs(days) if pair.severity is severity and reachable(pair, days, objective)])
    ]
    name = f"slo-{slo.metadata.namespace}-{slo.metadata.name}"
    named = [{"name": f"{name}-rates", "rules": rates}]
    named.append({"name": f"{name}-budget", "interval": SLOW_INTERVAL, "rules": budget})
    return [*named, {"name": f"{name}-alerts", "rules": alerts}] if alerts else named


def target(slo: ServiceLevelObjective) -> str:
    """Return the objective in percent; raises NoBudget."""
    indicator = slo.spec.indicator
    if indicator.ratio is None and indicator.latency is None:
        kind = "mix" if indicator.mix is not None else "gauge" if indicator.gauge is not None else ""
        if not kind:
            raise NoBudget("spec.indicator is empty; give exactly one of ratio, latency, mix and gauge")
        raise NoBudget(f"a {kind} has no error budget that could burn; rules exist for ratio and latency")
    if slo.spec.objective is None:
        raise NoBudget('spec.objective is missing; give it in percent, e.g. "99.9"')
    return slo.spec.objective


def silent(slo: ServiceLevelObjective) -> str:
    """Say which alerts are left out because even a service that fails wholly could not raise them; empty if none."""
    objective, days = target(slo), slo.spec.window_days
    out = [pair for pair in pairs(days) if not reachable(pair, days, objective)]
    if not out:
        return ""
    said = ", ".join(f"{rate_text(float(pair.factor(days)))} over {pair.long} ({pair.severity})" for pair in out)
    fastest = rate_text(float(1 / allowed(objective)))
    return f"with an objective of {objective}% nothing burns faster than {fastest} times: left out are the alerts at {said}"


def _rate(counters: tuple[Counter, ...], window: str) -> str:
    """`rate` drops the metric's name, and `or` takes equal labels for the same series: a label keeps metrics apart."""
    if len(counters) == 1:
        return f"sum(rate({counters[0].selector}[{window}]))"
    metrics = list(dict.fromkeys(one.metric for one in counters))
    rates = (
        f'label_replace(rate({one.selector}[{window}]), "feem_metric", "{metrics.index(one.metric)}", "", "")'
        for one in counters
    )
    return f"sum({' or '.join(rates)})"


def _bad(counters: Counters, window: str, *, complete: bool) -> str:
    """A counter without a series has counted nothing yet; a histogram without the bucket is a mistake, and gives nothing."""
    if counters.bad:
        return f"({_rate(counters.bad, window)} or vector(0))"
    good = _rate(counters.good, window)
    return f"clamp_min({_rate(counters.total, window)} - {good if complete else f'({good} or vector(0))'}, 0)"


def _ratio(counters: Counters, window: str, *, complete: bool) -> str:
    return f"{_bad(counters, window, complete=complete)} / ({_rate(counters.total, window)} > 0)"


def _mean(slo: ServiceLevelObjective) -> str:
    """The whole window from the recorded 5-minute rates: exact in its weights, and cheap for weeks."""
    own, window = _own(slo), whole(slo.spec.window_days)
    return f"sum_over_time({BAD}{own}[{window}]) / (sum_over_time({EVENTS}{own}[{window}]) > 0)"


def _remaining(slo: ServiceLevelObjective, objective: str) -> str:
    spent = f"{ERRORS}{whole(slo.spec.window_days)}{_own(slo)}"
    return f"1 - {spent} / {_decimal(allowed(objective))}" if allowed(objective) else f"{spent} == bool 0"


def _alert(slo: ServiceLevelObjective, severity: Severity, chosen: list[Pair], runbook_url: str) -> Rule:
    place, days = f"{slo.metadata.namespace}/{slo.metadata.name}", slo.spec.window_days
    budget, own = _decimal(allowed(target(slo))), _own(slo)
    conditions = []
    for pair in chosen:
        limit = f"({_decimal(pair.factor(days))} * {budget})"
        conditions.append(f"({ERRORS}{pair.long}{own} > {limit} and {ERRORS}{pair.short}{own} > {limit})")
    fast = severity is Severity.PAGE
    act = (
        "Look for what changed when it began, and undo that first."
        if fast
        else "Find and mend the cause before the budget is gone, and release nothing risky until then."
    )
    said = [_literal(f"What this objective protects: {slo.spec.description}")] if slo.spec.description else []
    description = "\n".join(
        [
            (
                f"{{{{ $value | humanizePercentage }}}} of the events are bad, where the objective allows "
                f"{_decimal(allowed(target(slo)) * 100)}% in {days} days."
            ),
            *said,
            act,
            f"Releases: kubectl feem get -n {slo.metadata.namespace}",
            f"Budget: kubectl describe slo {slo.metadata.name} -n {slo.metadata.namespace}",
        ]
    )
    annotations = {"summary": f"{place} spends its error budget {'much ' if fast else ''}too fast"}
    annotations["description"] = description
    if runbook_url:
        annotations["runbook_url"] = _literal(runbook_url)
    return {
        "alert": f"{_camel(slo.metadata.name)}Burns{'Fast' if fast else 'Slowly'}",
        "expr": "\nor\n".join(conditions),
        "labels": {"severity": str(severity), "category": str(slo.spec.category), **_labels(slo)},
        "annotations": annotations,
    }


def _record(slo: ServiceLevelObjective, name: str, expression: str) -> Rule:
    return {"record": name, "expr": expression, "labels": _labels(slo)}


def _labels(slo: ServiceLevelObjective) -> dict[str, str]:
    return {"slo": slo.metadata.name, "slo_namespace": slo.metadata.namespace}


def _own(slo: ServiceLevelObjective) -> str:
    return "{" + ",".join(f'{label}="{value}"' for label, value in _labels(slo).items()) + "}"


def _camel(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[-.]", name))


def _decimal(number: Fraction) -> str:
    """Write a number as a decimal of at most 12 digits; those of an objective are exact."""
    text = f"{DIGITS.divide(DIGITS.create_decimal(number.numerator), DIGITS.create_decimal(number.denominator)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _literal(text: str) -> str:
    """Keep Prometheus from reading a template in text that people wrote."""
    return re.sub(r"\{\{", '{{ "{{" }}', text)
