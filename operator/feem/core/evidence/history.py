"""What stable did before the release: how much its bad events come in bursts."""

from __future__ import annotations

from feem.api.release import ObjectiveSnapshot
from feem.core.evidence.dispersion import of_mix, of_ratio
from feem.core.evidence.events import TrackEvents, counts_good
from feem.core.evidence.mix_trial import Categories
from feem.core.evidence.rounds import rounds
from feem.core.evidence.samples import TrackSamples
from feem.core.evidence.tally import Block, Tally
from feem.core.evidence.words import count, duration

HISTORY = 3600.0
"""Seconds before a release that are looked at."""
AUTO = "Auto"


def needs_history(objective: ObjectiveSnapshot) -> bool:
    """Say whether an objective's dispersion has to be measured."""
    return objective.indicator.gauge is None and objective.canary.dispersion == AUTO


def dispersion(objective: ObjectiveSnapshot, stable: TrackSamples, *, start: float, end: float) -> tuple[float, str]:
    """Return how dispersed stable's events were between `start` and `end` (Unix seconds), and on what that was measured, in words."""
    if not needs_history(objective):
        given = objective.canary.dispersion
        return (1.0, "") if given == AUTO else (float(given), "given by the objective")
    tally = Tally(objective.indicator, start=start, warm_up=float(objective.canary.warm_up_seconds))
    cut = rounds(tally.canary.fresh(stable), TrackSamples(), last=start, end=end, step=0)
    blocks = [block for one in cut if (block := tally.take(one)) is not None]
    if objective.indicator.mix is not None:
        categories = Categories(cumulative=objective.indicator.mix.histogram is not None)
        found = of_mix([categories.add(block.canary) for block in blocks])
        events = categories.total
    else:
        ratios = _ratios(objective, blocks)
        found, events = of_ratio(ratios), sum(total for _, total in ratios)
    seen = blocks[-1].end - blocks[0].start if blocks else 0.0
    return found, f"{count(events)} events of stable in {duration(seen)} before the release" if events else "no history"


def _ratios(objective: ObjectiveSnapshot, blocks: list[Block]) -> list[tuple[int, int]]:
    track = TrackEvents(counts_good=counts_good(objective.indicator))
    found = [track.add(block.canary, block.end) for block in blocks]
    return [(events.bad, events.total) for events in found]
