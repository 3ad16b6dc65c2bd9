"""Whose service it is, and what data it handles."""

from __future__ import annotations

from feem.api.gate import DataGate
from feem.core.gates.answer import Answer, holds, passes
from feem.core.gates.case import Case


def ask(gate: DataGate, case: Case) -> Answer:
    """Hold while owner or classification are not named, or the profile is not made for such data."""
    owner = case.compliance.owner.strip() if case.compliance is not None else ""
    classification = case.compliance.data_classification.strip() if case.compliance is not None else ""
    service = f"ManagedService {case.release.spec.service}"
    if not owner:
        return holds("OwnerMissing", f"nobody owns the service: write owner of {service}, {case.again}", "owner")
    allowed = ", ".join(gate.classifications) or "any class"
    if not classification:
        message = f"the class of its data is not named: write dataClassification ({allowed}) of {service}, {case.again}"
        return holds("ClassificationMissing", message, "data classification")
    if gate.classifications and classification not in gate.classifications:
        message = (
            f"its data are {classification}, the profile is made for {allowed}: correct dataClassification of {service}, "
            f"or name another profile, {case.again}"
        )
        return holds("ClassificationNotAllowed", message, f"data {classification}")
    return passes("DataNamed", f"{owner} owns it; its data are {classification}")
