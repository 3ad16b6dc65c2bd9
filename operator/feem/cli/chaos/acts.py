"""What a person does about chaos, in their own name: begin a run, end one, halt all, let it go on."""

from __future__ import annotations

from pydantic import ValidationError

from feem.api.experiment import ChaosExperiment
from feem.api.halt import HaltSpec
from feem.api.run import ChaosRun, RunSpec, StopRequest
from feem.cli.chaos.server import Editable
from feem.cli.cluster import Body, Cluster, Person
from feem.cli.problem import Denied, Forbidden, NotFound, Problem
from feem.core.chaos.status import is_open, result_of

EXPERIMENTS = "chaosexperiments.feem.dev"
RUNS = "chaosruns.feem.dev"
HALTS = "chaoshalts.feem.dev"


def experiment_named(cluster: Cluster, name: str) -> ChaosExperiment:
    """Read an experiment. Raises Problem."""
    what = f"ChaosExperiment {cluster.namespace}/{name}"
    try:
        return ChaosExperiment.read(cluster.get(EXPERIMENTS, cluster.namespace, name))
    except NotFound as missing:
        raise NotFound(what, missing.reason, f"feem chaos list -n {cluster.namespace}") from missing
    except ValidationError as odd:
        raise _of_another_version(what, odd) from odd


def run_of(body: Body) -> ChaosRun:
    """Read a run's body. Raises Problem."""
    try:
        return ChaosRun.read(body)
    except ValidationError as odd:
        meta = body["metadata"]
        raise _of_another_version(f"ChaosRun {meta.get('namespace')}/{meta.get('name')}", odd) from odd


def begin(cluster: Cluster, experiment: ChaosExperiment, person: Person, reason: str) -> ChaosRun:
    """Create a run of an experiment, in the person's name. Raises Problem."""
    name, namespace = experiment.metadata.name, cluster.namespace
    what = f"run of ChaosExperiment {namespace}/{name} by {person.name}"
    try:
        spec = RunSpec(experiment=name, requested_by=person.name, reason=reason)
    except ValidationError as odd:
        raise Problem(what, f"--reason: {odd.errors()[0]['msg']}", 'give a shorter --reason "…"') from odd
    written = {key: value for key, value in spec.wire().items() if value != ""}
    body = {"metadata": {"namespace": namespace, "generateName": f"{name}-"}, "spec": written}
    try:
        return run_of(cluster.create(RUNS, namespace, body))
    except Problem as problem:
        right = f"kubectl auth can-i create chaosruns.feem.dev -n {namespace}"
        raise _refused(what, problem, f"ask for role feem-edit or feem-chaos; {right}") from problem


def request_stop(cluster: Editable, name: str, person: Person, reason: str) -> ChaosRun:
    """Ask for a run's end, unless somebody has before or it is over; returns it as it is then. Raises Problem."""
    namespace = cluster.namespace
    what = f"stop of ChaosRun {namespace}/{name} by {person.name}"
    try:
        stop = StopRequest(by=person.name, reason=reason)
    except ValidationError as odd:
        raise _no_reason(reason, odd) from odd
    found = run_of(_read(cluster, namespace, name))
    if found.spec.stop is not None or not is_open(found):
        return found
    try:
        return run_of(cluster.merge(RUNS, namespace, name, {"spec": {"stop": stop.wire()}}))
    except Problem as problem:
        right = f"kubectl auth can-i patch chaosruns.feem.dev -n {namespace}"
        raise _refused(what, problem, f"ask for role feem-edit or feem-chaos; {right}") from problem


def halt(cluster: Cluster, person: Person, reason: str, namespaces: tuple[str, ...]) -> str:
    """Create a ChaosHalt and return its name. Raises Problem."""
    what = f"ChaosHalt by {person.name}"
    try:
        spec = HaltSpec(reason=reason, by=person.name, namespaces=list(namespaces))
    except ValidationError as odd:
        if odd.errors()[0]["loc"][0] == "namespaces":
            raise Problem("--namespaces", odd.errors()[0]["msg"], "write e.g. --namespaces lending,scoring") from odd
        raise _no_reason(reason, odd) from odd
    written = {key: value for key, value in spec.wire().items() if value != []}
    try:
        made = cluster.create(HALTS, "", {"metadata": {"generateName": "halt-"}, "spec": written})
    except Problem as problem:
        step = "ask for role feem-chaos, or one of a change; kubectl auth can-i create chaoshalts.feem.dev"
        raise _refused(what, problem, step) from problem
    return str(made["metadata"]["name"])


def lift(cluster: Editable, name: str) -> None:
    """Delete a ChaosHalt. Raises Problem."""
    try:
        cluster.delete(HALTS, "", name)
    except NotFound as missing:
        raise NotFound(f"ChaosHalt {name}", missing.reason, "kubectl get chaoshalts") from missing
    except Problem as problem:
        step = "ask for role feem-chaos or feem-compliance; kubectl auth can-i delete chaoshalts.feem.dev"
        raise _refused(f"ChaosHalt {name}", problem, step) from problem


def ended_as(run: ChaosRun) -> str:
    """Say how a run ended."""
    cause = run.status.cause if run.status is not None else ""
    return f"{result_of(run) or 'over'}{f' ({cause})' if cause else ''}"


def _read(cluster: Cluster, namespace: str, name: str) -> Body:
    try:
        return cluster.get(RUNS, namespace, name)
    except NotFound as missing:
        raise NotFound(missing.what, missing.reason, f"feem chaos list -n {namespace}") from missing


def _refused(what: str, problem: Problem, step: str) -> Problem:
    """Say who refused what; `step` says whom to ask for the right that it takes."""
    if isinstance(problem, Denied):
        return Denied(
            what, problem.reason, problem.next_step or f"ask who owns policy {problem.policy}", problem.policy
        )
    if isinstance(problem, Forbidden):
        return Forbidden(what, problem.reason, step)
    return type(problem)(what, problem.reason, problem.next_step)


def _no_reason(reason: str, odd: ValidationError) -> Problem:
    if not reason.strip():
        return Problem(f"--reason {reason!r}", "the audit log needs a reason", 'give --reason "…"')
    return Problem("--reason", odd.errors()[0]["msg"], 'give a shorter --reason "…"')


def _of_another_version(what: str, odd: ValidationError) -> Problem:
    first = odd.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return Problem(what, f"{where}: {first['msg']}", "use a feem of the operator's version")
