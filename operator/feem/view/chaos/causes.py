"""Why runs end as they do: what each cause means, and what to do next. `docs/chaos.md` has the same table (tested)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """The results it can lead to, what it means, and the next step."""

    results: tuple[str, ...]
    means: str
    then: str


def _skipped(means: str, then: str) -> Cause:
    return Cause(("Skipped",), means, then)


def _aborted(means: str, then: str) -> Cause:
    return Cause(("Aborted",), means, then)


def _either(means: str, then: str) -> Cause:
    """Forbids a run to begin, and ends one that has begun."""
    return Cause(("Skipped", "Aborted"), means, then)


def _error(means: str, then: str) -> Cause:
    return Cause(("Error",), means, then)


_FORBIDDEN = {
    "StartingDeadlineMissed": _skipped(
        "no operator ran when it was due, or another run was in the way for too long", "ask for another run"
    ),
    "Halted": _either(
        "a ChaosHalt is in force", "see who and why: kubectl get chalt; to go on: feem chaos resume HALT"
    ),
    "ChangeFreeze": _either("a change freeze is open for the service", "wait for its end: feem windows --for SERVICE"),
    "OutsideWindow": _either(
        "the service's change windows are closed", "wait for the next: feem windows --for SERVICE"
    ),
    "NoWindow": _either(
        "window is Required, and no ChangeWindow of type Allow is made for the service",
        "create a window, or make window Optional in the experiment",
    ),
    "ReleaseInProgress": _either("a release of the service is under way", "wait for its end: feem watch SERVICE"),
    "ReleaseEnded": _either(
        "the canary that was to be hit has no traffic, or is gone", "nothing: the release goes on without this run"
    ),
    "NamespaceNotAllowed": _skipped(
        "chaos is not allowed in the namespace", "ask the platform team to add it to FEEM_CHAOS_NAMESPACES"
    ),
    "ServiceMissing": _skipped(
        "there is no ManagedService of that name", "create it, or correct spec.service of the experiment"
    ),
    "ServiceNotReady": _skipped(
        "FEEM does not govern the service yet, or not all of its pods are available",
        "see why: feem get service SERVICE",
    ),
    "ObjectiveMissing": _skipped(
        "an objective of the hypothesis is not there", "create it, or take it out of hypothesis.objectives"
    ),
    "ObjectiveUnfit": _skipped(
        "a mix or a gauge cannot be held against a whole service", "name a ratio or a latency objective instead"
    ),
    "BudgetSpent": _skipped(
        "the error budget of an objective is spent", "wait until the service has done well for a while: kubectl get slo"
    ),
    "DebtOpen": _skipped("the service owes a review or a sign-off", "pay it: feem sign-off SERVICE"),
    "AnotherRun": _either(
        "another run is on the service, or on the dependency that would be cut",
        "wait for its end, or set concurrencyPolicy to Replace",
    ),
}
_UNFIT = {
    "TooFewPods": _skipped(
        "fewer pods are Ready, or would be lost, than the experiment says", "wait for them, or change blastRadius"
    ),
    "BeyondBlastRadius": _skipped(
        "the fault would lose more pods than blastRadius allows", "raise blastRadius, or scaleDown.replicas"
    ),
    "BelowDisruptionBudget": _skipped(
        "a PodDisruptionBudget does not let so many pods be lost",
        "lower blastRadius, or wait until more pods are Ready",
    ),
    "AutoscalerDecides": _skipped(
        "a HorizontalPodAutoscaler would undo the scaling", "use podKill for a service that is scaled by itself"
    ),
    "ContainerMissing": _skipped("the pods have no container of that name", "correct the name in the fault"),
    "NoLimit": _skipped(
        "the container has no limit: one that is added in place cannot be taken away again",
        "give it a limit in the Deployment",
    ),
    "NothingLowered": _skipped("the container's limit is as low already", "choose a lower limit"),
    "OtherPolicyAllows": _skipped(
        "another NetworkPolicy lets the traffic through, and no policy can forbid what one allows",
        "use dependencyCut or an HTTP fault where these fit",
    ),
    "DependencyMissing": _skipped(
        "the Service to be cut off is not there, or has no pods", "name a Service of the same namespace that has pods"
    ),
    "RouteMissing": _skipped("the service has no HTTPRoute", "HTTP faults need one: choose a fault of pods"),
    "GatewayCannot": _skipped(
        "the gateway cannot do this fault on this route", "read the message: most often header or status 500 helps"
    ),
    "NotOnCanary": _skipped(
        "the fault would reach stable as well", "use a fault of pods or of the network in a release's step"
    ),
    "FaultUnknown": _skipped(
        "the operator is older than the fault", "bring the operator up to the version of its CRDs"
    ),
}
_UNMEASURED = {
    "MetricsStale": Cause(
        ("Skipped", "Error"),
        "objectives or the effect's query could not be measured, or samples are too old",
        "see that Prometheus answers and scrapes the service: kubectl describe slo",
    ),
    "NotSteady": _skipped("an objective did not hold before the fault", "mend the service first: kubectl get slo"),
    "TooFewSamples": _skipped(
        "an objective saw too few events before the fault",
        "run it when there is traffic, or make steadySeconds longer",
    ),
    "EffectAlreadyThere": _skipped(
        "the effect's query passed its bound before the fault", "choose a bound that only the fault makes it pass"
    ),
}
_ENDED_EARLY = {
    "Stopped": _aborted("a person stopped it", "ask them: the message says who and why"),
    "ReleaseWaits": _aborted("a release of the service wants to begin", "run it again after the release"),
    "Replaced": _aborted("a newer run took its place (concurrencyPolicy Replace)", "look at the newer run"),
    "MetricsLost": _aborted(
        "the objectives could not be measured any more while the fault was in place", "see why Prometheus was away"
    ),
    "TargetGone": _either("the Deployment or its pods cannot be found (any more)", "see why: feem get service SERVICE"),
    "TakenBack": _aborted(
        "no object carried the fault any more, though its time was not over", "see who took it back: kubectl get events"
    ),
    "Interrupted": _aborted(
        "the operator was away between the plan and the fault, or while it was being made", "run it again"
    ),
    "TargetReplaced": _aborted("the Deployment was replaced by another one of its name", "run it again"),
    "RunDeleted": _aborted("the ChaosRun was deleted", "nothing: stop runs instead, which keeps them"),
    "NamespaceDeleted": _aborted("the namespace was deleted", "nothing"),
}
_ENDED = {
    "HypothesisHeld": Cause(("Passed",), "the objectives held before, during and after the fault", "nothing"),
    "ObjectiveBreached": Cause(
        ("Failed",),
        "an objective was certainly breached while the fault was in place",
        "a resilience gap: mend it, run again",
    ),
    "NotRecovered": Cause(
        ("Failed",),
        "pods or objectives were not as before within recoverWithinSeconds",
        "a resilience gap: see after in the run's status",
    ),
    "ExperimentMissing": _error(
        "there is no experiment of that name", "create it; see which there are: feem chaos list"
    ),
    "ExperimentNotAccepted": _error("the experiment cannot be used", "read its condition: kubectl describe chaos"),
    "FaultHadNoEffect": _error(
        "the fault was in place, and nothing showed it",
        "the cluster does not carry it out (see the caveats), or the effect's query is wrong",
    ),
    "ResidueLeft": _error(
        "somebody took a fault's mark off, and what the fault made is still there",
        "put right what status.residue names, by hand",
    ),
    "EffectStayed": _error(
        "the fault was taken back, and its effect is still seen", "look at the service now; then at the query"
    ),
    "Inconclusive": _error(
        "there was too little evidence to say that the objectives held", "more traffic, or a longer durationSeconds"
    ),
    "PlanUnreadable": _error(
        "the changes on the run's status cannot be read: another version wrote them, or somebody edited them",
        "run it again",
    ),
    "InjectionRefused": _error(
        "the API server refused a change of the fault", "read the message: a policy or a right of the operator's"
    ),
}
CAUSES: dict[str, Cause] = {**_FORBIDDEN, **_UNFIT, **_UNMEASURED, **_ENDED_EARLY, **_ENDED}


def next_step(cause: str, service: str = "SERVICE") -> str:
    """Return what to do about a cause, empty where there is nothing to do, or nothing known."""
    found = CAUSES.get(cause)
    return "" if found is None or found.then == "nothing" else found.then.replace("SERVICE", service or "SERVICE")
