"""Proves when a whole service counts as breached while something is broken on purpose, when it counts as well, and when as neither."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.api.release import ObjectiveSnapshot, ObjectiveVerdict, Outcome
from feem.core.evidence.fault_trial import FaultTrial
from feem.core.evidence.finding import Finding
from feem.core.evidence.replay import replay
from feem.core.evidence.tape import Tape, terms_line, terms_of
from feem.core.evidence.terms import Terms
from feem.core.evidence.trial import STALE_AFTER, Trial
from tests.evidence.samples import START, Pod, block, fetched, good_objective, latency, look, objective, terms, watched


def tried(
    bad: float, total: float, target: str = "99", *, minimum: int = 30, blocks: int = 10, **changes: float
) -> Finding:
    trial = FaultTrial(terms(objective(target, minimum=minimum), fault=True, **changes))
    for place in range(blocks):
        trial.add(block({"bad": bad / blocks, "total": total / blocks}, {}, at=START + 5 * place), 1)
    return trial.finding()


@pytest.mark.parametrize(
    ("bad", "total", "target", "outcome", "reason"),
    [
        pytest.param(0, 1000, "99", Outcome.PASS, "WithinObjective", id="nothing bad"),
        pytest.param(10, 1000, "99", Outcome.PASS, "WithinObjective", id="just what is allowed"),
        pytest.param(11, 1000, "99", Outcome.INCONCLUSIVE, "NotEnoughEvidence", id="one more than allowed"),
        pytest.param(100, 1000, "99", Outcome.FAIL, "OutsideObjective", id="ten times what is allowed"),
        pytest.param(1000, 1000, "99", Outcome.FAIL, "OutsideObjective", id="all of them"),
        pytest.param(0, 29, "99", Outcome.INCONCLUSIVE, "TooFewSamples", id="too few"),
        pytest.param(0, 30, "99", Outcome.PASS, "WithinObjective", id="just enough"),
        pytest.param(1, 29, "99", Outcome.INCONCLUSIVE, "TooFewSamples", id="too few, one bad"),
        pytest.param(1, 30, "99", Outcome.INCONCLUSIVE, "NotEnoughEvidence", id="one bad of enough"),
        pytest.param(10, 20, "99", Outcome.FAIL, "OutsideObjective", id="few, and certain"),
        pytest.param(2, 2, "99", Outcome.INCONCLUSIVE, "TooFewSamples", id="two bad ones are a mishap"),
        pytest.param(0, 0, "99", Outcome.INCONCLUSIVE, "TooFewSamples", id="idle"),
        pytest.param(0, 1000, "100", Outcome.PASS, "WithinObjective", id="no budget, nothing bad"),
        pytest.param(1, 1000, "100", Outcome.INCONCLUSIVE, "NotEnoughEvidence", id="no budget, one bad"),
        pytest.param(3, 1000, "100", Outcome.FAIL, "OutsideObjective", id="no budget, three bad"),
        pytest.param(60, 1000, "99.9", Outcome.FAIL, "OutsideObjective", id="sixty times the budget"),
        pytest.param(200, 100, "99", Outcome.INCONCLUSIVE, "CountsDisagree", id="more bad than all"),
        pytest.param(12, 10, "99", Outcome.FAIL, "OutsideObjective", id="a scrape between two counters"),
    ],
)
def test_branches(bad: float, total: float, target: str, outcome: Outcome, reason: str) -> None:
    found = tried(bad, total, target)
    assert (found.outcome, found.reason) == (outcome, reason), found.message


def test_how_many_are_enough_is_what_the_hypothesis_says() -> None:
    assert tried(0, 500, minimum=501).reason == "TooFewSamples"
    assert tried(0, 500, minimum=500).reason == "WithinObjective"
    assert "501 events are needed" in tried(0, 500, minimum=501).message


def test_a_breach_stays_one_while_the_service_is_outside_its_objective() -> None:
    """And is forgiven once the service as a whole is within it again: the objective is what was promised."""
    trial = FaultTrial(terms(objective("99", minimum=30), fault=True))
    trial.add(block({"bad": 10.0, "total": 100.0}, {}), 1)
    assert trial.finding().outcome is Outcome.FAIL
    trial.add(block({"bad": 0.0, "total": 800.0}, {}, at=START + 5), 1)
    assert trial.finding().outcome is Outcome.FAIL
    trial.add(block({"bad": 0.0, "total": 100.0}, {}, at=START + 10), 1)
    assert trial.finding().outcome is Outcome.PASS


def test_bursts_and_a_smaller_alpha_temper_it() -> None:
    assert tried(30, 1000).outcome is Outcome.FAIL
    assert tried(30, 1000, dispersion=8.0).reason == "NotEnoughEvidence"
    assert tried(30, 1000, alpha=1e-9).reason == "NotEnoughEvidence"


@pytest.mark.parametrize(
    ("given", "role", "noun"),
    [
        (latency("99", minimum_samples=30), "fast", "too slow"),
        (good_objective("99", minimum_samples=30), "good", "bad"),
    ],
)
def test_slow_and_good_events_are_understood(given: ObjectiveSnapshot, role: str, noun: str) -> None:
    for good, outcome in ((500.0, Outcome.PASS), (400.0, Outcome.FAIL)):
        trial = FaultTrial(terms(given, fault=True))
        trial.add(block({role: good, "total": 500.0}, {}), 1)
        found = trial.finding()
        assert found.outcome is outcome
        assert noun in found.message


def test_more_good_events_than_events_disagree() -> None:
    trial = FaultTrial(terms(good_objective("99", minimum_samples=30), fault=True))
    trial.add(block({"good": 500.0, "total": 100.0}, {}), 1)
    assert trial.finding().reason == "CountsDisagree"


def test_the_message_says_what_was_measured_and_what_is_allowed() -> None:
    assert tried(100, 1000).message.startswith("10.0% bad (100 of 1,000); the objective allows 1.0%; evidence 10^")
    assert tried(0, 1000).message == "0.0% bad (0 of 1,000); the objective allows 1.0%"
    assert tried(0, 0).message.startswith("served nothing; the objective allows 1.0%; 30 events are needed")


def test_stable_of_a_round_is_not_looked_at() -> None:
    trial = FaultTrial(terms(objective("99", minimum=30), fault=True))
    trial.add(block({"bad": 0.0, "total": 100.0}, {"bad": 100.0, "total": 100.0}), 1)
    assert trial.finding().outcome is Outcome.PASS
    assert trial.finding().stable is None


@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12),
    st.sampled_from(["90", "99", "99.9", "100"]),
    st.integers(1, 200),
)
def test_what_is_called_well_is_within_the_objective_and_what_is_called_breached_is_not(
    counts: list[tuple[int, int]], target: str, minimum: int
) -> None:
    given_ = terms(objective(target, minimum=minimum), fault=True)
    trial, bad, total = FaultTrial(given_), 0, 0
    for place, (some, more) in enumerate(counts):
        trial.add(block({"bad": float(some), "total": float(some + more)}, {}, at=START + 5 * place), 1)
        bad, total = bad + some, total + some + more
    found = trial.finding()
    if found.outcome is Outcome.PASS:
        assert total >= minimum
        assert bad <= given_.budget * total
    if found.outcome is Outcome.FAIL:
        assert bad >= 3
        assert bad > given_.budget * total
    assert found == trial.finding()


def test_a_service_exactly_at_its_objective_is_hardly_ever_called_breached() -> None:
    """Looked at after every block, at alpha 0.05: no more than one in twenty, however long it takes."""
    breached, runs = 0, 300
    for seed in range(runs):
        chance = random.Random(seed)  # noqa: S311 - a simulation
        trial = FaultTrial(terms(objective("95", minimum=30), alpha=0.05, fault=True))
        for place in range(40):
            bad = sum(chance.random() < 0.05 for _ in range(20))
            trial.add(block({"bad": float(bad), "total": 20.0}, {}, at=START + 5 * place), 1)
            if trial.finding().outcome is Outcome.FAIL:
                breached += 1
                break
    assert breached <= runs * 0.05


# -- in a trial ---------------------------------------------------------------------------------------------------------

SERVICE = objective("99", minimum=30, warm_up_seconds=0)


def fault_terms(given_: ObjectiveSnapshot = SERVICE) -> Terms:
    return terms(given_, fault=True)


def test_pods_that_die_are_not_waited_for() -> None:
    """In a release the block would stay open for 30 s for the scrape that never comes."""
    pods = [Pod("a", rate=20), Pod("b", rate=20, gone=START + 3), Pod("c", rate=20, gone=START + 3)]
    verdict = watched(Trial(fault_terms()), pods, (), START + 10)
    assert verdict.outcome is Outcome.PASS
    assert verdict.canary is not None
    assert verdict.canary.total >= 150
    waiting = watched(Trial(terms(SERVICE)), pods, (), START + 10)
    assert waiting.canary is None or waiting.canary.total == 0


def test_a_breach_is_seen_within_seconds_while_pods_die() -> None:
    pods = [Pod("a", rate=20, bad=0.5, bad_since=START), Pod("b", rate=20, gone=START + 3)]
    trial = Trial(fault_terms())
    found = [watched(trial, pods, (), START + seconds).outcome for seconds in (5, 10, 15)]
    assert found[-1] is Outcome.FAIL


def test_new_pods_that_replace_dead_ones_count_from_their_first_scrape_whatever_the_warm_up() -> None:
    pods = [Pod("a", rate=20), Pod("new", rate=20, bad=0.9, born=START + 6)]
    slow_start = objective("99", minimum=30, warm_up_seconds=300)
    assert watched(Trial(fault_terms(slow_start)), pods, (), START + 30).outcome is Outcome.FAIL


def test_a_service_whose_last_pod_is_gone_is_not_called_well() -> None:
    pods = [Pod("a", rate=20, gone=START + 10)]
    trial = Trial(fault_terms())
    assert watched(trial, pods, (), START + 12).outcome is Outcome.PASS
    late = look(trial, pods, (), START + 12 + STALE_AFTER)
    assert (late.outcome, late.reason) == (Outcome.INCONCLUSIVE, "StaleData")


def test_no_samples_are_no_data() -> None:
    assert watched(Trial(fault_terms()), (), (), START + 10).reason == "NoData"


# -- on a tape ----------------------------------------------------------------------------------------------------------


def recorded(
    given_: tuple[Terms, ...], pods: list[Pod], looks: list[float]
) -> tuple[bytes, tuple[ObjectiveVerdict, ...]]:
    tape, trials = Tape("run-1", given_), [Trial(one) for one in given_]
    verdicts: tuple[ObjectiveVerdict, ...] = ()
    for now in looks:
        for number, trial in enumerate(trials):
            for one in trial.rounds(fetched(pods, (), now - 60, now), end=now, step=1):
                tape.note(number, one)
                trial.take(one)
        verdicts = tuple(trial.verdict(now=now, queries=("up",)) for trial in trials)
    document = tape.document("ObjectiveBreached", looks[-1], verdicts)
    assert document is not None
    return document, verdicts


@pytest.mark.parametrize(("bad", "outcome"), [(0.0, Outcome.PASS), (0.012, Outcome.INCONCLUSIVE), (0.5, Outcome.FAIL)])
def test_the_kept_samples_give_the_same_verdicts_again(bad: float, outcome: Outcome) -> None:
    pods = [Pod("a", rate=300, bad=bad), Pod("b", rate=30, gone=START + 12), Pod("c", rate=30, born=START + 20)]
    given_ = (fault_terms(), fault_terms(latency("99", minimum_samples=30)))
    document, verdicts = recorded(given_, pods, [START + 5.25 * number for number in range(1, 8)])
    found = replay(document)
    assert found.holds
    assert found.recomputed == found.recorded == verdicts
    assert verdicts[0].outcome is outcome


def test_the_terms_on_a_tape_say_that_a_fault_was_in_place() -> None:
    assert terms_of(terms_line(fault_terms())) == fault_terms()
    assert terms_line(fault_terms())["fault"] is True
    assert "fault" not in terms_line(terms(SERVICE)), "tapes of releases stay what they were"


def test_judged_as_a_release_the_same_samples_would_say_something_else() -> None:
    """So the terms have to be on the tape."""
    pods = [Pod("a", rate=30, bad=0.5)]
    _, as_fault = recorded((fault_terms(),), pods, [START + 10, START + 20])
    _, as_release = recorded((terms(SERVICE),), pods, [START + 10, START + 20])
    assert as_fault[0].outcome is Outcome.FAIL
    assert as_release[0].outcome is not Outcome.FAIL
