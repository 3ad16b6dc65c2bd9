"""The objectives of a release and what each says, as people want to see them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from feem.api.objective import Category
from feem.api.release import ObjectiveSnapshot, ObjectiveVerdict, Release, TrackCounts
from feem.core.evidence.gauge_trial import bounds
from feem.core.evidence.mix_trial import number
from feem.view.release import ObjectiveView, Share

MOST_CATEGORIES = 4


def objectives_of(release: Release, verdicts: Iterable[ObjectiveVerdict]) -> tuple[ObjectiveView, ...]:
    """Return one view an objective, in the release's order."""
    by_name = {verdict.name: verdict for verdict in verdicts}
    return tuple(_view(item, by_name.get(item.name)) for item in release.spec.objectives)


def _view(item: ObjectiveSnapshot, verdict: ObjectiveVerdict | None) -> ObjectiveView:
    view = ObjectiveView(name=item.name, target=target(item), minimum_samples=item.canary.minimum_samples)
    if verdict is None:
        return view
    apart = sorted(verdict.shares, key=lambda one: -abs(number(one.canary) - number(one.stable)))
    shares = tuple(f"{one.name} {one.canary} (stable {one.stable})" for one in apart)
    mix, gauge = item.indicator.mix is not None, item.indicator.gauge is not None
    return replace(
        view,
        outcome=verdict.outcome,
        reason=verdict.reason,
        message=verdict.message,
        canary=_share(verdict.canary, mix=mix, gauge=gauge),
        stable=_share(verdict.stable, mix=mix, gauge=gauge),
        evidence=f"{verdict.evidence} of {verdict.threshold}" if verdict.evidence else "",
        shares=shares[:MOST_CATEGORIES],
        decides=verdict.decides,
        queries=tuple(verdict.queries),
    )


def target(item: ObjectiveSnapshot) -> str:
    """Say what is good: `at least 99.9% good`, `at least 99% within 0.3`, `the same mix as stable`, `at most 100`."""
    indicator = item.indicator
    kind = "business, " if item.category is Category.BUSINESS else ""
    if indicator.latency is not None:
        return f"{kind}at least {item.objective}% within {indicator.latency.threshold}"
    if indicator.mix is not None:
        return f"{kind}the same mix as stable, {indicator.mix.tolerated_shift} of it may differ"
    if indicator.gauge is not None:
        return f"{kind}{bounds(indicator.gauge)}"
    return f"{kind}at least {item.objective}% good"


def _share(counts: TrackCounts | None, *, mix: bool, gauge: bool) -> Share | None:
    if counts is None:
        return None
    value = f"{counts.total:,} events" if mix else (counts.rate or "") if gauge else ""
    return Share(counts.bad or 0, counts.total, value)
