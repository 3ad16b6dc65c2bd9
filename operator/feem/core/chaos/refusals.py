"""Why a run may not begin, or not go on: each with a word that programs can rely on and a sentence with the next step.

Everything here is asked before the fault, and most of it all the time while it is in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from feem.api.experiment import Terms
from feem.api.gate import Need
from feem.api.run import Track
from feem.api.window import WindowType
from feem.core.chaos.rivals import other_run, release_under_way, replaced
from feem.core.chaos.snapshot import Refusal, RunSnapshot
from feem.core.chaos.status import status_of
from feem.core.conditions import find
from feem.core.gates.debt import owed
from feem.core.windows.scope import applies
from feem.core.windows.state import state_of as windows_of
from feem.core.windows.words import moment

BY_HAND = timedelta(seconds=300)
"""How long after it was asked for a run by hand may begin."""


def refusals(s: RunSnapshot, terms: Terms) -> Iterator[Refusal]:
    """Yield everything that forbids a run to begin, most important first."""
    for ask in (*_ALWAYS, *_BEFORE):
        found = ask(s, terms)
        if found is not None:
            yield found


def deleted_or_stopped(s: RunSnapshot, terms: Terms) -> Refusal | None:
    """Return what people want of the run, or of what it is in."""
    return next((found for ask in _PEOPLE if (found := ask(s, terms)) is not None), None)


def reason_to_stop(s: RunSnapshot, terms: Terms) -> Refusal | None:
    """Return what ends a run whose fault is in place; None while it may go on."""
    return next((found for ask in (*_PEOPLE, *_ALWAYS, *_DURING) if (found := ask(s, terms)) is not None), None)


def halted(s: RunSnapshot, _: Terms) -> Refusal | None:
    """A ChaosHalt is there."""
    namespace = s.run.metadata.namespace
    halt = next((one for one in s.around.halts if not one.spec.namespaces or namespace in one.spec.namespaces), None)
    if halt is None:
        return None
    name, spec = halt.metadata.name, halt.spec
    by = f" by {spec.by}" if spec.by else ""
    return Refusal(
        "Halted",
        f"all chaos was stopped{by} (ChaosHalt {name}: {spec.reason}); kubectl delete chalt {name} lets it go on",
    )


def _stopped(s: RunSnapshot, _: Terms) -> Refusal | None:
    stop = s.run.spec.stop
    return Refusal("Stopped", f"{stop.by} stopped it: {stop.reason}") if stop is not None else None


def _deleted(s: RunSnapshot, _: Terms) -> Refusal | None:
    if s.around.terminating:
        return Refusal("NamespaceDeleted", f"namespace {s.run.metadata.namespace} is being deleted")
    if s.run.metadata.deletion_timestamp is not None:
        return Refusal("RunDeleted", "the ChaosRun is being deleted")
    return None


def _namespace(s: RunSnapshot, _: Terms) -> Refusal | None:
    if s.around.allowed:
        return None
    text = f"no experiments may run in namespace {s.run.metadata.namespace}: the platform team adds it to chaos.namespaces of FEEM's chart"
    return Refusal("NamespaceNotAllowed", text)


def _frozen(s: RunSnapshot, _: Terms) -> Refusal | None:
    service = s.around.service
    if service is None:
        return None
    windows = [window for window in s.around.windows if applies(window, service)]
    freezes = windows_of(windows, s.now, need_allow=False).freezes
    if not freezes:
        return None
    names = ", ".join(f"{window.metadata.name}: {window.spec.reason}" for window in freezes)
    return Refusal(
        "ChangeFreeze", f"changes are frozen, and so are experiments ({names}); kubectl get cwin says until when"
    )


def _window(s: RunSnapshot, terms: Terms) -> Refusal | None:
    service = s.around.service
    if service is None:
        return None
    windows = [
        window for window in s.around.windows if applies(window, service) and window.spec.type is WindowType.ALLOW
    ]
    state = windows_of(windows, s.now, need_allow=True)
    if state.allow or (not state.has_allow and terms.window is Need.OPTIONAL):
        return None
    if not state.has_allow:
        text = (
            f"window is Required and no ChangeWindow of type Allow is made for ManagedService {service.metadata.name}: create one, or "
            "make window Optional"
        )
        return Refusal("NoWindow", text)
    opens = f" from {moment(state.opens_at, s.now, windows[0].spec.time_zone)} on" if state.opens_at else ""
    return Refusal(
        "OutsideWindow", f"outside the change windows of ManagedService {service.metadata.name}; it may run{opens}"
    )


def _service(s: RunSnapshot, terms: Terms) -> Refusal | None:
    service = s.around.service
    if service is None:
        text = f"ManagedService {terms.service} is not there: create it, or correct spec.service of the experiment"
        return Refusal("ServiceMissing", text)
    ready = find(service.status.conditions, "Ready") if service.status is not None else None
    if ready is None or ready.status != "True" or service.status is None or service.status.stable is None:
        said = f": {ready.message}" if ready is not None else ""
        return Refusal("ServiceNotReady", f"ManagedService {terms.service} is not governed yet{said}")
    return None


def _whole(s: RunSnapshot, terms: Terms) -> Refusal | None:
    workload = s.around.workload
    if workload is None:
        return Refusal("ServiceNotReady", f"the Deployment of ManagedService {terms.service} is not there")
    if s.run.spec.track is Track.STABLE and not workload.whole:
        text = f"{workload.available} of {workload.replicas} pods are available: it begins when all are"
        return Refusal("ServiceNotReady", text)
    return None


def _objectives(s: RunSnapshot, terms: Terms) -> Refusal | None:
    for name in terms.hypothesis.objectives:
        objective = s.around.objectives.get(name)
        if objective is None:
            return Refusal("ObjectiveMissing", f"ServiceLevelObjective {name} is not there: create it, or take it out")
        indicator = objective.spec.indicator
        countable = indicator.ratio is not None or indicator.latency is not None
        if s.run.spec.track is Track.STABLE and not countable:
            text = f"objective {name} is a mix or a gauge, which cannot be held against a whole service: name a ratio or a latency"
            return Refusal("ObjectiveUnfit", text)
        left = (
            objective.status.budget.left if objective.status is not None and objective.status.budget is not None else ""
        )
        if left and _spent(left):
            text = f"the error budget of objective {name} is spent ({left} left): experiments wait until some of it is back"
            return Refusal("BudgetSpent", text)
    return None


def _spent(left: str) -> bool:
    number = left.rstrip("%")
    return number.startswith("-") or not float(number)


def _debt(s: RunSnapshot, _: Terms) -> Refusal | None:
    due = [debt for debt in owed(s.around.releases, s.now) if debt.holds]
    if not due:
        return None
    names = ", ".join(debt.release.metadata.name for debt in due)
    return Refusal("DebtOpen", f"the service owes a review or sign-off of {names}: kubectl feem sign-off pays it")


def _late(s: RunSnapshot, _: Terms) -> Refusal | None:
    """A run begins soon after it was asked for, or not at all: nobody expects it any more. A release waits for its own."""
    run, schedule = s.run, s.experiment.spec.schedule if s.experiment is not None else None
    asked, within = run.metadata.creation_timestamp, BY_HAND
    if run.spec.scheduled_for is not None and schedule is not None:
        asked = run.spec.scheduled_for
        within = timedelta(seconds=schedule.jitter_seconds + schedule.starting_deadline_seconds)
    if run.spec.track is Track.CANARY or asked is None or s.now - asked <= within:
        return None
    text = f"it could not begin within {int(within.total_seconds())} s, because no operator ran or another run was in the way"
    return Refusal("StartingDeadlineMissed", f"{text}: ask for another one")


def _target(s: RunSnapshot, _: Terms) -> Refusal | None:
    """What was hit is not there any more, or is another object of its name."""
    status, workload = status_of(s.run), s.around.workload
    if workload is None:
        return Refusal("TargetGone", f"Deployment {status.deployment} is gone")
    if status.deployment_uid and workload.uid != status.deployment_uid:
        return Refusal("TargetReplaced", f"Deployment {status.deployment} was replaced by another one of its name")
    return None


Ask = Callable[[RunSnapshot, Terms], Refusal | None]
_PEOPLE: tuple[Ask, ...] = (_deleted, _stopped)
_ALWAYS: tuple[Ask, ...] = (halted, _frozen, _window, release_under_way)
_BEFORE: tuple[Ask, ...] = (_late, _namespace, _service, _whole, _objectives, _debt, other_run)
_DURING: tuple[Ask, ...] = (_target, replaced)
