"""The whole path, from raw samples to the verdict, in bad weather."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from bench.evidence.bench import Bench, generator, parts
from bench.evidence.feem_judge import ALPHA
from bench.evidence.grid_section import false_alarms
from bench.evidence.path import BASE, LENGTH, OBJECTIVE, SCENARIOS, Scenario, Story, play
from bench.evidence.pods import OVERLAP
from bench.evidence.section import Check, Section, duration, percent
from bench.evidence.share import Found, found
from feem.api.release import Outcome

RUNS, PART = 30, 5


@dataclass(frozen=True)
class Part:
    """Some runs of a scenario."""

    scenario: Scenario
    number: int
    runs: int


def simulate(part: Part) -> list[Story]:
    """Play some runs."""
    random = generator("path", part.scenario.name, part.number)
    return [play(part.scenario, random) for _ in range(part.runs)]


@dataclass(frozen=True)
class Told:
    """All runs of a scenario."""

    found: Found
    stories: tuple[Story, ...]

    @property
    def ends(self) -> str:
        """How the runs end: outcome and reason, how many."""
        ends = Counter(f"{story.last.outcome} {story.last.reason}" for story in self.stories)
        return ", ".join(f"{end} {number}" for end, number in ends.most_common())

    @property
    def away(self) -> set[str]:
        """Verdicts while Prometheus was away."""
        return {verdict for story in self.stories for verdict in story.during}

    @property
    def reasons(self) -> set[str]:
        """All reasons that were given at any moment."""
        return {reason for story in self.stories for reason in story.reasons}

    @property
    def counted(self) -> float:
        """The median share of requests that were counted."""
        return float(np.median([story.counted for story in self.stories]))


def run(bench: Bench) -> Section:
    """Play all scenarios."""
    jobs = [Part(one, n, size) for one in SCENARIOS for n, size in enumerate(parts(bench.runs(RUNS), PART))]
    stories: dict[str, list[Story]] = {}
    for job, some in zip(jobs, bench.each("path, parts", simulate, jobs), strict=True):
        stories.setdefault(job.scenario.name, []).extend(some)
    told = {name: Told(times(some), tuple(some)) for name, some in stories.items()}
    return Section(
        name="path",
        title="From scraped samples to the verdict, when pods and Prometheus misbehave",
        notes=(
            "The operator's own Trial, fed with raw samples: ten stable pods and one canary pod (where it says so ten), scraped every",
            f"  5 s each at its own moment, counters that begin with the first error, looks overlapping by {OVERLAP:.0f} s; releases of",
            f"  {LENGTH // 60} min, objective {OBJECTIVE}%, base {BASE:.1%}, 100 requests/s, weight 10% (with ten canary pods 50%).",
            "  Counted: requests in the verdict over requests served (warm-up, the newest block and what a restart swallows are missing).",
        ),
        columns=("scenario", "runs", "rolled back", "median", "counted", "last verdict"),
        rows=tuple(
            (
                name,
                str(one.found.runs),
                percent(one.found.share),
                duration(one.found.median),
                percent(one.counted),
                one.ends,
            )
            for name, one in told.items()
        ),
        checks=checks(told),
        figures={
            "scenarios": {
                name: {
                    **one.found.plain(),
                    "countedShare": round(one.counted, 4),
                    "reasons": sorted(one.reasons),
                    "whilePrometheusIsAway": sorted(one.away),
                    "lastVerdicts": one.ends,
                    "example": one.stories[0].last.message,
                }
                for name, one in told.items()
            }
        },
    )


def times(stories: list[Story]) -> Found:
    """Sum up when the runs were rolled back."""
    return found(np.array([np.inf if one.rolled_back is None else one.rolled_back for one in stories]))


def checks(told: dict[str, Told]) -> tuple[Check, ...]:
    """Hold the scenarios against what was promised."""
    down, unreachable = "Prometheus down 10 min", "Prometheus unreachable 10 min"
    meanwhile = "canary turns bad meanwhile"
    low, lowest = told["1 request a minute, harmless"], told["1 request a minute, canary all bad"]
    return (
        *(
            never_back(name, told[name])
            for name in (
                "pods restart every 5 min, harmless",
                "one of ten stable pods bad (10%)",
                f"{down}, harmless",
                f"{unreachable}, harmless",
            )
        ),
        *(
            caught(name, told[name])
            for name in (
                "pods restart every 5 min, canary x10",
                "one of ten canary pods bad (10%)",
                f"{down}, {meanwhile}",
                f"{unreachable}, {meanwhile}",
            )
        ),
        *(
            held(name, told[name])
            for name in (f"{way}, {which}" for way in (down, unreachable) for which in ("harmless", meanwhile))
        ),
        only_ends("both tracks bad (5%)", told["both tracks bad (5%)"], "Inconclusive SharedDegradation"),
        only_ends("1 request a minute, harmless", low, "Inconclusive TooFewSamples"),
        Check("1 request a minute, canary all bad: never Pass", lowest.ends, "Pass" not in lowest.ends),
    )


def never_back(name: str, told: Told) -> Check:
    """A harmless canary: no more rollbacks than alpha explains (the 95% interval reaches down to it), and promotion stays possible."""
    passes = sum(story.last.outcome is Outcome.PASS for story in told.stories) / told.found.runs
    few = told.found.interval()[0] <= ALPHA
    return Check(
        f"{name}: no rollback beyond alpha, ends Pass",
        f"{false_alarms(told.found)}; {told.ends}",
        few and passes >= 0.9,
    )


def caught(name: str, told: Told) -> Check:
    """A bad canary, or one bad pod of it."""
    figure = f"{percent(told.found.share)}, median {duration(told.found.median)} after the start"
    return Check(f"{name}: rolled back", figure, told.found.share >= 0.95)


def held(name: str, told: Told) -> Check:
    """Nothing is decided while there are no metrics."""
    only = told.away == {"Inconclusive/MetricsUnavailable"}
    return Check(f"{name}: Inconclusive all the while", ", ".join(sorted(told.away)), only)


def only_ends(name: str, told: Told, wanted: str) -> Check:
    """Each run ends like this, none in a rollback."""
    ends = all(f"{story.last.outcome} {story.last.reason}" == wanted for story in told.stories)
    return Check(f"{name}: no rollback, ends {wanted}", told.ends, ends and not told.found.hits)
