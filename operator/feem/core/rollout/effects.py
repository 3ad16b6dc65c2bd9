"""The writes a rollout can ask for.

Each one is idempotent, so that a crash between two of them is repaired by asking again; `str(effect)` says it in one line
for the audit log and for people.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from feem.api.release import EvidenceFile
from feem.core.chaos.effects import CreateRun

KEEPS = "create ConfigMap "
"""How the text of KeepEvidence begins: the one effect that nothing else waits for."""
DIGEST_LETTERS = 10
NAME_LENGTH = 253


@dataclass(frozen=True)
class Govern:
    """Put the governed label on the Deployment, so that admission holds its changes; `service` is the label's value."""

    namespace: str
    deployment: str
    service: str

    def __str__(self) -> str:
        return f"label Deployment {self.namespace}/{self.deployment} as governed by {self.service}"


@dataclass(frozen=True)
class Ungovern:
    """Take FEEM's labels and annotations off the Deployment, leaving it as its owner wrote it."""

    namespace: str
    deployment: str

    def __str__(self) -> str:
        return f"remove FEEM's marks from Deployment {self.namespace}/{self.deployment}"


@dataclass(frozen=True)
class CreateRelease:
    """Request a release of a held change. `spec` is the wire form of ReleaseSpec; an existing object of this name is the same release."""

    namespace: str
    name: str
    service_uid: str
    spec: dict[str, Any]

    def __str__(self) -> str:
        return f"create Release {self.namespace}/{self.name}"


@dataclass(frozen=True)
class PinService:
    """Let the owner's Service select only pods with this `pod-template-hash`."""

    namespace: str
    service: str
    pod_template_hash: str

    def __str__(self) -> str:
        return f"pin Service {self.namespace}/{self.service} to pod-template-hash {self.pod_template_hash}"


@dataclass(frozen=True)
class UnpinService:
    """Give the Service its owner's selector back."""

    namespace: str
    service: str

    def __str__(self) -> str:
        return f"unpin Service {self.namespace}/{self.service}"


@dataclass(frozen=True)
class ApplyCanary:
    """Create or scale the canary: a clone of the held Deployment named `<deployment>-canary`, and its own Service.

    An existing canary of the same release keeps its template and is only scaled; then the Deployment may meanwhile carry
    another template than `template_digest`. `progress_deadline_seconds` becomes the canary's own `progressDeadlineSeconds`.
    """

    namespace: str
    deployment: str
    service: str
    release: str
    release_uid: str
    template_digest: str
    replicas: int
    progress_deadline_seconds: int

    def __str__(self) -> str:
        return (
            f"apply Deployment {self.namespace}/{self.deployment}-canary with {self.replicas} replicas, and its Service "
            f"{self.namespace}/{self.service}-canary"
        )


@dataclass(frozen=True)
class DeleteCanary:
    """Remove the canary Deployment and Service."""

    namespace: str
    deployment: str
    service: str

    def __str__(self) -> str:
        return (
            f"delete Deployment {self.namespace}/{self.deployment}-canary and its Service "
            f"{self.namespace}/{self.service}-canary"
        )


@dataclass(frozen=True)
class SetWeight:
    """Send `weight` percent of the Service's share of each HTTPRoute rule to the canary.

    `mark` is written with the weights, in the same request, so that the route itself tells which release and step it is in
    and whether the release is on its way back (see `TrafficMark`).
    """

    namespace: str
    route: str
    service: str
    canary_service: str
    weight: int
    mark: str

    def __str__(self) -> str:
        return f"set HTTPRoute {self.namespace}/{self.route} to canary weight {self.weight}"


@dataclass(frozen=True)
class RestoreRoute:
    """Give the HTTPRoute its owner's backends and weights back."""

    namespace: str
    route: str
    service: str
    canary_service: str

    def __str__(self) -> str:
        return f"restore HTTPRoute {self.namespace}/{self.route}"


@dataclass(frozen=True)
class Unpause:
    """Let the native rolling update bring the held template to the owner's pods.

    Only while the Deployment still carries `template_digest`; `promoting` marks it so that admission refuses another change
    until the rolling update is over.
    """

    namespace: str
    deployment: str
    template_digest: str
    promoting: bool

    def __str__(self) -> str:
        return f"resume Deployment {self.namespace}/{self.deployment} at template {self.template_digest}"


@dataclass(frozen=True)
class SettleDeployment:
    """Take the promoting mark off, after the rolling update; with `standing` also pause again (clusters without the admission API)."""

    namespace: str
    deployment: str
    standing: bool

    def __str__(self) -> str:
        return f"settle Deployment {self.namespace}/{self.deployment}"


@dataclass(frozen=True)
class Pause:
    """Pause the Deployment at rest: the standing pause of clusters without MutatingAdmissionPolicy."""

    namespace: str
    deployment: str

    def __str__(self) -> str:
        return f"pause Deployment {self.namespace}/{self.deployment}"


@dataclass(frozen=True)
class UndoTemplate:
    """Give the Deployment its stable pod template again, un-paused, so that its native rolling update brings it to all pods.

    Only while it carries `template_digest`, the template that is taken back. `mark` is written in the same request (see
    `UndoMark`), with the promoting mark, so that admission refuses another change until the rolling update is over.
    """

    namespace: str
    deployment: str
    template_digest: str
    stable_digest: str
    mark: str

    def __str__(self) -> str:
        return f"take Deployment {self.namespace}/{self.deployment} back to template {self.stable_digest}"


@dataclass(frozen=True)
class EndUndo:
    """Take both marks of an undo off, and give up the ownership of the template's fields; `standing` as in SettleDeployment."""

    namespace: str
    deployment: str
    standing: bool

    def __str__(self) -> str:
        return f"end the undo of Deployment {self.namespace}/{self.deployment}"


@dataclass(frozen=True)
class KeepEvidence:
    """Keep the samples behind a decision in an immutable ConfigMap, which belongs to the Release with this UID and goes with it.

    `digest` is the tape's (`sha256:…`), `document` the gzipped file. That it fails holds nothing up: the decision stands without it.
    """

    namespace: str
    release: str
    release_uid: str
    service: str
    digest: str
    document: bytes = field(repr=False)
    owner_kind: str = "Release"
    """The kind of what it belongs to; a ChaosRun keeps samples, too."""

    @property
    def file(self) -> EvidenceFile:
        """What a status says of the file."""
        return EvidenceFile(name=self.name, sha256=hashlib.sha256(self.document).hexdigest(), digest=self.digest)

    @property
    def name(self) -> str:
        """The ConfigMap's name: by release and digest, so that keeping the same samples again changes nothing."""
        suffix = f"-evidence-{self.digest.removeprefix('sha256:')[:DIGEST_LETTERS]}"
        return self.release[: NAME_LENGTH - len(suffix)] + suffix

    def __str__(self) -> str:
        return f"{KEEPS}{self.namespace}/{self.name} with evidence {self.digest}"


Effect = (
    Govern
    | Ungovern
    | CreateRelease
    | PinService
    | UnpinService
    | ApplyCanary
    | DeleteCanary
    | SetWeight
    | RestoreRoute
    | Unpause
    | SettleDeployment
    | Pause
    | UndoTemplate
    | EndUndo
    | KeepEvidence
    | CreateRun
)
