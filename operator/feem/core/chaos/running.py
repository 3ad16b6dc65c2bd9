"""While the fault may be in place: it is put there, watched, and taken back for the first reason there is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from feem.api.release import Outcome
from feem.api.run import EffectSeen, RunTerms
from feem.core.chaos.acts import InjectFault, injections, undos
from feem.core.chaos.checking import UNMEASURED, worst_of
from feem.core.chaos.edit import Edit, Mark
from feem.core.chaos.ending import BREACHED, TIME_IS_UP
from feem.core.chaos.plan import RunPlan
from feem.core.chaos.record import edits_of
from feem.core.chaos.refusals import reason_to_stop
from feem.core.chaos.rivals import other_run
from feem.core.chaos.seen import in_objects, passes_bound, shown
from feem.core.chaos.snapshot import Refusal, RunSnapshot
from feem.core.chaos.status import next_status, status_of

STALE_PLAN = timedelta(seconds=15)
"""How old a plan may be when its injection begins, or goes on after an interruption: the reaper's grace is longer."""
UNREADABLE = (False, "Unreadable", "the reaper takes back what carries the run's mark")
METRICS_LOST = timedelta(seconds=45)
"""How long a fault may stay while nothing is known of the objectives."""


def begin(s: RunSnapshot) -> RunPlan:
    """Put the fault in place, if everything is still as it was a moment ago."""
    terms, edits = parts(s)
    if terms is None or edits is None:
        return take_back(s, "PlanUnreadable", "the changes on its status cannot be read, so nothing more is done")
    if s.announced is not None:
        return take_back(s, *s.announced)
    stop = s.refused or reason_to_stop(s, terms) or other_run(s, terms) or _too_old(s)
    if stop is not None:  # an earlier process may have injected it, and died before the status said so
        return take_back(s, stop.reason, stop.message)
    meta, status = s.run.metadata, status_of(s.run)
    expires = status.expires_at or s.now
    mark = Mark(meta.name, meta.namespace, meta.uid, expires)
    text = f"{terms.fault.kind} of {terms.service}, until {until(s).strftime('%H:%M:%S')} UTC at the latest"
    new = next_status(
        s.run,
        s.now,
        progressing=(True, "Running", text),
        in_place=(
            True,
            "InPlace",
            f"{len(edits)} changes are made; the reaper takes them back from {expires:%H:%M:%S} UTC on",
        ),
        injected_at=s.now,
    )
    effects: tuple[InjectFault, ...] = injections(edits, mark)
    return RunPlan("InjectFault", terms.fault.kind, text, new, effects, requeue=0, event=True, warning=True)


def go_on(s: RunSnapshot) -> RunPlan:
    """Watch the fault, or take it back."""
    terms, edits = parts(s)
    if terms is None or edits is None:
        return take_back(s, "PlanUnreadable", "the changes on its status cannot be read, so nothing more is done")
    effect = _effect(s, terms, edits)
    stop = _announced(s) or reason_to_stop(s, terms) or _breached(s) or _vanished(s)
    if stop is not None:
        breached = {"breached_at": s.now} if stop.reason == BREACHED else {}
        return take_back(s, stop.reason, stop.message, effect=effect, **breached)
    unmeasured = _unmeasured_since(s)
    if unmeasured is not None and s.now - unmeasured >= METRICS_LOST:
        text = f"nothing was known of the objectives for {METRICS_LOST.seconds} s, so the fault does not stay"
        return take_back(s, "MetricsLost", text, effect=effect)
    left = (until(s) - s.now).total_seconds()
    if left <= 0:
        return take_back(s, TIME_IS_UP, f"its {terms.blast_radius.duration_seconds} s are over", effect=effect)
    seen = "" if effect is None or effect.seen_at is None else f"; {effect.message}"
    text = f"{terms.fault.kind} of {terms.service}, until {until(s).strftime('%H:%M:%S')} UTC at the latest{seen}"
    status = next_status(s.run, s.now, progressing=(True, "Running", text), effect=effect, unmeasured_since=unmeasured)
    return RunPlan("Wait", "Running", text, status, requeue=min(s.interval, left))


