"""The change names the requirements it serves."""

from __future__ import annotations

from feem.api.gate import RequirementsGate
from feem.core.gates.answer import Answer, holds, passes
from feem.core.gates.case import Case
from feem.core.gates.reference import bad_pattern, compiled, fits
from feem.core.gates.words import cut, listed


def ask(gate: RequirementsGate, case: Case) -> Answer:
    """Hold while too few different requirements are named, or one has the wrong form."""
    pattern = compiled(gate.pattern)
    if pattern is None:
        return bad_pattern(gate.pattern)
    texts = (text.strip() for text in case.said.get(gate.annotation, "").split(","))
    named = list(dict.fromkeys(text for text in texts if text))
    step = case.annotate(gate.annotation, "REQUIREMENT,REQUIREMENT")
    wrong = [cut(text, 64) for text in named if not fits(pattern, text)]
    if wrong:
        message = f"{listed(wrong[:5])} does not look like {gate.pattern}: {step}"
        return holds("RequirementsMalformed", message, f"requirement {wrong[0]}")
    if len(named) < gate.minimum:
        message = f"{len(named)} of {gate.minimum} requirements named; each has to look like {gate.pattern}: {step}"
        return holds("RequirementsMissing", message, f"{len(named)} of {gate.minimum} requirements")
    return passes("RequirementsNamed", f"serves {cut(listed(named), 512)}")
