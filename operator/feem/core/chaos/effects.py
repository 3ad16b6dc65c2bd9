"""The writes that an experiment's schedule can ask for; as those in `core/rollout/effects.py`, each is idempotent and says itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

EXPERIMENT, RELEASE = "ChaosExperiment", "Release"
"""Kinds of objects that a run belongs to."""


@dataclass(frozen=True)
class CreateRun:
    """Begin a run of an experiment. `spec` is the wire form of RunSpec; an existing object of this name is the same run.

    The run of a canary belongs to its Release and goes with it: then `owner_kind` is `Release`, and `experiment_uid` is the Release's.
    """

    namespace: str
    name: str
    experiment: str
    experiment_uid: str
    spec: dict[str, Any] = field(repr=False)
    owner_kind: str = EXPERIMENT

    @property
    def owner(self) -> str:
        """Name of the object that the run belongs to."""
        return self.experiment if self.owner_kind == EXPERIMENT else str(self.spec["release"])

    def __str__(self) -> str:
        return f"create ChaosRun {self.namespace}/{self.name}"


@dataclass(frozen=True)
class DeleteRun:
    """Forget an ended run: exactly the one with this UID."""

    namespace: str
    name: str
    uid: str

    def __str__(self) -> str:
        return f"delete ChaosRun {self.namespace}/{self.name}"


RunEffect = CreateRun | DeleteRun