def take_back(s: RunSnapshot, cause: str, message: str, **fields: Any) -> RunPlan:
    """Undo the fault, whatever else is wrong; the run then has to recover."""
    _, edits = parts(s)
    effects = undos(edits or (), s.run.metadata.uid)
    fields.setdefault("effect", status_of(s.run).effect)
    during = list(s.judged.verdicts) or status_of(s.run).during
    status = next_status(
        s.run,
        s.now,
        progressing=(True, "Recovering", message),
        in_place=(False, "Undone", "every change was taken back") if edits is not None else UNREADABLE,
        recovered=(False, "Recovering", "state and objectives are compared with those before"),
        cause=cause,
        cause_message=message[:1024],
        undone_at=s.now,
        during=during,
        **fields,
    )
    return RunPlan("UndoFault", cause, message, status, effects, requeue=0, event=True, warning=cause != TIME_IS_UP)


def parts(s: RunSnapshot) -> tuple[RunTerms | None, tuple[Edit, ...] | None]:
    """Return the frozen terms and the edits; None for what cannot be read."""
    status = status_of(s.run)
    try:
        return status.terms, edits_of(status.edits)
    except (ValueError, KeyError, TypeError):
        return status.terms, None


def until(s: RunSnapshot) -> Any:
    """Return when the fault has to go."""
    status = status_of(s.run)
    seconds = status.terms.blast_radius.duration_seconds if status.terms is not None else 0
    return (status.injected_at or s.now) + timedelta(seconds=seconds)


def _announced(s: RunSnapshot) -> Refusal | None:
    return Refusal(*s.announced) if s.announced is not None else None


def _breached(s: RunSnapshot) -> Refusal | None:
    if s.judged.outcome is not Outcome.FAIL:
        return None
    worst = worst_of(s.judged.verdicts)
    said = f"objective {worst.name}: {worst.message}" if worst is not None else "an objective was breached"
    return Refusal(BREACHED, f"{said}, {_since(s)} s after the fault began")


def _since(s: RunSnapshot) -> int:
    return round((s.now - (status_of(s.run).injected_at or s.now)).total_seconds())


def _too_old(s: RunSnapshot) -> Refusal | None:
    planned = status_of(s.run).planned_at or s.now
    if s.now - planned <= STALE_PLAN:
        return None
    text = f"the operator was interrupted for more than {STALE_PLAN.seconds} s: what was settled before may not be so any more"
    return Refusal("Interrupted", text)


def _vanished(s: RunSnapshot) -> Refusal | None:
    """Somebody else took the fault off: the reaper, an undo that was interrupted before it was on record, or a person."""
    if not s.vanished:
        return None
    expires = status_of(s.run).expires_at
    if expires is not None and s.now >= expires:
        return Refusal(TIME_IS_UP, "its time was over while the operator was away, and the reaper took it back")
    return Refusal(
        "TakenBack", "no object carries the fault any more: the reaper, a person or an interrupted undo took it back"
    )


def _unmeasured_since(s: RunSnapshot) -> Any:
    known = any(one.reason not in UNMEASURED for one in s.judged.verdicts)
    return None if known else status_of(s.run).unmeasured_since or s.now


def _effect(s: RunSnapshot, terms: RunTerms, edits: tuple[Edit, ...]) -> EffectSeen | None:
    """Return what is known of the effect now; once seen, it stays seen."""
    old = status_of(s.run).effect or EffectSeen()
    if old.seen_at is not None:
        return old
    if terms.effect is not None:
        value = shown(s.reading) if s.reading is not None else ""
        if s.reading is None or not passes_bound(terms.effect, s.reading):
            return old.model_copy(update={"during": value or old.during})
        text = f"effect seen: the query gives {value}, {old.before} before"
        return old.model_copy(update={"during": value, "seen_at": s.now, "message": text})
    text = in_objects(edits, s.observed, s.around.workload) if s.observed is not None else ""
    return old.model_copy(update={"seen_at": s.now, "message": f"effect seen: {text}"}) if text else old
