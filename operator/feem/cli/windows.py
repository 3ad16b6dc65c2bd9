"""`feem windows`: when changes may go forward, and when nothing may."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from pydantic import ValidationError

from feem.api.base import ConditionStatus
from feem.api.gate import Need
from feem.api.service import ManagedService
from feem.api.window import ChangeWindow, WindowType
from feem.cli.asked import Asked, profile_named
from feem.cli.cluster import Body, Cluster, connect
from feem.cli.gathering import SERVICES
from feem.cli.options import Context, Kubeconfig, Namespace
from feem.cli.output import columns
from feem.cli.problem import Forbidden, Problem
from feem.core.conditions import find
from feem.core.windows.problem import problem_with
from feem.core.windows.scope import applies
from feem.core.windows.state import WindowState, state_of
from feem.core.windows.status import OPEN, status_of
from feem.core.windows.words import moment

WINDOWS = "changewindows.feem.dev"


def windows(
    service: Annotated[
        str | None, typer.Option("--for", help="A ManagedService: may its changes go forward?", show_default=False)
    ] = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """List change windows and freezes; with --for say whether changes of a service may go forward now, and when next."""
    cluster = connect(kubeconfig, context, namespace)
    typer.echo(told(cluster, service, datetime.now(UTC)))


def told(cluster: Cluster, name: str | None, now: datetime) -> str:
    """Say all windows, or those of one service with what they mean for it; raises Problem when they cannot be read."""
    found = _windows(cluster)
    if name is None:
        return _table(found, now) if found else "No change windows in this cluster: no freeze holds anything."
    service = ManagedService.read(cluster.get(SERVICES, cluster.namespace, name))
    mine = tuple(window for window in found if applies(window, service))
    asked = profile_named(cluster, service.spec.compliance_profile or "")
    lines = [_table(mine, now), ""] if mine else []
    return "\n".join([*lines, *_answer(service, mine, asked, now)])


def _windows(cluster: Cluster) -> tuple[ChangeWindow, ...]:
    try:
        found = [_read(body) for body in cluster.list(WINDOWS)]
    except Forbidden as refused:
        next_step = (
            "ask for a ClusterRoleBinding to ClusterRole feem-view; what holds a release: feem get RELEASE says it too"
        )
        raise Forbidden("ChangeWindows", refused.reason, next_step) from refused
    return tuple(sorted(found, key=lambda window: (window.spec.type is WindowType.ALLOW, window.metadata.name)))


def _read(body: Body) -> ChangeWindow:
    try:
        return ChangeWindow.read(body)
    except ValidationError as odd:
        first = odd.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        what = f"ChangeWindow {body['metadata']['name']}"
        raise Problem(what, f"{where}: {first['msg']}", "use a feem of the operator's version") from odd


def _table(found: Sequence[ChangeWindow], now: datetime) -> str:
    rows = []
    for window in found:
        status = status_of(window, now)
        is_open = find(status.conditions, OPEN)
        opened = "yes" if is_open is not None and is_open.status is ConditionStatus.TRUE else "no"
        rows.append(
            [window.metadata.name, window.spec.type, opened, status.summary, _scope(window), window.spec.reason]
        )
    return columns(["NAME", "TYPE", "OPEN", "NEXT", "FOR", "REASON"], rows)


def _scope(window: ChangeWindow) -> str:
    scope = window.spec.scope
    if scope is None or not (scope.match_labels or scope.namespaces):
        return "all services"
    labels = [f"{key}={value}" for key, value in sorted(scope.match_labels.items())]
    places = [f"in {'|'.join(scope.namespaces)}"] if scope.namespaces else []
    return " ".join([",".join(labels), *places]).strip()


def _answer(service: ManagedService, mine: Sequence[ChangeWindow], asked: Asked, now: datetime) -> Iterator[str]:
    has_allow = any(window.spec.type is WindowType.ALLOW for window in mine)
    unknown = bool(asked.name) and asked.profile is None
    need = Need.OPTIONAL if unknown else _need(asked)
    state = state_of(mine, now, need_allow=need is Need.REQUIRED or (need is Need.OPTIONAL and has_allow))
    name = f"ManagedService {service.metadata.namespace}/{service.metadata.name}"
    zone = _zone(mine)
    if state.open:
        until = (
            f" The next of its windows opens or closes {moment(state.changes_at, now, zone)}."
            if state.changes_at
            else ""
        )
        yield f"Changes of {name} may go forward now, as far as windows are concerned.{until}"
    else:
        when = f"from {moment(state.opens_at, now, zone)} on" if state.opens_at else "not in the time ahead"
        yield f"Changes of {name} may not go forward now; they may {when}. Why: {_why(state)}."
    yield "Rolling back is never held."
    if unknown:
        yield f"Note: {asked.note}, so that it is not known here whether it wants an Allow window: this is as if it did where there is one."
    for window in mine:
        problem = problem_with(window.spec)
        if problem is not None:
            yield f"Note: ChangeWindow {window.metadata.name} cannot be used: {problem[1]}"


def _need(asked: Asked) -> Need | None:
    """Return whether an Allow window is needed; None where no gate asks for one."""
    gates = asked.profile.spec.gates if asked.profile is not None else []
    needs = [gate.window.allowed for gate in gates if gate.window is not None]
    return Need.REQUIRED if Need.REQUIRED in needs else next(iter(needs), None)


def _why(state: WindowState) -> str:
    if state.freezes:
        return "; ".join(f"freeze {window.metadata.name}, {window.spec.reason}" for window in state.freezes)
    return (
        "no change window is open" if state.has_allow else "there is no change window for it, and its profile wants one"
    )


def _zone(mine: Sequence[ChangeWindow]) -> str:
    usable = (window.spec.time_zone for window in mine if problem_with(window.spec) is None)
    return next(usable, "UTC")
