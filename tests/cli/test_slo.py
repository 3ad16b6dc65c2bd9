"""`feem slo`: objectives in from OpenSLO, rules out for Prometheus."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import promql_parser as promql
import pytest
import yaml
from typer.testing import CliRunner, Result

from feem.api.objective import ServiceLevelObjective
from feem.cli import slo as module
from feem.cli.problem import NotFound, Problem
from tests.cli.fake import FakeCluster

HERE = Path(__file__).parents[1] / "slo"
OBJECTIVES = HERE / "objectives.yaml"


def run(*arguments: str, given: str = "") -> Result:
    result = CliRunner().invoke(module.slo, arguments, input=given)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def written(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    return list(yaml.safe_load_all(result.stdout))


@pytest.fixture(autouse=True)
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    fake = FakeCluster()
    fake.add(module.OBJECTIVES, *yaml.safe_load_all(OBJECTIVES.read_text(encoding="utf-8")))
    monkeypatch.setattr(module, "connect", lambda *_: fake)
    return fake


def test_import_prints_objectives_and_tells_what_it_left_out(cluster: FakeCluster) -> None:
    result = run("import", str(HERE / "several.yaml"), "-n", "lending")
    bodies = written(result)
    assert [body["metadata"]["name"] for body in bodies] == ["scores-bronze-level", "scores-2", "review-queue"]
    assert {body["metadata"]["namespace"] for body in bodies} == {"lending"}
    for body in bodies:
        ServiceLevelObjective.read(body)
    assert "warning: AlertPolicy wake-somebody is left out" in result.stderr
    assert not cluster.requests, "no cluster is needed"


def test_import_reads_standard_input_and_what_it_prints_makes_rules() -> None:
    given = (HERE / "availability.yaml").read_text(encoding="utf-8")
    imported = run("import", "-", given=given)
    assert not imported.stderr
    (rule,) = written(run("rules", "-f", "-", "-n", "lending", given=imported.stdout))
    assert rule["metadata"]["name"] == "decisions-answered"


def test_import_tells_early_that_a_query_cannot_be_read() -> None:
    text = (HERE / "availability.yaml").read_text(encoding="utf-8")
    result = run("import", "-", given=text.replace('sum(rate(http_requests_total{path="/decision"}[5m]))', "1 - up"))
    assert written(result)
    assert "decisions-answered: FEEM will not accept it before it is mended: spec.indicator.ratio.total: `1 - up`" in (
        result.stderr
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("a: [", "standard input: it is not YAML"),
        ("a: b", "standard input: document 1: apiVersion is None; FEEM reads openslo/v1"),
        ("", "there is no document of kind SLO"),
    ],
)
def test_import_says_what_it_cannot_read(given: str, said: str) -> None:
    with pytest.raises(Problem, match=said):
        run("import", "-", given=given)
    with pytest.raises(Problem, match="No such file"):
        run("import", "nowhere.yaml")


def test_rules_of_one_objective_of_the_cluster(cluster: FakeCluster) -> None:
    (body,) = written(run("rules", "decisions-answered", "--label", "release=prometheus"))
    assert (body["kind"], body["metadata"]["labels"]["release"]) == ("PrometheusRule", "prometheus")
    assert cluster.requests == [f"get {module.OBJECTIVES} decisions-answered"]
    rules = [rule for group in body["spec"]["groups"] for rule in group["rules"]]
    selectors: list[str] = []

    def note(node: promql.Expr) -> None:
        if isinstance(node, promql.VectorSelector) and not (node.name or "").startswith("slo:"):
            selectors.append(node.prettify())

    for rule in rules:
        promql.walk(promql.parse(rule["expr"]), pre_visit=note)
    assert selectors
    assert all('namespace="lending"' in selector for selector in selectors)
    assert any(selector.startswith("timeouts_total") for selector in selectors)


def test_rules_of_a_latency_pick_its_buckets() -> None:
    (body,) = written(run("rules", "decisions-fast"))
    text = str(body)
    assert 'http_request_duration_seconds_bucket{path="/decision",namespace="lending",le="+Inf"}' in text
    assert "vector(0)" not in text


def test_rules_of_a_whole_namespace_leave_out_what_has_no_budget() -> None:
    result = run("rules", "--runbook-url", "https://runbooks.example/slo")
    bodies = written(result)
    names = ["applicants-kept", "decisions-answered", "decisions-fast", "ledger-exact"]
    assert [body["metadata"]["name"] for body in bodies] == names
    assert "ServiceLevelObjective lending/decision-mix is left out: a mix has no error budget" in result.stderr
    assert "lending/applicants-kept: with an objective of 70% nothing burns faster than 3.33 times" in result.stderr
    assert "https://runbooks.example/slo" in result.stdout


def test_rules_for_a_plain_prometheus_from_a_file() -> None:
    result = run("rules", "-f", str(OBJECTIVES), "--format", "prometheus")
    (body,) = written(result)
    names = [group["name"] for group in body["groups"]]
    assert len(names) == len(set(names)) == 12
    for group in body["groups"]:
        for rule in group["rules"]:
            promql.parse(rule["expr"])


def test_a_list_as_kubectl_prints_it_is_read() -> None:
    items = list(yaml.safe_load_all(OBJECTIVES.read_text(encoding="utf-8")))
    given = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": items})
    (body,) = written(run("rules", "ledger-exact", "-f", "-", given=given))
    assert body["metadata"]["name"] == "ledger-exact"


def without(*path: str) -> str:
    body = next(iter(yaml.safe_load_all(OBJECTIVES.read_text(encoding="utf-8"))))
    *way, last = path
    inner = body
    for key in way:
        inner = inner[key]
    del inner[last]
    return yaml.safe_dump(body)


@pytest.mark.parametrize(
    ("arguments", "given", "said"),
    [
        (["-f", "-", "-n", "other"], OBJECTIVES.read_text(encoding="utf-8"), "its namespace is not other"),
        (["-f", "-"], without("metadata", "namespace"), "it names no namespace"),
        (["-f", "-"], without("spec", "objective"), "spec.objective is missing"),
        (["-f", "-"], without("spec", "indicator"), "spec.indicator: Field required"),
        (["-f", "-"], without("spec", "indicator", "ratio"), "give exactly one of ratio, latency, mix and gauge"),
        (["-f", "-"], "[]", "standard input: it has no ServiceLevelObjective"),
        (["-f", "-", "other"], OBJECTIVES.read_text(encoding="utf-8"), "it has no ServiceLevelObjective other"),
        (["decision-mix"], "", "lending/decision-mix: a mix has no error budget"),
        (["decisions-fast", "--label", "release"], "", "--label release: it has no key and value"),
    ],
)
def test_rules_say_what_is_wrong(arguments: list[str], given: str, said: str) -> None:
    with pytest.raises(Problem, match=said) as problem:
        run("rules", *arguments, given=given)
    assert problem.value.exit_code == 2


def test_rules_of_an_objective_that_is_not_there() -> None:
    with pytest.raises(NotFound, match="ServiceLevelObjective lending/other"):
        run("rules", "other")


def test_an_empty_namespace_is_told(cluster: FakeCluster) -> None:
    cluster.objects.clear()
    with pytest.raises(Problem, match="namespace lending: it has no ServiceLevelObjective"):
        run("rules")


def test_a_query_that_cannot_be_read_is_quoted(cluster: FakeCluster) -> None:
    body = cluster.objects[module.OBJECTIVES, "lending", "ledger-exact"]
    body["spec"]["indicator"]["ratio"]["bad"] = "a_total / b_total"
    with pytest.raises(Problem, match=r"spec\.indicator\.ratio\.bad: `a_total / b_total` is a ratio"):
        run("rules", "ledger-exact")


def test_a_pattern_of_names_is_told(cluster: FakeCluster) -> None:
    body = cluster.objects[module.OBJECTIVES, "lending", "ledger-exact"]
    body["spec"]["indicator"]["ratio"]["bad"] = '{__name__=~"a_total|b_total"}'
    result = run("rules", "ledger-exact")
    assert written(result)
    assert "Prometheus refuses a rate over several names at once; join them with or" in result.stderr
