"""The release tree on a terminal."""

from __future__ import annotations

from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from feem.api.release import Outcome
from feem.view.gates import gate_rows, head_rows
from feem.view.release import ObjectiveView, ReleaseTree, StepState, StepView, TrackView, duration

_STEP = {
    StepState.DONE: ("✔", "green"),
    StepState.CURRENT: ("◐", "bold cyan"),
    StepState.TODO: ("○", "dim"),
    StepState.FAILED: ("✖", "red"),
    StepState.STOPPED: ("■", "yellow"),
    StepState.SKIPPED: ("·", "dim"),
}
_OUTCOME = {
    Outcome.PASS: ("✔", "green"),
    Outcome.FAIL: ("✖", "red"),
    Outcome.INCONCLUSIVE: ("?", "yellow"),
    None: ("○", "dim"),
}
_RESULT = {"Promoted": "green", "RolledBack": "red", "Aborted": "red", "Bypassed": "red"}
_WAITING = {
    "Paused",
    "Inconclusive",
    "Held",
    "Waiting",
    "ExperimentInconclusive",
    "ExperimentMissing",
    "WaitingForChaos",
}
_BAR = 30


def render(tree: ReleaseTree) -> RenderableType:
    """Draw the tree: head, then steps, gates, objectives, pods, decisions and audit entries as branches."""
    branches = Tree(_head(tree), guide_style="dim")
    _add(branches, "Steps", _rows([_step(step) for step in tree.steps]))
    if tree.compliance.gates:
        _add(branches, "Gates", _rows(gate_rows(tree.compliance)))
    _add(branches, "Objectives", _rows([_objective(item) for item in tree.objectives]))
    if tree.tracks:
        _add(branches, "Pods", _rows([_track(track) for track in tree.tracks]))
    if tree.decisions:
        _add(branches, "Decisions", _rows(_decisions(tree)))
    if tree.audit is not None:
        span = tree.audit
        branches.add(Text(f"Audit  entries {span.first}-{span.last}, {span.count} about this release"))
    return branches


def style_of(state: str, result: str) -> str:
    """Return the colour of a state: green and red for ends, yellow for what waits, cyan for what moves."""
    if result:
        return _RESULT.get(result, "yellow")
    return "yellow" if state in _WAITING else "cyan"


def _head(tree: ReleaseTree) -> RenderableType:
    title = Text.assemble(
        (tree.name, "bold"), f"  ({tree.namespace})  ", (_state(tree), style_of(tree.state, tree.result))
    )
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("now", tree.doing)
    if tree.why:
        grid.add_row("why", tree.why)
    grid.add_row("next", tree.next_step)
    for change in tree.images:
        if change.changed or len(tree.images) == 1:
            before = f"{change.before} → " if change.before and change.changed else ""
            grid.add_row("image", f"{change.container}: {before}{change.after}")
    who = tree.requested_by or "unknown (the change was held by a standing pause)"
    attempt = f", attempt {tree.attempt}" if tree.attempt > 1 else ""
    grid.add_row("asked by", f"{who}{_ago(tree.requested_at, tree.now)}{attempt}")
    for name, text in head_rows(tree.compliance, tree.now, ended=bool(tree.result)):
        grid.add_row(name, text)
    if not tree.compliance.observed:
        grid.add_row("traffic", _traffic(tree.weight))
    if tree.completed_at is not None and tree.requested_at is not None:
        grid.add_row("took", duration((tree.completed_at - tree.requested_at).total_seconds()))
    for warning in tree.warnings:
        grid.add_row(Text("note", style="yellow"), warning)
    return Group(title, grid)


def _state(tree: ReleaseTree) -> str:
    if tree.result:
        return tree.result if tree.ended else f"{tree.result}, {tree.state}"
    return f"{tree.state}, step {tree.progress}"


def _traffic(weight: int) -> Text:
    filled = round(_BAR * weight / 100)
    return Text.assemble(
        ("█" * filled, "cyan"), ("░" * (_BAR - filled), "green"), f"  canary {weight}% · stable {100 - weight}%"
    )


def _step(step: StepView) -> list[Text]:
    sign, style = _STEP[step.state]
    left = ""
    if step.state is StepState.CURRENT:
        left = "waits for pods" if step.bake_left is None else f"{duration(step.bake_left)} left"
    return [
        Text(f"{sign} {step.number}", style=style),
        Text(f"{step.weight}%", style=style, justify="right"),
        Text(f"bake {duration(step.bake_seconds)}", style=style),
        Text(step.state.value, style=style),
        Text(left, style=style),
    ]


def _objective(item: ObjectiveView) -> list[Text]:
    sign, style = _OUTCOME[item.outcome]
    figures = []
    if item.canary is not None:
        figures.append(f"canary {item.canary}")
    if item.stable is not None:
        figures.append(f"stable {item.stable}")
    figures.extend(item.shares)
    if item.evidence:
        figures.append(f"evidence {item.evidence}")
    said = item.reason if item.reason != str(item.outcome or "") else ""
    return [
        Text(f"{sign} {item.name}", style=style),
        Text(f"{item.outcome.value}{f' ({said})' if said else ''}" if item.outcome else "not judged yet", style=style),
        Text(f"target: {item.target}"),
        Text(" · ".join(figures)),
    ]


def _track(track: TrackView) -> list[Text]:
    style = "green" if track.ready >= track.desired else "yellow"
    return [
        Text(track.name, style="bold"),
        Text(f"{track.ready}/{track.desired} ready", style=style),
        Text("" if track.weight is None else f"{track.weight}%", justify="right"),
        Text(track.workload),
        Text(", ".join(track.images), style="dim"),
    ]


def _decisions(tree: ReleaseTree) -> list[list[Text]]:
    rows = []
    for item in tree.decisions:
        applied = item.refused or item.applied or "not seen by FEEM yet"
        style = "red" if item.refused else ""
        ago = _ago(item.at, tree.now).removeprefix(", ")
        rows.append(
            [
                Text(item.verb, style="bold"),
                Text(f"by {item.by}{f' as {item.role}' if item.role else ''}"),
                Text(ago),
                Text(item.reason),
                Text(applied, style),
            ]
        )
    return rows


def _ago(moment: datetime | None, now: datetime) -> str:
    return "" if moment is None else f", {duration((now - moment).total_seconds())} ago"


def _rows(rows: list[list[Text]]) -> RenderableType:
    grid = Table.grid(padding=(0, 2))
    for row in rows:
        grid.add_row(*row)
    return grid


def _add(tree: Tree, title: str, content: RenderableType) -> None:
    tree.add(Text(title, style="bold")).add(content)
