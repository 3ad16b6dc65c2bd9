"""OpenSLO documents become objectives the API takes; what does not fit is refused or told, never dropped."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from feem.api.objective import ServiceLevelObjective
from feem.core.slo.document import Unreadable
from feem.core.slo.openslo import read

HERE = Path(__file__).parent
CRD = HERE.parents[1] / "crds/servicelevelobjectives.feem.dev.yaml"
Document = dict[str, Any]


def documents(name: str) -> list[Document]:
    return list(yaml.safe_load_all((HERE / name).read_text(encoding="utf-8")))


AVAILABILITY = documents("availability.yaml")[0]


def changed(change: Callable[[Document], None]) -> Document:
    """Return the availability document after a change of its spec."""
    document = copy.deepcopy(AVAILABILITY)
    change(document["spec"])
    return document


def fits(schema: dict[str, Any], value: Any, path: str = "") -> None:
    """Assert what the API server would: types, names, bounds; CEL has its own tests, against a real one."""
    kinds: dict[str, type] = {"object": dict, "string": str, "integer": int, "array": list}
    assert isinstance(value, kinds[schema["type"]]), f"{path} is {value!r}"
    if isinstance(value, dict):
        assert set(schema.get("required", ())) <= set(value), path
        for key, inner in value.items():
            assert key in schema["properties"], f"{path}.{key} is not in the schema"
            fits(schema["properties"][key], inner, f"{path}.{key}")
    elif isinstance(value, str):
        assert schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 99), path
        assert "enum" not in schema or value in schema["enum"], path
        if "pattern" in schema:
            assert re.search(schema["pattern"], value), f"{path} is {value!r}"
    elif isinstance(value, int):
        assert schema["minimum"] <= value <= schema["maximum"], path


@pytest.mark.parametrize("name", ["availability.yaml", "several.yaml"])
def test_what_comes_out_fits_the_model_and_the_definition(name: str) -> None:
    crd = yaml.safe_load(CRD.read_text(encoding="utf-8"))
    schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    for body in read(documents(name), "lending").objectives:
        fits(schema, body["spec"], "spec")
        spec = ServiceLevelObjective.read(body).spec
        assert (spec.objective is not None) == (spec.indicator.ratio is not None)
        assert json.loads(json.dumps(body)) == body


def test_a_ratio_with_its_names_and_marks() -> None:
    (body,) = read([AVAILABILITY], "lending").objectives
    assert body["metadata"] == {
        "name": "decisions-answered",
        "namespace": "lending",
        "labels": {"team": "lending", "userImpacting": "true"},
        "annotations": {
            "openslo.feem.dev/service": "limit-scoring",
            "openslo.feem.dev/display-name": "Decisions are answered",
            "openslo.feem.dev/indicator": "decisions-answered-ratio",
            "openslo.feem.dev/objective": "Answered",
            "label.openslo.feem.dev/tier": "one, two",
            "example.com/dashboard": "credit/decisions",
        },
    }
    assert body["spec"] == {
        "description": "An application gets a decision, not an error",
        "category": "Technical",
        "objective": "99.9",
        "windowDays": 28,
        "indicator": {
            "ratio": {
                "good": 'sum(rate(http_requests_total{path="/decision",code!~"5.."}[5m]))',
                "total": 'sum(rate(http_requests_total{path="/decision"}[5m]))',
            }
        },
    }
    assert not read([AVAILABILITY]).warnings
    assert "namespace" not in read([AVAILABILITY]).objectives[0]["metadata"]


def test_references_several_objectives_and_a_bound() -> None:
    reading = read(documents("several.yaml"))
    found = {body["metadata"]["name"]: body["spec"] for body in reading.objectives}
    assert list(found) == ["scores-bronze-level", "scores-2", "review-queue"]
    assert [found[name].get("objective") for name in found] == ["99", "99.995", None]
    assert found["scores-2"]["indicator"] == {"ratio": {"bad": "score_failures_total", "total": "scores_total"}}
    assert found["scores-2"]["description"] == "Scores that could not be computed"
    assert found["review-queue"]["indicator"] == {"gauge": {"query": "max(review_queue_depth)", "max": "250"}}
    assert found["review-queue"]["windowDays"] == 7
    for said in ("DataSource metrics", "Service limit-scoring", "AlertPolicy wake-somebody", "lt became lte", "target"):
        assert any(said in warning for warning in reading.warnings), said
    assert len(reading.warnings) == 5


@pytest.mark.parametrize(("op", "bound"), [("lte", "max"), ("lt", "max"), ("gte", "min"), ("gt", "min")])
def test_op_says_which_values_are_good(op: str, bound: str) -> None:
    document = documents("several.yaml")[3]
    document["spec"]["objectives"][0] |= {"op": op, "value": -0.5}
    (body,) = read([document]).objectives
    assert body["spec"]["indicator"]["gauge"][bound] == "-0.5"


@given(st.decimals("0.000001", "99.999999", places=6))
def test_targets_are_read_exactly(percent: Any) -> None:
    plain = f"{percent:f}".rstrip("0").rstrip(".")
    by_percent = changed(lambda spec: spec.update(objectives=[{"targetPercent": float(percent)}]))
    by_share = changed(lambda spec: spec.update(objectives=[{"target": float(percent / 100)}]))
    for document in (by_percent, by_share):
        assert read([document]).objectives[0]["spec"]["objective"] == plain


@pytest.mark.parametrize(("duration", "days"), [("30d", 30), ("4w", 28), ("24h", 1), ("1440m", 1), ("90d", 90)])
def test_durations(duration: str, days: int) -> None:
    document = changed(lambda spec: spec.update(timeWindow=[{"duration": duration, "isRolling": True}]))
    assert read([document]).objectives[0]["spec"]["windowDays"] == days


RATIO = "indicator.spec.ratioMetric"


def set_at(path: str, value: Any) -> Callable[[Document], None]:
    def change(spec: Document) -> None:
        *way, last = path.split(".")
        for key in way:
            spec = spec[key]
        if value is None:
            del spec[last]
        else:
            spec[last] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("budgetingMethod", "Timeslices", "spec.budgetingMethod is 'Timeslices'; FEEM counts events"),
        ("budgetingMethod", "RatioTimeslices", "spec.budgetingMethod is 'RatioTimeslices'"),
        ("indicatorRef", "other", "has indicator and indicatorRef; give exactly one"),
        ("indicator", None, "has no indicator; give exactly one"),
        (
            "timeWindow",
            [{"duration": "1M", "isRolling": True}],
            "spec.timeWindow[0].duration '1M' is not 1 to 90 whole",
        ),
        ("timeWindow", [{"duration": "91d", "isRolling": True}], "'91d' is not 1 to 90 whole days"),
        ("timeWindow", [{"duration": "36h", "isRolling": True}], "'36h' is not 1 to 90 whole days"),
        ("timeWindow", [{"duration": "30d", "isRolling": False}], "spec.timeWindow[0] follows the calendar"),
        ("timeWindow", [{"duration": "30d", "calendar": {"timeZone": "UTC"}}], "follows the calendar"),
        ("timeWindow", [{"duration": "7d"}, {"duration": "30d"}], "spec.timeWindow has 2 windows; give one"),
        ("timeWindow", "30d", "spec.timeWindow is not a list"),
        ("objectives", [], "spec.objectives is missing"),
        ("objectives", [{"target": 1}], "spec.objectives[0].target is 100%"),
        ("objectives", [{"target": 0}], "spec.objectives[0].target is 0%"),
        ("objectives", [{"target": 99.9}], "target is 9990%"),
        ("objectives", [{"target": "0.9"}], "spec.objectives[0].target is not a number"),
        ("objectives", [{"target": True}], "spec.objectives[0].target is not a number"),
        ("objectives", [{"target": float("nan")}], "spec.objectives[0].target is not finite"),
        ("objectives", [{"target": 0.999999999}], "at most 6 digits"),
        ("objectives", [{"target": 0.9, "targetPercent": 90}], "has target and targetPercent; give exactly one"),
        ("objectives", [{}], "spec.objectives[0] has no target"),
        ("objectives", ["99"], "spec.objectives[0] is not a mapping"),
        (f"{RATIO}.counter", False, "counter is not true, so its values go up and down"),
        (f"{RATIO}.raw", {"metricSource": {}}, "spec.ratioMetric.raw is a ratio that was computed before"),
        (f"{RATIO}.good", None, "has neither; give exactly one of good and bad"),
        (f"{RATIO}.bad", {}, "has good and bad; give exactly one"),
        (f"{RATIO}.total", None, "spec.ratioMetric.total is missing"),
        (f"{RATIO}.total.metricSource.type", "Datadog", "total.metricSource.type is 'Datadog'; FEEM asks Prometheus"),
        (f"{RATIO}.total.metricSource.type", None, "total.metricSource.type is not known"),
        (f"{RATIO}.total.metricSource.spec", {"promql": "x"}, "total.metricSource.spec.query is missing"),
        ("indicator.spec", {}, "has no metric; give exactly one of ratioMetric and thresholdMetric"),
        ("description", 7, "spec.description is not a text"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(path: str, value: Any, message: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read([changed(set_at(path, value))])
    assert message in str(refused.value)
    assert str(refused.value).startswith("SLO decisions-answered: ")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"apiVersion": "openslo/v1alpha", "kind": "SLO"}, "document 1: apiVersion is 'openslo/v1alpha'"),
        ({"apiVersion": "feem.dev/v1alpha1", "kind": "ServiceLevelObjective"}, "FEEM reads openslo/v1"),
        ({"apiVersion": "openslo/v1", "metadata": {"name": "x"}}, "document 1: kind is missing"),
        ({"apiVersion": "openslo/v1", "kind": "SLO"}, "document 1: metadata is missing"),
        ({"apiVersion": "openslo/v1", "kind": "SLO", "metadata": {}}, "document 1: metadata.name is missing"),
        ({"apiVersion": "openslo/v1", "kind": "Dream", "metadata": {"name": "x"}}, "OpenSLO has no kind 'Dream'"),
        ({"apiVersion": "openslo/v1", "kind": "SLI", "metadata": {"name": "x"}}, "there is no document of kind SLO"),
        ("text", "document 1 is not a mapping"),
    ],
)
def test_what_is_no_openslo_is_refused(document: Any, message: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read([document])
    assert message in str(refused.value)


def test_names_must_be_names_of_kubernetes_and_differ() -> None:
    document = copy.deepcopy(AVAILABILITY)
    with pytest.raises(Unreadable, match="two objectives would be named 'decisions-answered'"):
        read([document, AVAILABILITY])
    document["metadata"]["name"] = "Decisions/answered"
    with pytest.raises(Unreadable, match="is no Kubernetes name"):
        read([document])


def test_an_unknown_reference_is_refused_and_an_unused_indicator_told() -> None:
    source, sli, slo = documents("several.yaml")[:3]
    with pytest.raises(Unreadable, match=r"SLO scores: spec.indicatorRef: there is no SLI 'score-errors' here"):
        read([source, slo])
    with pytest.raises(Unreadable, match=r"SLI score-errors: spec.ratioMetric.bad.metricSource.type is not known"):
        read([sli, slo])
    assert "SLI score-errors is left out: no SLO refers to it" in read([AVAILABILITY, source, sli]).warnings


def test_nothing_is_dropped_in_silence() -> None:
    def change(spec: Document) -> None:
        spec["alertPolicies"] = [{"alertPolicyRef": "wake-somebody"}]
        spec["owner"] = "lending"
        spec["indicator"]["spec"]["ratioMetric"]["good"]["metricSource"]["spec"]["step"] = "1m"
        spec["objectives"][0] |= {"op": "lte", "value": 1, "timeSliceWindow": "5m"}
        del spec["timeWindow"], spec["budgetingMethod"], spec["indicator"]["spec"]["ratioMetric"]["counter"]
        spec["description"] = "x" * 1050

    reading = read([changed(change)])
    for said in (
        "spec.alertPolicies is left out",
        "spec.owner is left out: FEEM does not know this field",
        "good.metricSource.spec.step is left out",
        "spec.objectives[0].op is left out",
        "spec.objectives[0].value is left out",
        "spec.objectives[0].timeSliceWindow is left out",
        "spec.timeWindow is missing: 30 days are taken",
        "spec.budgetingMethod is missing",
        "ratioMetric.counter is missing",
        "spec.description is cut to 1024 characters",
    ):
        assert sum(said in warning for warning in reading.warnings) == 1, (said, reading.warnings)
    assert len(reading.warnings) == 10
    assert len(reading.objectives[0]["spec"]["description"]) == 1024
