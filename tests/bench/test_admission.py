"""The bench of admission: the order of measuring, the figures and what is said of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from bench.admission import objects
from bench.admission.cells import RISK, Cell, cells, paused
from bench.admission.figures import Measured, compared, median_interval, percentile, side
from bench.admission.plan import Arm, blocks, turned
from bench.admission.policies import collection, place, read
from bench.admission.report import COMMAND, Run, facts, sections
from bench.admission.server import Check, checks, since
from bench.admission.wire import Answer
from bench.session import Session

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("share", "value"), [(0.0, 1.0), (0.5, 2.5), (0.95, 3.85), (1.0, 4.0)])
def test_percentiles_lie_between_the_nearest_values(share: float, value: float) -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], share) == pytest.approx(value)


def test_a_percentile_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 0.5)


@pytest.mark.parametrize(("length", "left_out"), [(1, 0), (5, 0), (6, 0), (8, 0), (9, 1), (12, 2), (20, 5)])
def test_the_interval_of_a_median_is_that_of_the_sign_test(length: int, left_out: int) -> None:
    values = list(range(length))[::-1]
    assert median_interval(values) == (left_out, length - 1 - left_out)


def test_blocks_come_in_turn_and_each_round_has_both_sides() -> None:
    planned = list(blocks(4))
    assert [block.arm.value for block in planned[:4]] == ["without", "with", "with", "without"]
    for number in range(4):
        assert {block.arm for block in planned if block.round == number} == set(Arm)
    changes = sum(one.arm is not other.arm for one, other in pairwise(planned))
    assert changes == 4


def test_cells_take_turns_in_coming_first() -> None:
    assert turned([1, 2, 3], 4) == [2, 3, 1]
    assert turned([], 4) == []


def round_of(without: Sequence[float], with_policies: Sequence[float]) -> dict[Arm, Measured]:
    return {Arm.WITHOUT: Measured(tuple(without), 0.01), Arm.WITH: Measured(tuple(with_policies), 0.04)}


def test_what_is_added_is_the_difference_of_medians() -> None:
    found = compared([round_of([0.001, 0.002], [0.003, 0.004])] * 6)
    assert (found.without.requests, found.without.p50, found.with_policies.p50) == pytest.approx((12, 1.5, 3.5))
    assert (found.added_p50, found.low, found.high, found.ratio) == pytest.approx((2.0, 2.0, 2.0, 3.5 / 1.5))
    assert found.with_policies.cpu == pytest.approx(20.0)  # 0.04 s for two requests
    assert found.plain()["addedCpuSecondsPer1000"] == 15.0
    assert found.row("x")[:5] == ("x", "12/12", "1.50", "3.50", "+2.00")


def test_cpu_is_shared_among_the_requests_of_all_blocks() -> None:
    assert side([Measured((0.1,), 0.002), Measured((0.1, 0.1, 0.1), 0.002)]).cpu == pytest.approx(1.0)


METRICS = """\
# TYPE apiserver_admission_match_condition_evaluation_seconds histogram
apiserver_admission_match_condition_evaluation_seconds_bucket{kind="policy",name="hold.feem.dev",type="admit",le="+Inf"} 7
apiserver_admission_match_condition_evaluation_seconds_sum{kind="policy",name="hold.feem.dev",type="admit"} 0.007
apiserver_admission_match_condition_evaluation_seconds_count{kind="policy",name="hold.feem.dev",type="admit"} 7
# TYPE apiserver_admission_match_condition_evaluation_errors_total counter
apiserver_admission_match_condition_evaluation_errors_total{kind="policy",name="hold.feem.dev",type="admit"} 2
# TYPE apiserver_mutating_admission_policy_check_duration_seconds histogram
apiserver_mutating_admission_policy_check_duration_seconds_sum{error_type="no_error",policy="hold.feem.dev"} 0.002
apiserver_mutating_admission_policy_check_duration_seconds_count{error_type="no_error",policy="hold.feem.dev"} 4
# TYPE apiserver_validating_admission_policy_check_duration_seconds histogram
apiserver_validating_admission_policy_check_duration_seconds_sum{error_type="no_error",policy="held.feem.dev"} 0.1
apiserver_validating_admission_policy_check_duration_seconds_count{error_type="no_error",policy="held.feem.dev"} 10
apiserver_validating_admission_policy_check_duration_seconds_sum{error_type="out_of_budget",policy="held.feem.dev"} 1
apiserver_validating_admission_policy_check_duration_seconds_count{error_type="out_of_budget",policy="held.feem.dev"} 1
apiserver_validating_admission_policy_check_duration_seconds_count{error_type="invalid_error",policy="held.feem.dev"} 3
# TYPE apiserver_request_total counter
apiserver_request_total{code="200"} 9
"""


def test_the_api_servers_figures_are_read_by_policy() -> None:
    found = checks(METRICS)
    assert found["hold.feem.dev"] == Check(7, 0.007, 4, 0.002, {"match_condition_error": 2})
    assert found["held.feem.dev"].checks == 14
    assert found["held.feem.dev"].checking == pytest.approx(1.1)
    assert found["held.feem.dev"].broken == 1  # a refusal or a warning is no failure
    assert set(found) == {"hold.feem.dev", "held.feem.dev"}


def test_only_what_happened_in_between_counts() -> None:
    later = {"held.feem.dev": Check(5, 0.5, 20, 2.0, {"out_of_budget": 1, "invalid_error": 4})}
    grown = since(checks(METRICS), later, ["held.feem.dev", "digest.feem.dev"])
    assert grown["held.feem.dev"].kinds == {"invalid_error": 1}
    assert grown["held.feem.dev"].broken == 0
    assert grown["digest.feem.dev"] == Check()


def test_a_policy_that_no_request_met_shows_no_mean() -> None:
    assert Check(0, 0, 0, 0).row("x") == ("x", "0", "-", "0", "-", "0")


def cell(name: str) -> Cell:
    return next(one for one in cells() if one.name == name)


def test_the_large_deployment_is_as_large_as_asked_for() -> None:
    body = json.loads(cell("large").content[Arm.WITH])
    template = body["spec"]["template"]
    assert len(template["spec"]["containers"]) == 100
    assert len(template["metadata"]["labels"]) == len(body["metadata"]["labels"]) == 64
    assert body["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    ports = [one["ports"][0]["containerPort"] for one in template["spec"]["containers"]]
    assert len(set(ports)) == 100  # the containers of a pod share its ports


def test_two_versions_differ_in_the_last_container_only() -> None:
    old, new = (
        objects.deployment("lending", "scoring", governed=True, version=version, containers=3)["spec"]["template"][
            "spec"
        ]
        for version in ("1", "2")
    )
    assert [one == other for one, other in zip(old["containers"], new["containers"], strict=True)] == [
        True,
        True,
        False,
    ]


def test_an_approval_is_short_where_admission_fills_in_the_rest() -> None:
    short, full = (json.loads(cell("decision50").content[arm])["spec"] for arm in (Arm.WITH, Arm.WITHOUT))
    assert set(full) - set(short) == {"by", "groups", "digest"}
    assert (full["by"], full["release"]) == (RISK.user, "scoring-50-r1")


def test_nothing_that_is_measured_is_written() -> None:
    assert all(one.path.endswith("?dryRun=All") for one in cells())


def test_only_a_paused_deployment_is_held() -> None:
    assert paused({"spec": {"paused": True}})
    assert not paused({"spec": {}})


def test_every_manifest_of_this_checkout_has_its_place() -> None:
    for body in (*read(ROOT / "policies"), *read(ROOT / "crds")):
        assert place(body) == f"{collection(body)}/{body['metadata']['name']}"


def run(said: str = "", held: Check = Check(10, 0.01, 20, 0.02)) -> Run:  # noqa: B008 - frozen
    both = compared([round_of([0.001], [0.003])] * 6)
    return Run(
        cells(),
        {one.name: both for one in cells()},
        {"held.feem.dev": held, "traffic.feem.dev": Check()},
        {100: "", 200: said},
        96,
        (1.1,),
        0.02,
        6,
    )


def test_the_report_shows_every_cell_and_keeps_its_promises() -> None:
    made = sections(run())
    assert [len(one.rows) for one in made] == [len(cells()), 1, 2]
    assert all(check.passed for one in made for check in one.checks)
    assert "Without figures of their own: traffic.feem.dev" in "\n".join(made[1].text())


def test_a_policy_that_is_too_costly_is_a_miss() -> None:
    (check,) = sections(run(held=Check(10, 0.01, 20, 0.02, {"out_of_budget": 1})))[1].checks
    assert not check.passed
    (check,) = sections(run(held=Check()))[1].checks
    assert not check.passed  # nothing was evaluated at all


def test_the_first_size_that_is_refused_is_told() -> None:
    (_, second) = sections(run(said="422: too costly"))[2].rows
    assert second == ("200", "422: too costly")


def test_the_file_tells_command_versions_and_policies(tmp_path: Path) -> None:
    (tmp_path / "hold.yaml").write_text("kind: MutatingAdmissionPolicy\n")
    session = Session("Policies", COMMAND)
    assert session.publish(sections(run()), tmp_path / "figures.json", **facts(run(), tmp_path)) == 0
    kept = json.loads((tmp_path / "figures.json").read_text())
    assert kept["command"] == "make bench-admission"
    (digest,) = kept["policies"].values()
    assert len(digest) == 64
    assert {"kubernetes", "time", "python", "seconds", "load", "sections"} <= set(kept)


def test_a_promise_that_is_not_kept_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    costly = run(held=Check(10, 0.01, 20, 0.02, {"out_of_budget": 1}))
    assert Session("Policies", COMMAND).publish(sections(costly), None) == 1
    assert "## All promises: 2 of 3 kept" in capsys.readouterr().out


def test_an_answer_is_fine_or_tells_why() -> None:
    assert Answer(201, b"{}", (), 0.1).fine
    refused = Answer(422, b"operation cancelled: actual cost limit exceeded", (), 0.1)
    assert not refused.fine
    assert refused.text() == "422: operation cancelled: actual cost limit exceeded"
