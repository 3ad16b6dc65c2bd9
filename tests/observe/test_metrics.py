from __future__ import annotations

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from feem.observe.metrics import OperatorMetrics
from feem.ports import Measurements

SPECIFIED = {
    "feem_release_info",
    "feem_release_step",
    "feem_release_weight",
    "feem_releases",
    "feem_release_duration_seconds",
    "feem_verdicts",
    "feem_slo_measured",
    "feem_slo_error_budget_left_ratio",
    "feem_slo_burn_rate",
    "feem_slo_budget_burning",
    "feem_reconcile_duration_seconds",
    "feem_reconciles",
    "feem_queue_depth",
    "feem_queue_oldest_seconds",
    "feem_api_requests",
    "feem_api_request_duration_seconds",
    "feem_leader",
    "feem_audit_index",
    "feem_audit_append_seconds",
    "feem_audit_size",
    "feem_audit_open_intents",
    "feem_audit_signing",
    "feem_audit_signed_size",
    "feem_audit_checkpoint_timestamp_seconds",
    "feem_audit_published_size",
    "feem_audit_unpublished",
    "feem_audit_publish_failures",
    "feem_metrics_queries",
}


def samples(metrics: OperatorMetrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(generate_latest(metrics.registry).decode())
    return {(s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples}


def value(metrics: OperatorMetrics, name: str, **labels: str) -> float | None:
    return samples(metrics).get((name, frozenset(labels.items())))


def test_it_is_the_measurements_port() -> None:
    port: Measurements = OperatorMetrics()
    port.verdict("lending", "limit-scoring", "errors", "Pass")


def test_every_specified_metric_is_exported() -> None:
    families = {f.name for f in text_string_to_metric_families(generate_latest(OperatorMetrics().registry).decode())}
    assert families >= SPECIFIED


def test_a_release_has_one_state_at_a_time() -> None:
    metrics = OperatorMetrics()
    where = {"namespace": "lending", "service": "limit-scoring", "release": "limit-scoring-4"}
    metrics.release_seen("lending", "limit-scoring", "limit-scoring-4", step=0, weight=0, state="Held")
    metrics.release_seen("lending", "limit-scoring", "limit-scoring-4", step=1, weight=10, state="Baking")

    assert value(metrics, "feem_release_info", **where, state="Baking") == 1
    assert value(metrics, "feem_release_info", **where, state="Held") is None
    assert value(metrics, "feem_release_step", **where) == 1
    assert value(metrics, "feem_release_weight", **where) == 10


def test_an_ended_release_is_counted_and_its_running_figures_go() -> None:
    metrics = OperatorMetrics()
    metrics.release_seen("lending", "limit-scoring", "limit-scoring-4", step=1, weight=10, state="Baking")
    assert value(metrics, "feem_releases_total", namespace="lending", service="limit-scoring", result="Promoted") == 0

    metrics.release_ended("lending", "limit-scoring", "limit-scoring-4", result="RolledBack", seconds=42.0)

    found = samples(metrics)
    assert not [name for name, _ in found if name in {"feem_release_info", "feem_release_step", "feem_release_weight"}]
    assert value(metrics, "feem_releases_total", namespace="lending", service="limit-scoring", result="RolledBack") == 1
    assert value(metrics, "feem_release_duration_seconds_sum", result="RolledBack") == 42.0


def test_a_release_that_was_never_seen_can_end() -> None:
    metrics = OperatorMetrics()
    metrics.release_ended("lending", "limit-scoring", "limit-scoring-4", result="Cancelled", seconds=1.0)
    assert value(metrics, "feem_releases_total", namespace="lending", service="limit-scoring", result="Cancelled") == 1


def test_a_follower_shows_no_running_releases() -> None:
    metrics = OperatorMetrics()
    metrics.leading(True)
    metrics.release_seen("lending", "limit-scoring", "limit-scoring-4", step=1, weight=10, state="Baking")
    metrics.leading(False)
    assert value(metrics, "feem_leader") == 0
    assert not [name for name, _ in samples(metrics) if name == "feem_release_info"]


def test_work_is_counted() -> None:
    metrics = OperatorMetrics()
    metrics.api_request("patch", "httproutes", 200, 0.004)
    metrics.api_request("get", "leases", "timeout", 5.0)
    metrics.reconciled("done", 0.01)
    metrics.watch_queue(lambda: 3, lambda: 1.5)
    metrics.audit_appended(41, 0.003)
    metrics.query("empty")

    assert value(metrics, "feem_api_requests_total", verb="patch", resource="httproutes", code="200") == 1
    assert value(metrics, "feem_api_requests_total", verb="get", resource="leases", code="timeout") == 1
    assert value(metrics, "feem_reconciles_total", outcome="done") == 1
    assert value(metrics, "feem_queue_depth") == 3
    assert value(metrics, "feem_queue_oldest_seconds") == 1.5
    assert value(metrics, "feem_audit_index") == 41
    assert value(metrics, "feem_audit_append_seconds_count") == 1
    assert value(metrics, "feem_metrics_queries_total", outcome="empty") == 1


def test_verdicts_start_from_zero_for_every_outcome() -> None:
    metrics = OperatorMetrics()
    metrics.verdict("lending", "limit-scoring", "errors", "Pass")
    where = {"namespace": "lending", "service": "limit-scoring", "objective": "errors"}
    assert value(metrics, "feem_verdicts_total", **where, outcome="Pass") == 1
    assert value(metrics, "feem_verdicts_total", **where, outcome="Fail") == 0


def objective_samples(metrics: OperatorMetrics) -> dict[tuple[str, str], float]:
    found = samples(metrics).items()
    return {(name, dict(labels).get("window", "")): value for (name, labels), value in found if "feem_slo" in name}


def test_an_objective_shows_its_budget() -> None:
    metrics = OperatorMetrics()
    metrics.objectives.objective_seen(
        "lending", "errors", measured=True, left=0.83, burn={"5m": 2.0, "1h": 0.5}, burning=["page"]
    )
    where = {"namespace": "lending", "objective": "errors"}
    assert value(metrics, "feem_slo_measured", **where) == 1
    assert value(metrics, "feem_slo_error_budget_left_ratio", **where) == 0.83
    assert value(metrics, "feem_slo_burn_rate", **where, window="5m") == 2.0
    assert value(metrics, "feem_slo_burn_rate", **where, window="1h") == 0.5
    assert value(metrics, "feem_slo_budget_burning", **where, severity="page") == 1
    assert value(metrics, "feem_slo_budget_burning", **where, severity="ticket") == 0


def test_figures_that_are_not_known_any_more_are_dropped() -> None:
    metrics = OperatorMetrics()
    metrics.objectives.objective_seen(
        "lending", "errors", measured=True, left=0.83, burn={"5m": 2.0, "1h": 0.5}, burning=()
    )
    metrics.objectives.objective_seen("lending", "errors", measured=True, left=0.82, burn={"1h": 0.4}, burning=())
    assert ("feem_slo_burn_rate", "5m") not in objective_samples(metrics)
    metrics.objectives.objective_seen("lending", "errors", measured=False, left=None, burn={}, burning=())
    assert objective_samples(metrics) == {("feem_slo_measured", ""): 0}


def test_an_objective_that_is_gone_has_no_figures() -> None:
    metrics = OperatorMetrics()
    metrics.objectives.objective_seen("lending", "errors", measured=True, left=0.83, burn={"1h": 0.5}, burning=())
    metrics.objectives.objective_seen("lending", "queue", measured=True, left=None, burn={}, burning=())
    for name in ("errors", "queue", "never-seen"):
        metrics.objectives.objective_gone("lending", name)
    assert objective_samples(metrics) == {}


def test_a_follower_shows_no_budgets() -> None:
    metrics = OperatorMetrics()
    metrics.leading(True)
    metrics.objectives.objective_seen("lending", "errors", measured=True, left=0.83, burn={"1h": 0.5}, burning=())
    metrics.leading(False)
    assert objective_samples(metrics) == {}


def test_the_log_is_told_until_another_operator_leads() -> None:
    metrics = OperatorMetrics()
    metrics.audit.log_seen(120, 2)
    metrics.audit.log_signed(100, 1_767_225_600.0)
    metrics.audit.log_published(100)
    metrics.audit.log_signing(ok=True)
    metrics.audit.log_failed("witness")
    assert value(metrics, "feem_audit_unpublished") == 20
    assert value(metrics, "feem_audit_checkpoint_timestamp_seconds") == 1_767_225_600
    assert value(metrics, "feem_audit_publish_failures_total", stage="witness") == 1
    metrics.audit.log_seen(130, 0)
    assert value(metrics, "feem_audit_unpublished") == 30

    metrics.leading(False)
    assert value(metrics, "feem_audit_size") == value(metrics, "feem_audit_signing") == 0
    assert value(metrics, "feem_audit_publish_failures_total", stage="witness") == 1


OUTAGE = ("lending", "limit-scoring", "outage")
CHAOS = dict(zip(("namespace", "service", "experiment"), OUTAGE, strict=True))


def test_a_fault_is_shown_while_it_may_be_in_place() -> None:
    metrics = OperatorMetrics()
    fault = (*OUTAGE, "outage-x2v", "PodKill")
    where = {**CHAOS, "run": "outage-x2v", "fault": "PodKill"}
    metrics.chaos.fault(*fault, in_place=True, expires=1_767_225_600.0)
    assert value(metrics, "feem_chaos_fault_in_place", **where) == 1
    assert value(metrics, "feem_chaos_fault_expires_timestamp_seconds", **where) == 1_767_225_600
    metrics.chaos.fault(*fault, in_place=False, expires=0.0)
    metrics.chaos.fault(*fault, in_place=False, expires=0.0)
    assert value(metrics, "feem_chaos_fault_in_place", **where) is None
    assert value(metrics, "feem_chaos_fault_expires_timestamp_seconds", **where) is None


def test_runs_are_counted_from_zero_once_their_fault_is_in_place() -> None:
    """Else the first one that leaves something would be the one that `increase` does not see."""
    metrics = OperatorMetrics()
    metrics.chaos.fault(*OUTAGE, "outage-x2v", "PodKill", in_place=True, expires=0.0)
    assert value(metrics, "feem_chaos_runs_total", **CHAOS, result="Error", cause="ResidueLeft") == 0
    metrics.chaos.run_ended(*OUTAGE, "Error", "ResidueLeft")
    assert value(metrics, "feem_chaos_runs_total", **CHAOS, result="Error", cause="ResidueLeft") == 1
    assert value(metrics, "feem_chaos_runs_total", **CHAOS, result="Passed", cause="HypothesisHeld") == 0


def test_a_follower_shows_no_faults() -> None:
    metrics = OperatorMetrics()
    metrics.leading(True)
    metrics.chaos.fault(*OUTAGE, "outage-x2v", "PodKill", in_place=True, expires=0.0)
    metrics.leading(False)
    assert not [name for name, _ in samples(metrics) if name.startswith("feem_chaos_fault")]
