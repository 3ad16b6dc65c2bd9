"""Proves that a promoted version is taken back when it surely burns its budget fast, and for nothing else."""

from __future__ import annotations

import pytest

from feem.api.release import Outcome
from feem.core.evidence.finding import Finding
from feem.core.evidence.watch_trial import WatchTrial
from tests.evidence.samples import block, good_objective, latency, objective, terms


def tried(bad: float, total: float, target: str = "99.9", blocks: int = 10, **changes: float) -> Finding:
    trial = WatchTrial(terms(objective(target), watch=True, **changes))
    for place in range(blocks):
        trial.add(block({"bad": bad / blocks, "total": total / blocks}, {}, at=1000 + 5 * place), 4)
    return trial.finding()


@pytest.mark.parametrize(
    ("bad", "total", "target", "outcome", "reason"),
    [
        pytest.param(0, 1000, "99.9", Outcome.PASS, "WithinObjective", id="nothing bad"),
        pytest.param(10, 1000, "99.9", Outcome.PASS, "WithinObjective", id="ten times the budget: slow burn"),
        pytest.param(60, 1000, "99.9", Outcome.FAIL, "BurnsTooFast", id="sixty times the budget"),
        pytest.param(2, 2, "99.9", Outcome.PASS, "WithinObjective", id="two bad ones are a mishap"),
        pytest.param(17, 1000, "99.9", Outcome.PASS, "WithinObjective", id="a little above, unsure"),
        pytest.param(6, 300, "100", Outcome.FAIL, "BurnsTooFast", id="no budget at all"),
        pytest.param(560, 1000, "90", Outcome.PASS, "WithinObjective", id="14.4 times 10% is more than all: half-way"),
        pytest.param(800, 1000, "90", Outcome.FAIL, "BurnsTooFast", id="most of a large budget"),
        pytest.param(200, 100, "99.9", Outcome.INCONCLUSIVE, "CountsDisagree", id="more bad than all"),
        pytest.param(0, 0, "99.9", Outcome.PASS, "WithinObjective", id="idle"),
    ],
)
def test_branches(bad: float, total: float, target: str, outcome: Outcome, reason: str) -> None:
    found = tried(bad, total, target)
    assert (found.outcome, found.reason) == (outcome, reason), found.message


def test_bursts_temper_it() -> None:
    assert tried(45, 1000).outcome is Outcome.FAIL
    assert tried(45, 1000, dispersion=10.0).outcome is Outcome.PASS


def test_slow_and_good_events_are_understood() -> None:
    for given, role in ((latency("99.9"), "fast"), (good_objective("99.9"), "good")):
        trial = WatchTrial(terms(given, watch=True))
        trial.add(block({role: 400.0, "total": 500.0}, {}), 4)
        assert trial.finding().reason == "BurnsTooFast"


def test_the_message_reads_well() -> None:
    assert tried(60, 1000).message.startswith(
        "the promoted version: 6.0% bad (60 of 1,000); 1.4% burns the error budget 14.4 times faster than it lasts; "
        "evidence 10^"
    )
