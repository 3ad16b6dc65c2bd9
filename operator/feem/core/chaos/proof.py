"""What the log holds on to of a run that is over: spec and status as they stand then, so that no other story can be told of it later.

The entry `ChaosRunEnded` has the proof's digest as its evidence. Whoever can read the run can compute it again, from the object alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from feem.api.base import Model
from feem.api.run import ChaosRun, RunStatus
from feem.core.digest import digest_of
from feem.core.dossier.redact import concealed

ENDED = "ChaosRunEnded"
"""The action of the entry."""
STOPPED = "Stopped"
_NEVER = "1970-01-01T00:00:00Z"
"""Stands for a time that is not part of the proof."""
_EMPTY: tuple[Any, ...] = ("", [], {})
_OF_THE_MOMENT = frozenset({"lastTransitionTime", "observedGeneration"})


def proof_of(run: ChaosRun) -> dict[str, Any]:
    """Return `spec` and `status` without what is of the moment of writing, secrets masked.

    Members that are empty unless given are left out when they are, so that a later version, which knows more of them, computes the
    same. `stop` counts where it ended the run only: somebody may ask for it after the end, which changes nothing of the run.
    """
    status = run.status or RunStatus()
    spec, told = _wire(run.spec), _wire(status)
    if status.cause != STOPPED:
        spec.pop("stop", None)
    told.pop("observedGeneration", None)
    conditions = [_wire(one) for one in sorted(status.conditions, key=lambda one: one.type)]
    told["conditions"] = [{key: one[key] for key in one if key not in _OF_THE_MOMENT} for one in conditions]
    proof: dict[str, Any] = concealed({"spec": spec, "status": told})
    return proof


def run_of(document: Mapping[str, Any]) -> ChaosRun:
    """Read a run back from `metadata` and its proof; raises ValueError (pydantic's) where it is none."""
    status = document.get("status")
    found = status.get("conditions") if isinstance(status, Mapping) else None
    if isinstance(status, Mapping) and isinstance(found, list):
        timed = [{"lastTransitionTime": _NEVER, **one} if isinstance(one, Mapping) else one for one in found]
        document = {**document, "status": {**status, "conditions": timed}}
    return ChaosRun.read(dict(document))


def proof_digest(run: ChaosRun) -> str:
    """Return the digest that the log has of a run that is over."""
    return digest_of(proof_of(run))


def _wire(model: Model) -> dict[str, Any]:
    slim = model.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    told: dict[str, Any] = _told(model.wire(), slim)
    return told


def _told(full: Any, slim: Any) -> Any:
    """Leave out of `full` what is empty and not in `slim`: 0, false and every figure that somebody may want to read stay."""
    if isinstance(full, dict):
        return {
            key: _told(item, slim.get(key, item)) for key, item in full.items() if key in slim or item not in _EMPTY
        }
    return [_told(one, other) for one, other in zip(full, slim, strict=True)] if isinstance(full, list) else full
