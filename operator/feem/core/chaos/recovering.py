"""After the fault: everything must be as before, and be seen to be; only then the run has a result."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from feem.api.experiment import RunResult
from feem.api.release import Outcome
from feem.api.run import EffectSeen, RunTerms
from feem.core.chaos.acts import undos
from feem.core.chaos.checking import UNMEASURED, worst_of
from feem.core.chaos.ending import (
    BREACHED,
    EFFECT_STAYED,
    INCONCLUSIVE,
    NO_EFFECT,
    NOT_RECOVERED,
    TIME_IS_UP,
    end,
    result_for,
)
from feem.core.chaos.plan import RunPlan
from feem.core.chaos.refusals import deleted_or_stopped
from feem.core.chaos.residue import Left, left_of
from feem.core.chaos.running import parts
from feem.core.chaos.seen import passes_bound, shown
from feem.core.chaos.snapshot import RunSnapshot
from feem.core.chaos.status import next_status, status_of

MOST_LINES = 64
"""Of what people kept, and of what is left, on the status."""


def recover(s: RunSnapshot) -> RunPlan:
    """Compare state and objectives with those before; what is left of the fault is taken back again."""
    status = status_of(s.run)
    terms, edits = parts(s)
    left = left_of(edits or (), s.observed, s.run.metadata.uid) if s.observed is not None else Left()
    if left.residue:
        return _again(s, left)
    kept: dict[str, Any] = {"residue": [], "kept": [line[:512] for line in left.kept][:MOST_LINES]}
    if terms is None or edits is None:
        return end(s, RunResult.ERROR, status.cause, "its terms or changes cannot be read", **kept)
    if left.unmarked:
        text = f"somebody took the mark off, and what the fault made is still there: {'; '.join(left.unmarked)}; put it right by hand"
        return end(
            s,
            RunResult.ERROR,
            "ResidueLeft",
            text,
            **{**kept, "residue": [one[:512] for one in left.unmarked][:MOST_LINES]},
        )
    leaving = deleted_or_stopped(s, terms)
    if leaving is not None and leaving.reason != "Stopped":
        cause = leaving.reason if status.cause == TIME_IS_UP else status.cause
        return end(s, result_for(cause), cause, leaving.message, **kept)
    missing = _missing(s, terms)
    waited = s.now - (status.undone_at or s.now)
    if not missing:
        return _result(s, terms, left, recovered=True, **kept)
    if waited > timedelta(seconds=terms.hypothesis.recover_within_seconds):
        return _result(s, terms, left, recovered=False, missing="; ".join(missing), **kept)
    text = f"waits for recovery, {terms.hypothesis.recover_within_seconds - int(waited.total_seconds())} s left: {'; '.join(missing)}"
    new = next_status(
        s.run, s.now, progressing=(True, "Recovering", _short(status, text)), effect=_effect(s, terms), **kept
    )
    return RunPlan("Wait", "Recovering", text, new, requeue=s.interval)


def _short(status: Any, text: str) -> str:
    """Keep what stands there while nothing but the seconds changes: each look would be a write."""
    found = next((item for item in status.conditions if item.type == "Progressing"), None)
    known = found is not None and found.reason == "Recovering" and found.message.startswith("waits for recovery")
    return found.message if found is not None and known else text


def _again(s: RunSnapshot, left: Left) -> RunPlan:
    """Something of the fault is left, by whomever: take it back again."""
    _, edits = parts(s)
    text = f"something of the fault is left, and taken back again: {'; '.join(left.residue)}"
    new = next_status(
        s.run,
        s.now,
        progressing=(True, "Recovering", text[:4000]),
        in_place=(False, "Undone", "every change was taken back again"),
        residue=[],
        undone_at=s.now,
    )
    effects = undos(edits or (), s.run.metadata.uid)
    return RunPlan("UndoFault", "ResidueLeft", text[:4000], new, effects, requeue=s.interval, warning=True, event=True)


def _missing(s: RunSnapshot, terms: RunTerms) -> list[str]:
    """Say what is not as before; empty when the run has recovered."""
    missing = ["objects are compared at the end"] if s.observed is None else []
    workload = s.around.workload
    if workload is not None and not workload.whole:
        missing.append(f"{workload.available} of {workload.replicas} pods are available")
    waited = s.now - (status_of(s.run).undone_at or s.now)
    window = timedelta(seconds=terms.hypothesis.recovery_window_seconds)
    if waited < window:
        missing.append(f"the objectives have to hold for {window.seconds} s")
    elif s.judged.outcome is not Outcome.PASS:
        worst = worst_of(s.judged.verdicts)
        missing.append(f"objective {worst.name}: {worst.message}" if worst else "the objectives could not be measured")
    if terms.effect is not None and s.reading is not None and passes_bound(terms.effect, s.reading) is not False:
        missing.append(f"effect.query gives {shown(s.reading) or s.reading.problem}")
    return missing


def _effect(s: RunSnapshot, terms: RunTerms) -> EffectSeen | None:
    old = status_of(s.run).effect
    gone = terms.effect is not None and s.reading is not None and passes_bound(terms.effect, s.reading) is False
    if old is None or old.gone_at is not None or not gone or s.reading is None:
        return old
    return old.model_copy(update={"gone_at": s.now, "after": shown(s.reading)})


def _result(s: RunSnapshot, terms: RunTerms, left: Left, *, recovered: bool, missing: str = "", **kept: Any) -> RunPlan:
    """Say how the run ends, from why its fault was taken back, what was seen meanwhile, and whether it recovered."""
    cause, message = _cause(s, terms, recovered=recovered, missing=missing)
    result = RunResult.PASSED if cause == "HypothesisHeld" else result_for(cause)
    status = status_of(s.run)
    seconds = round((s.now - (status.undone_at or s.now)).total_seconds())
    words = f"state and objectives as before after {seconds} s" if recovered else f"not after {seconds} s: {missing}"
    lost = f"; {'; '.join(left.gone)}" if left.gone else ""
    during = list(s.during.verdicts) or status.during
    plan = end(
        s,
        result,
        cause,
        message,
        during=during,
        after=list(s.judged.verdicts),
        effect=_effect(s, terms),
        recovered_at=s.now if recovered else None,
        **kept,
    )
    reason = "AsBefore" if recovered else NOT_RECOVERED
    shown_now = next(item for item in plan.status.conditions if item.type == "Progressing")
    final = next_status(
        s.run.model_copy(update={"status": plan.status}),
        s.now,
        progressing=(False, shown_now.reason, shown_now.message),
        recovered=(recovered, reason, f"{words}{lost}"[:4000]),
    )
    return replace(plan, status=final)


def _cause(s: RunSnapshot, terms: RunTerms, *, recovered: bool, missing: str) -> tuple[str, str]:
    status, worst = status_of(s.run), worst_of(s.during.verdicts)
    if status.cause != TIME_IS_UP:
        return status.cause, status.cause_message
    if s.during.outcome is Outcome.FAIL and worst is not None:
        return BREACHED, f"objective {worst.name} while the fault was in place: {worst.message}"
    if status.effect is None or status.effect.seen_at is None:
        value = status.effect.during if status.effect is not None else ""
        said = f"effect.query gave {value or 'nothing'}" if terms.effect is not None else "no object showed it"
        text = (
            f"{terms.fault.kind} was in place for {terms.blast_radius.duration_seconds} s and nothing was seen of it ({said}): nothing is "
            "proven; see the caveats of this fault in docs/chaos.md"
        )
        return NO_EFFECT, text
    if not recovered:
        stays = terms.effect is not None and s.reading is not None and passes_bound(terms.effect, s.reading)
        return (EFFECT_STAYED if stays else _unproven(s)), f"not as before within the time: {missing}"
    if s.during.outcome is not Outcome.PASS:
        said = (
            f"objective {worst.name}: {worst.message}" if worst is not None else "the objectives could not be measured"
        )
        return INCONCLUSIVE, f"{said}; run it longer, or with more traffic"
    return "HypothesisHeld", f"every objective held for {terms.blast_radius.duration_seconds} s of {terms.fault.kind}"


def _unproven(s: RunSnapshot) -> str:
    """Name what a run came to that is not as before in time: only what was seen to be wrong is a failure."""
    worst, workload = worst_of(s.judged.verdicts), s.around.workload
    if (workload is not None and not workload.whole) or s.judged.outcome is Outcome.FAIL:
        return NOT_RECOVERED
    return "MetricsStale" if worst is None or worst.reason in UNMEASURED else INCONCLUSIVE
