"""What an experiment says, in words: its fault, how far it reaches, and what has to stay true."""

from __future__ import annotations

from feem.api.experiment import EffectProbe, Hypothesis
from feem.api.fault import BlastRadius, Fault


def fault_of(fault: Fault) -> str:
    """Return the fault's particulars, `how Evict, graceSeconds 0`; empty when it has none."""
    inner = next((found for found in fault.wire().values() if isinstance(found, dict)), {})
    return ", ".join(f"{key} {value}" for key, value in inner.items())


def radius_of(radius: BlastRadius) -> str:
    """Return how far it may reach, `2 pods, for 60 s at most`."""
    if radius.request_percent is not None:
        header = radius.header
        with_header = f" that carry {header.name}: {header.value}" if header else ""
        reach = f"{radius.request_percent}% of the requests{with_header}"
    elif radius.pods is not None:
        reach = f"{radius.pods} pod{'s' if radius.pods > 1 else ''}"
    else:
        reach = f"{radius.pod_percent}% of the pods"
    return f"{reach}, for {radius.duration_seconds} s at most"


def hypothesis_of(hypothesis: Hypothesis) -> str:
    """Return what has to stay true, as a sentence."""
    names = ", ".join(hypothesis.objectives)
    return (
        f"{names} held for {hypothesis.steady_seconds} s before, {'hold' if len(hypothesis.objectives) > 1 else 'holds'} with the fault, "
        f"and again within {hypothesis.recover_within_seconds} s after it"
    )


def probe_of(probe: EffectProbe) -> str:
    """Return the query with its bound."""
    return f"{probe.query} > {probe.above}" if probe.above is not None else f"{probe.query} < {probe.below}"
