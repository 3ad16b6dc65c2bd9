"""What a bad version did to clients until it was gone: how long, how many, how much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from e2e.kit.story import Story
from e2e.kit.traffic import Answer, failures, share

OUTCOMES = ("approved", "referred", "rejected")


def reaction(answers: Sequence[Answer], version: str, story: Story) -> Iterator[str]:
    """Say how long a failing version hurt anybody."""
    bad = [answer for answer in failures(answers) if answer.version == version]
    if not bad:
        yield "no client saw a bad response"
        return
    if story.back_at is not None:
        yield f"first bad response to weight 0: {story.back_at - bad[0].at:.1f} s"
    last = max(answer.at for answer in answers if answer.version == version)
    yield f"last response from {version}: {last - bad[0].at:.1f} s after the first bad one"
    within = [answer for answer in answers if bad[0].at <= answer.at <= last]
    errors = 100 * len(failures(within)) / len(within)
    yield f"share of {version} in that time: {share(within, version):.1f}%; errors: {errors:.2f}%"


@dataclass(frozen=True)
class Decided:
    """What a canary decided before it was gone, beside what stable decided in the same time; times in seconds."""

    version: str
    first_to_weight_0: float | None
    first_to_last: float
    canary: Counter[str]
    stable: Counter[str]

    @classmethod
    def of(cls, answers: Sequence[Answer], version: str, story: Story) -> Decided | None:
        """Count the decisions from the canary's first to its last; None when it never decided."""
        times = [answer.at for answer in answers if answer.version == version and answer.decision]
        if not times:
            return None
        first, last = min(times), max(times)
        within = [answer for answer in answers if first <= answer.at <= last]
        back = None if story.back_at is None else story.back_at - first
        canary = _decisions(answer for answer in within if answer.version == version)
        return cls(version, back, last - first, canary, _decisions(a for a in within if a.version != version))

    def lines(self) -> Iterator[str]:
        """Say it."""
        if self.first_to_weight_0 is not None:
            yield f"first decision of {self.version} to weight 0: {self.first_to_weight_0:.1f} s"
        total, all_of_them = self.canary.total(), self.canary.total() + self.stable.total()
        yield (
            f"decisions of {self.version}: {total} of {all_of_them} in {self.first_to_last:.1f} s; "
            f"{_shares(self.canary)}; stable in the same time: {_shares(self.stable)}"
        )
        stable = self.stable["approved"] / self.stable.total() if self.stable else 0.0
        yield f"approved beyond stable's share: about {self.canary['approved'] - stable * total:.0f} (synthetic) applicants"


def _decisions(answers: Iterable[Answer]) -> Counter[str]:
    return Counter(answer.decision for answer in answers if answer.decision)


def _shares(counts: Counter[str]) -> str:
    total = counts.total() or 1
    return ", ".join(f"{100 * counts[outcome] / total:.1f}% {outcome}" for outcome in OUTCOMES)
