"""Whether a fault works, and whether it is gone: by the experiment's query, else by the objects themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from feem.api.experiment import EffectProbe
from feem.core.chaos.edit import PODS, Body, Change, Edit, Remove
from feem.core.chaos.scene import is_ready
from feem.core.chaos.snapshot import Reading, Workload

LONGEST = 32


def shown(reading: Reading) -> str:
    """Write a value for people; empty when there is none."""
    return f"{reading.value:.6g}"[:LONGEST] if reading.value is not None else ""


def passes_bound(probe: EffectProbe, reading: Reading) -> bool | None:
    """Whether the query says that the fault works; None when it says nothing."""
    if reading.value is None:
        return None
    if probe.above is not None:
        return reading.value > float(probe.above)
    return probe.below is not None and reading.value < float(probe.below)


def bound_of(probe: EffectProbe) -> str:
    """Say when it works, e.g. `above 0`."""
    return f"above {probe.above}" if probe.above is not None else f"below {probe.below}"


def in_objects(edits: Sequence[Edit], observed: Mapping[str, Body | None], workload: Workload | None) -> str:
    """Say what objects show of a fault that works, empty while they show nothing.

    Pods that were removed are gone or going; a pod whose image was changed is not Ready; a Deployment that was scaled has no more
    pods than it shall have.
    """
    pods = [edit for edit in edits if edit.target.resource == PODS]
    for edit in pods:
        body = observed.get(str(edit.target))
        lost = body is None or body["metadata"].get("uid") != edit.target.uid or "deletionTimestamp" in body["metadata"]
        if not lost and (isinstance(edit, Remove) or body is None or is_ready(body)):
            return ""
    if pods:
        word = "gone" if all(isinstance(edit, Remove) for edit in pods) else "not Ready"
        return f"{len(pods)} of the pods {'is' if len(pods) == 1 else 'are'} {word}"
    scaled = next((field for edit in edits if isinstance(edit, Change) for field in edit.fields), None)
    if scaled is None or workload is None or workload.available > int(scaled.after):
        return ""
    return f"{workload.available} pods are available, {scaled.before} were"
