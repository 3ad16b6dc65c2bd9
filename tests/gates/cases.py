"""Pictures of a release that waits before gates: nothing wrong by default, requested ten days ago by a pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from feem.api.base import ConditionStatus, Metadata
from feem.api.decision import Decision, Verb
from feem.api.gate import Stage
from feem.api.profile import ComplianceProfile
from feem.api.release import Release, ReleaseStatus, SignOffDuty
from feem.api.service import ManagedService
from feem.api.window import ChangeWindow
from feem.core.conditions import condition
from feem.core.gates.binding import binding_of
from feem.core.gates.chain import evaluate
from feem.core.gates.facts import GateFacts, Guard
from feem.core.gates.result import GateResult
from feem.core.gates.snapshot import compliance_facts
from tests.rollout import snapshots

NOW = snapshots.NOW
REQUESTED = NOW - timedelta(days=10)
PIPELINE, AUTHOR = "release-pipeline", "team-dev"
IMAGE = "registry.example/lending/scoring@sha256:" + "a" * 64
SHA = "sha256:" + "b" * 64
ALWAYS = {"range": {"start": "2026-01-01T00:00", "end": "2027-01-01T00:00"}}
TONIGHT = {"recurrence": {"cron": "0 22 * * *", "durationSeconds": 7200}}
SINCE = NOW - timedelta(days=300)


def gate(kind: str, name: str = "", stage: str = "Start", **spec: Any) -> dict[str, Any]:
    """One gate of a profile, in wire form; named after its kind."""
    return {"name": name or kind.lower(), "stage": stage, kind: spec}


def approvals(*roles: tuple[str, int], name: str = "approvals", stage: str = "Start", **spec: Any) -> dict[str, Any]:
    asked = [{"role": role, "count": count} for role, count in roles]
    return gate("approvals", name, stage, roles=asked, **spec)


def profile(*gates: Mapping[str, Any], **spec: Any) -> ComplianceProfile:
    some = gates or (gate("objectives", "objectives", "Request"),)
    return ComplianceProfile.read({"metadata": {"name": "standard"}, "spec": {"gates": list(some), **spec}})


def service(named: str | None = "standard", **spec: Any) -> ManagedService:
    made = snapshots.service()
    asked: dict[str, Any] = {**made.spec.wire(), **spec}
    if named:
        asked["complianceProfile"] = named
    return ManagedService.read({"metadata": made.metadata.model_dump(), "spec": asked})


def release(
    under: ComplianceProfile | None,
    of: ManagedService,
    annotations: Mapping[str, str] | None = None,
    own: Mapping[str, str] | None = None,
    name: str = snapshots.NAME,
    status: ReleaseStatus | None = None,
    **spec: Any,
) -> Release:
    """A release; `annotations` are what the Deployment said, `own` what stands on the Release itself."""
    frozen = compliance_facts(of, under, annotations or {}) if under is not None else None
    images = [{"name": "app", "image": IMAGE}]
    body = {**snapshots.SPEC.wire(), "images": images, "requestedBy": PIPELINE, **spec}
    if frozen is not None:
        body.setdefault("compliance", frozen.wire())
    metadata = Metadata(
        name=name, namespace="lending", uid=f"uid-{name}", annotations=dict(own or {}), creation_timestamp=REQUESTED
    )
    return Release.model_validate({"metadata": metadata, "spec": body, "status": status})


@dataclass(frozen=True)
class Act:
    """A decision to be made, so many seconds ago; without a digest it names what the release is now."""

    verb: Verb
    by: str
    role: str = ""
    ago: float = 600
    digest: str | None = None
    expires_in: float | None = None
    release: str = snapshots.NAME
    name: str = ""

    def decision(self, binding: str, number: int = 0) -> Decision:
        end = None if self.expires_in is None else NOW + timedelta(seconds=self.expires_in)
        spec = {
            "release": self.release,
            "verb": self.verb,
            "reason": "looked at it",
            "by": self.by,
            "groups": ["staff"],
            "role": self.role or None,
            "digest": binding if self.digest is None else self.digest,
            "ticket": "INC-7",
            "expires_at": end,
        }
        metadata = Metadata(
            name=self.name or f"decision-{number}",
            namespace="lending",
            creation_timestamp=NOW - timedelta(seconds=self.ago),
        )
        return Decision.model_validate({"metadata": metadata, "spec": spec})


def approve(by: str, role: str, ago: float = 600, **more: Any) -> Act:
    return Act(Verb.APPROVE, by, role, ago, **more)


def reject(by: str, role: str, ago: float = 600, **more: Any) -> Act:
    return Act(Verb.REJECT, by, role, ago, **more)


def break_glass(by: str = "on-call", ago: float = 600, expires_in: float | None = 3000, **more: Any) -> Act:
    return Act(Verb.BREAK_GLASS, by, ago=ago, expires_in=expires_in, **more)


def sign_off(by: str, role: str, ago: float = 600, **more: Any) -> Act:
    return Act(Verb.SIGN_OFF, by, role, ago, **more)


def window(name: str, kind: str, time: Mapping[str, Any], **spec: Any) -> ChangeWindow:
    body = {"type": kind, "reason": f"why {name}", "timeZone": "Asia/Shanghai", **time, **spec}
    return ChangeWindow.read({"metadata": {"name": name}, "spec": body})


def picture(
    *gates: Mapping[str, Any],
    acts: Iterable[Act] = (),
    rules: Mapping[str, Any] | None = None,
    of: Mapping[str, Any] | None = None,
    annotations: Mapping[str, str] | None = None,
    own: Mapping[str, str] | None = None,
    spec: Mapping[str, Any] | None = None,
    status: ReleaseStatus | None = None,
    **facts: Any,
) -> GateFacts:
    """The facts about a release under a profile of these gates; `rules` is more of the profile's spec, `of` of the service's."""
    under, governed = profile(*gates, **(rules or {})), service(**(of or {}))
    made = release(under, governed, annotations, own, status=status, **(spec or {}))
    facts.setdefault("guard", Guard(since=SINCE))
    base = GateFacts(now=NOW, release=made, service=governed, profile=under)
    return with_acts(replace(base, **facts), acts)


def with_acts(facts: GateFacts, acts: Iterable[Act]) -> GateFacts:
    """The same picture with these decisions as well."""
    binding, have = binding_of(facts.release, facts.profile), len(facts.decisions)
    made = tuple(act.decision(binding, have + number) for number, act in enumerate(acts))
    return replace(facts, decisions=(*facts.decisions, *made))


def said(facts: GateFacts, name: str) -> GateResult:
    """What one gate says."""
    found = [result for result in evaluate(facts).results if result.name == name]
    assert len(found) == 1, f"{name} is to report once, not {len(found)} times"
    return found[0]


def holding(facts: GateFacts, stage: Stage = Stage.PROMOTION) -> list[str]:
    """The names of the gates that hold."""
    return [result.name for result in evaluate(facts).holding(stage)]


def ended(
    how: str = "Promoted",
    ago: float = 3600,
    duty: SignOffDuty | None = None,
    *,
    traffic: bool = True,
    signed: bool = False,
    **more: Any,
) -> ReleaseStatus:
    """The status of a release that ended so many seconds ago."""
    at = NOW - timedelta(seconds=ago)
    answer = ConditionStatus.TRUE if how == "Promoted" else ConditionStatus.FALSE
    conditions = [condition("Succeeded", answer, how, "why", at, 1)]
    if signed:
        conditions.append(condition("SignedOff", ConditionStatus.TRUE, "SignedOff", "done", at, 1))
    values: dict[str, Any] = {
        "conditions": conditions,
        "completed_at": at,
        "started_at": at - timedelta(minutes=10) if traffic else None,
        "promoted_at": at if how == "Promoted" else None,
        "sign_off": duty,
    }
    return ReleaseStatus(**{**values, **more})


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)
