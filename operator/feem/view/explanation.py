"""A release in plain sentences, for a terminal, a chat or a ticket."""

from __future__ import annotations

from collections.abc import Iterator

from feem.api.release import GateOutcome
from feem.view.compliance import ComplianceView, short
from feem.view.release import ObjectiveView, ReleaseTree, StepState, duration
from feem.view.words import meaning


def explain(tree: ReleaseTree) -> str:
    """Say what is released, what happens, why, what comes next and how to act, as plain text."""
    parts = [_request(tree), tree.doing]
    if tree.why:
        parts.append(f"Why: {_sentence(tree.why)}")
    parts.extend(_gates(tree.compliance))
    parts.extend(f"Objective {_objective(item)}" for item in tree.objectives)
    parts.extend(_useless(tree))
    parts.extend(f"Note: {_sentence(warning)}" for warning in tree.warnings)
    parts.append(f"Next: {tree.next_step}")
    parts.extend(_words(tree))
    if tree.act:
        width = max(len(command) for command, _ in tree.act)
        lines = "\n".join(f"  {command.ljust(width)}  # {what}" for command, what in tree.act)
        parts.append(f"You can:\n{lines}")
    return "\n\n".join(parts)


def one_line(tree: ReleaseTree) -> str:
    """Say the state in one line, for output that is not a terminal; equal lines mean that nothing happened."""
    if tree.result:
        return f"{tree.result}: {tree.why}" if tree.ended else f"{tree.result}, {tree.state}: {tree.why}"
    if tree.state == "Waiting":
        return f"Waiting {tree.progress}: {tree.why}"
    verdicts = ", ".join(f"{item.name} {item.outcome.value}" for item in tree.objectives if item.outcome)
    return f"{tree.state} {tree.progress}" + (f" ({verdicts})" if verdicts else "")


def _request(tree: ReleaseTree) -> str:
    who = tree.requested_by or "Somebody (the change was held by a standing pause)"
    who += f", for {tree.compliance.author}," if tree.compliance.author else ""
    ago = ""
    if tree.requested_at is not None:
        ago = f" {duration((tree.now - tree.requested_at).total_seconds())} ago"
    changes = [f"{item.container} to {item.after}" for item in tree.images if item.changed]
    what = f"brings {' and '.join(changes)}" if changes else "changes the pod template; the images stay"
    done = sum(step.state is StepState.DONE for step in tree.steps)
    steps = f"{done} of {len(tree.steps)} steps passed"
    how_far = f"{steps}, {tree.weight}% of the requests reach the canary"
    if tree.compliance.observed:
        how_far = "nothing was held"
    again = f", attempt {tree.attempt}" if tree.attempt > 1 else ""
    return (
        f"{who} changed Deployment {tree.deployment} in {tree.namespace}{ago}. "
        f"Release {tree.name}{again} {what}; {how_far}."
    )


def _gates(compliance: ComplianceView) -> Iterator[str]:
    if compliance.profile:
        bound = f", an approval allows {short(compliance.binding)}" if compliance.binding else ""
        observed = ", whose gates are only observed" if compliance.observed else ""
        yield f"It is under ComplianceProfile {compliance.profile}{observed}{bound}."
    verb = "would have held" if compliance.observed else "holds"
    for gate in compliance.gates:
        if gate.outcome is GateOutcome.HOLDING:
            yield f"Gate {gate.name} ({gate.stage}) {verb}, {gate.reason}: {_sentence(gate.message)}"
        elif gate.outcome is GateOutcome.SKIPPED:
            yield f"Gate {gate.name} ({gate.stage}) is skipped: {_sentence(gate.message)}"
    passed = [gate.name for gate in compliance.gates if gate.outcome is GateOutcome.PASSED]
    if passed:
        yield f"Gates passed: {', '.join(passed)}."


def _useless(tree: ReleaseTree) -> Iterator[str]:
    for item in tree.decisions:
        if item.refused:
            role = f" as {item.role}" if item.role else ""
            yield f"{item.verb} by {item.by}{role} does not count, {item.applied}: {_sentence(item.refused)}"


def _words(tree: ReleaseTree) -> Iterator[str]:
    """Say what the reasons above mean, each once."""
    said = [gate.reason for gate in tree.compliance.gates if gate.outcome is not GateOutcome.PASSED]
    said += [item.applied for item in tree.decisions if item.refused]
    known = [f"  {text}" for word in dict.fromkeys(said) if (text := meaning(word)) is not None]
    if known:
        yield "\n".join(["In other words:", *known])


def _objective(item: ObjectiveView) -> str:
    target = f"{item.name} ({item.target})"
    if item.outcome is None:
        return f"{target} has not been judged in this step."
    if item.message:
        return f"{target}: {item.outcome.value}. {_sentence(item.message)}"
    figures = f"canary {item.canary}, stable {item.stable}" if item.canary and item.stable else item.reason
    return f"{target}: {item.outcome.value}, {figures}."


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else text + "."
