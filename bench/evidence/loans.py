"""Loan decisions from real-shaped data, dealt to a canary and its stable track, as FEEM's indicators see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.evidence.archive import rows
from bench.evidence.feem_judge import Pair, mix_run, ratio_run
from bench.evidence.traffic import BLOCK

EDGES = tuple(f"{tenth / 10:.1f}" for tenth in range(1, 11))
"""The upper edges of the score's ten buckets."""
DECISIONS = ("approve", "reject")
DRIFT = 25_000
"""The row of the analysis period at which the applicants change; what comes before is like the reference."""
ROUND = 100
"""Decisions of both tracks in a block of five seconds: 20 a second."""
WEIGHT = 0.2
TOLERATED = 0.02

Column = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Loans:
    """Decisions as columns: bucket of the score (0 to 9), approved (0 or 1), bad (approved and not repaid, 0 or 1)."""

    bucket: Column
    approved: Column
    bad: Column

    def __len__(self) -> int:
        return int(self.bucket.size)

    def of(self, chosen: Column) -> Loans:
        """Return the chosen rows in their order."""
        return Loans(self.bucket[chosen], self.approved[chosen], self.bad[chosen])

    def figures(self) -> dict[str, object]:
        """Return the shares a risk officer asks for."""
        approved = int(self.approved.sum())
        shares = np.bincount(self.bucket, minlength=len(EDGES)) / len(self)
        return {
            "rows": len(self),
            "approved": round(approved / len(self), 5),
            "badAmongApproved": round(int(self.bad.sum()) / approved, 5),
            "score": [round(float(share), 5) for share in shares],
        }


def read(archive: Path) -> tuple[Loans, Loans]:
    """Return the reference, and the analysis period after the drift."""
    reference = list(rows(archive, "synthetic_car_loan_reference"))
    analysis = list(rows(archive, "synthetic_car_loan_analysis"))
    repaid = {row["id"]: row["repaid"] for row in rows(archive, "synthetic_car_loan_analysis_target")}
    drifted = [{**row, "repaid": repaid[row["id"]]} for row in analysis[DRIFT:]]
    return columns(reference), columns(drifted)


def columns(table: Sequence[Mapping[str, str]]) -> Loans:
    """Map rows to decisions: `y_pred_proba` is the score, `y_pred` 1 an approval, `repaid` 0 the bad outcome of one."""
    score = np.array([float(row["y_pred_proba"]) for row in table])
    approved = np.array([int(float(row["y_pred"])) for row in table])
    repaid = np.array([int(float(row["repaid"])) for row in table])
    bucket = np.clip(np.ceil(np.round(score * 10, 6)).astype(np.int64) - 1, 0, len(EDGES) - 1)
    return Loans(bucket, approved, approved * (1 - repaid))


@dataclass(frozen=True)
class Stream:
    """Decisions in the order in which they come; the tracks take them in turn of the dice."""

    canary: tuple[Loans, ...]
    stable: tuple[Loans, ...]
    """One table a block."""


def dealt(random: np.random.Generator, canary: Loans, stable: Loans, *, shared: bool) -> Stream:
    """Deal rows to both tracks, 20% to the canary, in blocks of 100 decisions.

    `shared`: both tables are one, and every row goes to one track only (A/A halves). Else each track takes rows of its
    own table, in random order. None is used twice, so a stream ends when a table does.
    """
    rounds = len(stable) // ROUND
    own = random.binomial(ROUND, WEIGHT, rounds)
    if shared:
        order = random.permutation(len(stable))
        parts = [order[at * ROUND : (at + 1) * ROUND] for at in range(rounds)]
        return Stream(
            tuple(stable.of(part[:count]) for part, count in zip(parts, own, strict=True)),
            tuple(stable.of(part[count:]) for part, count in zip(parts, own, strict=True)),
        )
    return Stream(cut(random, canary, own), cut(random, stable, ROUND - own))


def cut(random: np.random.Generator, loans: Loans, counts: Column) -> tuple[Loans, ...]:
    """Cut a shuffled table in blocks of so many rows, as far as it goes."""
    ends = np.cumsum(counts)
    order = random.permutation(len(loans))
    return tuple(
        loans.of(order[end - count : end]) for end, count in zip(ends, counts, strict=True) if end <= len(loans)
    )


def score_mix(stream: Stream) -> int | None:
    """Return the decisions after which the score's mix (ten buckets) rolls back."""
    return decisions(mix_run(pairs(stream, EDGES), TOLERATED))


def decision_mix(stream: Stream) -> int | None:
    """Return the decisions after which the mix of approve and reject rolls back: the approval ratio, with a tolerance."""
    return decisions(mix_run(pairs(stream, DECISIONS), TOLERATED))


def pairs(stream: Stream, names: tuple[str, ...]) -> Iterator[Pair]:
    """Yield each block's counts by category."""
    for canary, stable in zip(stream.canary, stream.stable, strict=False):
        kept = []
        for track in (canary, stable):
            category = track.bucket if names is EDGES else 1 - track.approved
            kept.append(dict(zip(names, np.bincount(category, minlength=len(names)).tolist(), strict=True)))
        yield kept[0], kept[1]


def approval_ratio(stream: Stream) -> int | None:
    """Return the decisions after which an SLO on the approval ratio (an approval is the event) rolls back."""
    return ratio_of(stream, lambda one: (int(one.approved.sum()), len(one)))


def bad_among_approved(stream: Stream) -> int | None:
    """Return the decisions after which an SLO on bad loans among approved ones rolls back, were outcomes known at once."""
    return ratio_of(stream, lambda one: (int(one.bad.sum()), int(one.approved.sum())))


def ratio_of(stream: Stream, count: Callable[[Loans], tuple[int, int]]) -> int | None:
    """Return the decisions after which FEEM's ratio test rolls back; every excess over stable counts (allowed: none)."""
    blocks = [(*count(canary), *count(stable)) for canary, stable in zip(stream.canary, stream.stable, strict=False)]
    seconds = ratio_run(blocks, allowed=0.0)
    return decisions(round(seconds / BLOCK) if np.isfinite(seconds) else None)


def decisions(blocks: int | None) -> int | None:
    """Turn blocks into decisions of both tracks."""
    return None if blocks is None else blocks * ROUND


INDICATORS: dict[str, Callable[[Stream], int | None]] = {
    "scoreMix": score_mix,
    "approvalRatio": approval_ratio,
    "decisionMix": decision_mix,
    "badAmongApproved": bad_among_approved,
}
