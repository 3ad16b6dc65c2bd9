"""What a person sees before they decide in a role: the change, who made it, and what still holds it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from feem.api.decision import Decision, Verb
from feem.api.release import GateOutcome, Release, ReleaseStatus
from feem.cli.asked import Asked
from feem.core.gates.binding import facts_of
from feem.view.release import duration

_TITLES = {
    Verb.APPROVE: "About to approve",
    Verb.REJECT: "About to reject",
    Verb.SIGN_OFF: "About to sign off",
    Verb.BREAK_GLASS: "EMERGENCY, about to skip gates of",
}


def shown(decision: Decision, release: Release, asked: Asked, now: datetime) -> str:
    """Say what the decision is about, one line a fact; `now` is the API server's time."""
    spec = decision.spec
    role = f" as {spec.role}" if spec.role else ""
    lines = [f"{_TITLES[spec.verb]} Release {decision.metadata.namespace}/{spec.release}{role}, by {spec.by}:"]
    rows = [*_change(release, asked), *_standing(decision, release, asked), *_until(decision, now)]
    rows += [("note", asked.note)] if asked.note else []
    width = max(len(name) for name, _ in rows)
    return "\n".join([*lines, *(f"  {name.ljust(width)}  {text}" for name, text in rows)])


def _change(release: Release, asked: Asked) -> Iterator[tuple[str, str]]:
    spec = release.spec
    for image in spec.images:
        yield "image", f"{image.name}: {image.image}"
    yield "asked by", spec.requested_by or "unknown (the change was held by a standing pause)"
    if spec.author:
        yield "author", f"{spec.author} (as the change itself says)"
    for key, value in facts_of(release, asked.profile).items():
        yield key.removeprefix("feem.dev/"), value
    if asked.name:
        yield "profile", asked.name


def _standing(decision: Decision, release: Release, asked: Asked) -> Iterator[tuple[str, str]]:
    status = release.status or ReleaseStatus()
    if decision.spec.verb is Verb.SIGN_OFF:
        if status.sign_off is not None:
            emergency = f" for the emergency {status.sign_off.emergency}" if status.sign_off.emergency else ""
            yield "owed", f"by {status.sign_off.role} until {_moment(status.sign_off.due)}{emergency}"
        return
    skips = set(_skips(asked)) if decision.spec.verb is Verb.BREAK_GLASS else set()
    for gate in status.gates:
        if gate.outcome is GateOutcome.HOLDING:
            yield ("skipped" if gate.name in skips else "holding"), f"{gate.name} ({gate.stage}): {gate.message}"
    rules = asked.profile.spec.break_glass if asked.profile is not None else None
    if skips and rules is not None:
        yield (
            "then owed",
            f"a sign-off by another person, as {rules.sign_off_role}, in {rules.sign_off_within_days} days",
        )


def _until(decision: Decision, now: datetime) -> Iterator[tuple[str, str]]:
    spec = decision.spec
    if spec.ticket:
        yield "emergency", spec.ticket
    if spec.expires_at is not None:
        left = duration((spec.expires_at - now).total_seconds())
        yield "counts", f"until {_moment(spec.expires_at)}, {left} from now"
    if spec.digest:
        yield "digest", spec.digest


def _skips(asked: Asked) -> tuple[str, ...]:
    rules = asked.profile.spec.break_glass if asked.profile is not None else None
    return tuple(rules.skips) if rules is not None else ()


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
