"""What a run copies from its experiment when it begins."""

from __future__ import annotations

import pytest

from feem.api.run import Track
from feem.core.chaos.terms import terms_of
from tests.chaos.snapshots import experiment, objective


def measured(track: Track, minimum: int = 40) -> tuple[int, int]:
    slo = objective()
    slo = slo.model_copy(
        update={
            "spec": slo.spec.model_copy(
                update={"canary": slo.spec.canary.model_copy(update={"minimum_samples": 100, "warm_up_seconds": 20})}
            )
        }
    )
    tried = experiment()
    wanted = tried.spec.hypothesis.model_copy(update={"objectives": ["errors"], "minimum_samples": minimum})
    tried = tried.model_copy(update={"spec": tried.spec.model_copy(update={"hypothesis": wanted})})
    one = terms_of(tried, {"errors": slo}, track).measured[0]
    return one.canary.minimum_samples, one.canary.warm_up_seconds


@pytest.mark.parametrize("track", Track)
def test_the_hypothesis_says_how_many_events_are_enough(track: Track) -> None:
    assert measured(track, 40)[0] == 40
    assert measured(track, 7)[0] == 7


def test_only_a_canary_warms_up() -> None:
    assert measured(Track.CANARY)[1] == 20
    assert measured(Track.STABLE)[1] == 0


def test_an_objective_that_is_not_there_is_not_measured() -> None:
    assert terms_of(experiment(), {}, Track.STABLE).measured == []
