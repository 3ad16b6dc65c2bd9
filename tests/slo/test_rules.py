"""Rules: every expression is PromQL, alerts need both windows, and what cannot burn is refused."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml

from feem.api.objective import ServiceLevelObjective
from feem.core.slo.burn import WINDOWS, reachable
from feem.core.slo.rules import Counter, Counters, NoBudget, groups, prometheus_rule, silent

BODIES: dict[str, dict[str, Any]] = {
    body["metadata"]["name"]: body
    for body in yaml.safe_load_all((Path(__file__).parent / "objectives.yaml").read_text(encoding="utf-8"))
}
BAD, TOTAL = Counter('errors_total{namespace="lending"}', "errors"), Counter('all_total{namespace="lending"}', "all")
ONE = Counters(total=(TOTAL,), bad=(BAD,))


def slo(name: str = "decisions-answered", **spec: Any) -> ServiceLevelObjective:
    body = BODIES[name]
    return ServiceLevelObjective.read({**body, "spec": {**body["spec"], **spec}})


def rules_of(one: ServiceLevelObjective, counters: Counters = ONE) -> list[dict[str, Any]]:
    return [rule for group in groups(one, counters) for rule in group["rules"]]


def recorded(one: ServiceLevelObjective, counters: Counters = ONE) -> dict[str, str]:
    return {rule["record"]: rule["expr"] for rule in rules_of(one, counters) if "record" in rule}


def alerts(one: ServiceLevelObjective) -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in rules_of(one) if "alert" in rule}


@pytest.mark.parametrize("days", [1, 3, 7, 30, 90])
@pytest.mark.parametrize("objective", ["99.999999", "99.9", "70", "0.5", "100"])
@pytest.mark.parametrize(
    "counters",
    [
        ONE,
        Counters(total=(TOTAL,), good=(BAD,)),
        Counters(total=(TOTAL, BAD), bad=(BAD, Counter('errors_total{namespace="lending",code="9"}', "errors"))),
    ],
)
def test_every_expression_is_promql_over_what_stands_before_it(days: int, objective: str, counters: Counters) -> None:
    known: set[str] = set()
    for rule in rules_of(slo(windowDays=days, objective=objective), counters):
        promql.parse(rule["expr"])
        assert set(re.findall(r"slo:[a-z_:0-9]+", rule["expr"])) <= known
        known.add(rule.get("record", ""))
        assert rule["labels"]["slo"] == "decisions-answered"
        assert rule["labels"]["slo_namespace"] == "lending"


def test_the_object_is_what_the_prometheus_operator_takes() -> None:
    body = prometheus_rule(slo(), ONE, {"release": "prometheus"})
    assert (body["apiVersion"], body["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert body["metadata"] == {
        "name": "decisions-answered",
        "namespace": "lending",
        "labels": {"app.kubernetes.io/part-of": "feem", "release": "prometheus"},
    }
    names = [group["name"] for group in body["spec"]["groups"]]
    assert names == [f"slo-lending-decisions-answered-{part}" for part in ("rates", "budget", "alerts")]
    for group in body["spec"]["groups"]:
        assert set(group) <= {"name", "interval", "rules"}
        for rule in group["rules"]:
            assert set(rule) in ({"record", "expr", "labels"}, {"alert", "expr", "labels", "annotations"})


def test_each_window_is_recorded_once() -> None:
    records = [rule["record"] for rule in rules_of(slo(windowDays=3)) if "record" in rule]
    assert len(records) == len(set(records))
    windows = [name.removeprefix("slo:sli_error:ratio_rate") for name in recorded(slo()) if "sli_error" in name]
    assert windows == ["5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"]


def test_alerts_need_the_long_and_the_short_window() -> None:
    fast, slow = alerts(slo()).values()
    assert (fast["alert"], fast["labels"]["severity"]) == ("DecisionsAnsweredBurnsFast", "page")
    assert (slow["alert"], slow["labels"]["severity"]) == ("DecisionsAnsweredBurnsSlowly", "ticket")
    own = '{slo="decisions-answered",slo_namespace="lending"}'
    error = "slo:sli_error:ratio_rate"
    assert fast["expr"] == (
        f"({error}1h{own} > (14.4 * 0.001) and {error}5m{own} > (14.4 * 0.001))\nor\n"
        f"({error}6h{own} > (6 * 0.001) and {error}30m{own} > (6 * 0.001))"
    )
    assert "(3 * 0.001)" in slow["expr"]
    assert "(1 * 0.001)" in slow["expr"]


def test_budget_and_objective_are_recorded_exactly() -> None:
    assert recorded(slo())["slo:objective:ratio"] == "vector(0.999)"
    assert recorded(slo(objective="99.999999"))["slo:error_budget:ratio"] == "vector(0.00000001)"
    assert recorded(slo())["slo:period_error_budget_remaining:ratio"].endswith("/ 0.001")
    assert recorded(slo(objective="100"))["slo:period_error_budget_remaining:ratio"].endswith("== bool 0")


def test_no_events_give_no_ratio_and_no_bad_counter_gives_zero() -> None:
    expression = recorded(slo())["slo:sli_error:ratio_rate1h"]
    bad, total = (f"sum(rate({one.selector}[1h]))" for one in (BAD, TOTAL))
    assert expression == f"({bad} or vector(0)) / ({total} > 0)"
    good = recorded(slo(), Counters(total=(TOTAL,), good=(BAD,)))["slo:sli_error:ratio_rate1h"]
    assert good == f"clamp_min({total} - ({bad} or vector(0)), 0) / ({total} > 0)"
    edge = recorded(slo("decisions-fast"), Counters(total=(TOTAL,), good=(BAD,)))["slo:sli_error:ratio_rate1h"]
    assert edge == f"clamp_min({total} - {bad}, 0) / ({total} > 0)", "a missing bucket is no outage"


def test_counters_of_different_metrics_are_kept_apart() -> None:
    twice = Counters(total=(TOTAL,), bad=(BAD, TOTAL, Counter("errors_total{x='1'}", "errors")))
    expression = recorded(slo(), twice)["slo:sli_bad_events:rate5m"]
    assert re.findall(r'"feem_metric", "(\d)"', expression) == ["0", "1", "0"]


def test_alerts_that_could_never_fire_are_left_out_and_told() -> None:
    low = slo("applicants-kept")
    assert [reachable(pair, 30, "70") for pair in WINDOWS] == [False, False, True, True]
    assert list(alerts(low)) == ["ApplicantsKeptBurnsSlowly"]
    assert "14.4 over 1h (page), 6 over 6h (page)" in silent(low)
    assert not silent(slo())
    hopeless = slo(objective="0.5", windowDays=90)
    assert not alerts(hopeless)
    assert [group["name"].rsplit("-", 1)[1] for group in groups(hopeless, ONE)] == ["rates", "budget"]


def test_factors_follow_the_window() -> None:
    text = alerts(slo(windowDays=7))["DecisionsAnsweredBurnsFast"]["expr"]
    assert "(3.36 * 0.001)" in text
    assert Fraction("3.36") == WINDOWS[0].factor(7)


def test_what_people_wrote_is_no_template() -> None:
    fast = prometheus_rule(slo(), ONE, runbook_url="https://runbooks.example/{{x}}")["spec"]["groups"][2]["rules"][0]
    assert (
        'What this objective protects: An application gets a decision, {{ "{{" }} not }} an error\n'
        in (fast["annotations"]["description"])
    )
    assert fast["annotations"]["runbook_url"] == 'https://runbooks.example/{{ "{{" }}x}}'
    assert "runbook_url" not in alerts(slo())["DecisionsAnsweredBurnsFast"]["annotations"]


def test_what_has_no_budget_is_refused() -> None:
    with pytest.raises(NoBudget, match="a mix has no error budget"):
        groups(slo("decision-mix"), ONE)
    with pytest.raises(NoBudget, match="a gauge has no error budget"):
        groups(slo("decision-mix", indicator={"gauge": {"query": "up", "min": "1"}}), ONE)
    with pytest.raises(NoBudget, match=re.escape("spec.objective is missing")):
        groups(slo(objective=None), ONE)
