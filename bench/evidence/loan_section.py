"""The replay of loans: halves of one population, a shift that both tracks see, a drift that only the canary sees."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.evidence.archive import PACKAGE, ArchiveMissing, fetch
from bench.evidence.bench import Bench, generator, parts
from bench.evidence.feem_judge import ALPHA
from bench.evidence.grid_section import false_alarms
from bench.evidence.loans import DRIFT, INDICATORS, TOLERATED, WEIGHT, Loans, Stream, dealt, read
from bench.evidence.section import Check, Section, percent
from bench.evidence.share import Found, found

PART = 20
TITLES = {
    "scoreMix": "mix of the score",
    "approvalRatio": "approval ratio",
    "decisionMix": "mix approve/reject",
    "badAmongApproved": "bad among approved",
}
CASES = {"halves": 500, "common": 120, "commonMidway": 120, "drift": 120}
"""What is replayed, and how many random deals of each."""
NAMES = {
    "halves": "A/A halves of the reference",
    "common": "both tracks after the drift",
    "commonMidway": "both drift half-way",
    "drift": "only the canary drifts",
}
NOTES = (
    f"Car loans of the PyPI package {PACKAGE} (read from the archive at run time): real-shaped, synthetic; 50,000 reference rows",
    f"  and the analysis period from its row {DRIFT:,} on, where the applicants change. y_pred_proba is the score (histogram, ten fixed",
    "  buckets), y_pred = 1 an approval, an approved loan that was not repaid is bad. Rows are dealt at random, none twice;",
    f"  20 decisions/s, {WEIGHT:.0%} to the canary; each indicator is a release of its own with alpha {ALPHA}; mixes tolerate {TOLERATED}.",
    "  Only the canary drifts: it takes rows after the drift, stable takes reference rows. Nothing is construed beyond that: in",
    "  this data the approval ratio stays by itself (figures below). Bad loans count at once here; in life they are known months later.",
)


@dataclass(frozen=True)
class Part:
    """Some deals of a case."""

    case: str
    number: int
    runs: int
    archive: Path


@functools.cache
def tables(archive: Path) -> tuple[Loans, Loans]:
    """Read the data once in each process."""
    return read(archive)


def deal(case: str, random: np.random.Generator, reference: Loans, drifted: Loans) -> Stream:
    """Deal one stream."""
    if case == "drift":
        return dealt(random, drifted, reference, shared=False)
    if case == "commonMidway":
        before = dealt(random, reference, reference, shared=True)
        after = dealt(random, drifted, drifted, shared=True)
        half = len(after.canary)
        return Stream(before.canary[:half] + after.canary, before.stable[:half] + after.stable)
    table = drifted if case == "common" else reference
    return dealt(random, table, table, shared=True)


def replay(part: Part) -> dict[str, list[float]]:
    """Return after how many decisions each indicator rolled back, infinite where it did not."""
    reference, drifted = tables(part.archive)
    random = generator("loans", part.case, part.number)
    after: dict[str, list[float]] = {name: [] for name in INDICATORS}
    for _ in range(part.runs):
        stream = deal(part.case, random, reference, drifted)
        for name, judge in INDICATORS.items():
            decisions = judge(stream)
            after[name].append(float("inf") if decisions is None else float(decisions))
    return after


def run(bench: Bench) -> Section:
    """Fetch the data and replay all cases; a failure to fetch is said, not hidden."""
    title = "Loans: the same indicators on real-shaped decisions"
    try:
        archive = fetch()
        reference, drifted = tables(archive)
    except ArchiveMissing as missing:
        return Section(name="loans", title=title, notes=NOTES, failure=str(missing))
    jobs = [
        Part(case, number, size, archive)
        for case, runs in CASES.items()
        for number, size in enumerate(parts(bench.runs(runs), PART))
    ]
    after: dict[str, dict[str, list[float]]] = {case: {name: [] for name in INDICATORS} for case in CASES}
    for job, result in zip(jobs, bench.each("loans, parts", replay, jobs), strict=True):
        for name, some in result.items():
            after[job.case][name] += some
    results = {case: {name: found(np.array(some)) for name, some in of.items()} for case, of in after.items()}
    return Section(
        name="loans",
        title=title,
        notes=(*NOTES, *populations(reference, drifted)),
        columns=("streams", "deals", *TITLES.values()),
        rows=tuple(
            (NAMES[case], f"{of['scoreMix'].runs:,}", *(shown(of[name]) for name in TITLES))
            for case, of in results.items()
        ),
        checks=checks(results),
        figures={
            "archive": archive.name,
            "reference": reference.figures(),
            "drifted": drifted.figures(),
            "cases": {case: {name: plain(one) for name, one in of.items()} for case, of in results.items()},
        },
    )


def populations(reference: Loans, drifted: Loans) -> tuple[str, ...]:
    """Say how both populations look."""
    lines = []
    for name, loans in (("reference", reference), ("drifted", drifted)):
        approved = int(loans.approved.sum())
        outer = [int((loans.bucket == at).sum()) / len(loans) for at in (0, 9)]
        lines.append(
            f"  {name}: {len(loans):,} loans, {approved / len(loans):.1%} approved, {int(loans.bad.sum()) / approved:.1%} bad among "
            f"approved, {outer[0]:.0%} in the lowest and {outer[1]:.0%} in the highest bucket of the score"
        )
    return tuple(lines)


def shown(one: Found) -> str:
    """Write the share of deals rolled back and the median number of decisions."""
    return percent(one.share) + (f", after {one.median:,.0f}" if one.median is not None else "")


def plain(one: Found) -> dict[str, object]:
    """Return what the result file keeps."""
    kept = one.plain()
    kept["medianDecisions"] = kept.pop("medianSeconds")
    return kept


def checks(results: dict[str, dict[str, Found]]) -> tuple[Check, ...]:
    """Hold the figures against what was promised."""
    halves = tuple(
        Check(f"loans, A/A halves: {TITLES[name]}, <= 1% false alarms", false_alarms(one), one.share <= ALPHA)
        for name, one in results["halves"].items()
    )
    steady = ("scoreMix", "approvalRatio", "decisionMix")
    common = tuple(
        Check(
            f"loans, {NAMES[case]}: mixes and approval ratio never roll back, bad among approved (nothing tolerated) <= 1%",
            ", ".join(f"{TITLES[name]} {one.hits} of {one.runs:,}" for name, one in results[case].items()),
            not any(results[case][name].hits for name in steady) and results[case]["badAmongApproved"].share <= ALPHA,
        )
        for case in ("common", "commonMidway")
    )
    drift = results["drift"]
    score, approval = drift["scoreMix"], drift["approvalRatio"]
    caught = Check(
        "loans, only the canary drifts: caught by the mix of the score, missed by the approval ratio",
        f"score {shown(score)} decisions; approval ratio {shown(approval)}; approve/reject {shown(drift['decisionMix'])}; "
        f"bad among approved {shown(drift['badAmongApproved'])}",
        score.share >= 0.99 and approval.share <= 0.05,
    )
    return (*halves, *common, caught)
