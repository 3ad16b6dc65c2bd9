"""What a run does, copied from its experiment when it begins: later edits change later runs."""

from __future__ import annotations

from collections.abc import Mapping

from feem.api.experiment import ChaosExperiment, Terms
from feem.api.objective import ServiceLevelObjective
from feem.api.release import ObjectiveSnapshot
from feem.api.run import RunTerms, Track
from feem.core.digest import digest_of


def terms_of(experiment: ChaosExperiment, objectives: Mapping[str, ServiceLevelObjective], track: Track) -> RunTerms:
    """Return the terms, with the objectives that are there.

    The hypothesis says how many events are enough, not the objective: that number is for the minutes of a step, not for the seconds of
    a fault. On stable the service as a whole is looked at, and nothing of it is warming up.
    """
    spec = experiment.spec
    measured = []
    for name in spec.hypothesis.objectives:
        found = objectives.get(name)
        if found is None:
            continue
        snapshot = ObjectiveSnapshot(name=name, **dict(found.spec))
        own = {"minimum_samples": spec.hypothesis.minimum_samples}
        if track is Track.STABLE:
            own["warm_up_seconds"] = 0
        measured.append(snapshot.model_copy(update={"canary": snapshot.canary.model_copy(update=own)}))
    copied = {name: getattr(spec, name) for name in Terms.model_fields}
    generation = experiment.metadata.generation
    return RunTerms(**copied, generation=generation, digest=digest_of(spec.wire()), measured=measured)
