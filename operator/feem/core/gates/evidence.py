"""Documents that prove what was done before, named by digest."""

from __future__ import annotations

import re

from feem.api.gate import EvidenceGate
from feem.core.gates.annotations import EVIDENCE
from feem.core.gates.answer import Answer, holds, passes
from feem.core.gates.case import Case
from feem.core.gates.words import listed

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def ask(gate: EvidenceGate, case: Case) -> Answer:
    """Hold while a document is not named by its digest; all of them are named."""
    said = {document: case.said.get(f"{EVIDENCE}{document}", "") for document in gate.documents}
    missing = [document for document, value in said.items() if not value]
    wrong = [document for document, value in said.items() if value and not _DIGEST.fullmatch(value)]
    if not missing and not wrong:
        return passes("EvidenceThere", f"named by digest: {listed(said)}")
    faults = [f"{document} is missing" for document in missing]
    faults += [f"{document} is not named by sha256: and 64 hex digits" for document in wrong]
    first = (missing or wrong)[0]
    step = case.annotate(f"{EVIDENCE}{first}", f"sha256:$(sha256sum {first} | cut -c1-64)")
    reason = "EvidenceMissing" if missing else "EvidenceMalformed"
    return holds(reason, f"{'; '.join(faults)}: {step}", f"evidence {', '.join((*missing, *wrong))}")
