"""The kinds of gates a compliance profile can have."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feem.api.base import ATOMIC, Label, Model, validations
from feem.api.base import Rule as Cel

Pattern = Annotated[str, Field(min_length=1, max_length=256)]
"""A regular expression that the whole text has to match."""
AnnotationKey = Annotated[
    str, Field(min_length=1, max_length=253, pattern=r"^([a-z0-9.-]+/)?[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$")
]
MAP_BY_ROLE = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["role"]}


class Stage(StrEnum):
    """From when on a gate has to be open. Rolling back, aborting and undoing pass no gate."""

    REQUEST = "Request"
    START = "Start"
    STEP = "Step"
    PROMOTION = "Promotion"
    CLOSURE = "Closure"


class Need(StrEnum):
    """Whether something has to be there."""

    REQUIRED = "Required"
    OPTIONAL = "Optional"


class RoleQuorum(Model):
    """How many people of one role."""

    role: Label
    """A role. Who holds it is RBAC: verb `approve` on resource `approvalroles` of group `feem.dev`, named after the role."""
    count: Annotated[int, Field(ge=1, le=10)] = 1
    """How many different people of it have to approve."""


class ApprovalsGate(Model):
    """People have to approve. Nobody counts twice, nor in two roles; the requester and the author never count."""

    roles: Annotated[list[RoleQuorum], Field(min_length=1, max_length=10, json_schema_extra=MAP_BY_ROLE)]
    """The roles that have to approve."""
    valid_for_seconds: Annotated[int, Field(ge=300, le=2592000)] = 604800
    """How long an approval counts; a Decision may name an earlier end."""
    unknown_requester: Annotated[str, Field(max_length=6, pattern=r"^(Refuse|Accept)$")] = "Refuse"
    """What to do with a change of which nobody knows who asked for it, as on a cluster without MutatingAdmissionPolicy:
    `Refuse` holds it, `Accept` counts the approvals without proof that requester and approver are two people."""


class ImagesGate(Model):
    """Where images come from, and that they cannot change under their name."""

    digests: Need = Need.REQUIRED
    """`Required`: every image is named by digest, `name@sha256:…`."""
    registries: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=253)]], Field(max_length=50, json_schema_extra=ATOMIC)
    ] = Field(default_factory=list)
    """What the image names may begin with, e.g. `registry.example/lending`; whole path segments count. Empty: anything."""


class TicketSystem(StrEnum):
    """Where tickets are looked up; the operator's settings say where it is."""

    JIRA = "Jira"
    WEBHOOK = "Webhook"


class TicketVerification(Model):
    """Looking the ticket up."""

    provider: TicketSystem
    """`Jira`, or `Webhook` for any system with a small HTTP adapter, such as Zentao."""
    statuses: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=64)]],
        Field(min_length=1, max_length=20, json_schema_extra=ATOMIC),
    ]
    """The states in which a ticket allows the change, e.g. `Approved`; the case of letters does not matter."""


class TicketGate(Model):
    """The change names its ticket, in an annotation of the Deployment or of the Release."""

    pattern: Pattern
    """What a ticket looks like, e.g. `PAY-[0-9]+`."""
    annotation: AnnotationKey = "feem.dev/ticket"
    """The annotation that names it."""
    verification: TicketVerification | None = None
    """How the ticket is looked up; not given: its form is enough."""


class RequirementsGate(Model):
    """The change names the requirements it serves, so that they can be traced to their outcome."""

    pattern: Pattern
    """What one reference looks like, e.g. `REQ-[0-9]+`."""
    annotation: AnnotationKey = "feem.dev/requirements"
    """The annotation that names them, separated by commas."""
    minimum: Annotated[int, Field(ge=1, le=50)] = 1
    """How many at least."""


class LeadTimeGate(Model):
    """Time between the request and its start, so that the people concerned can look at it."""

    working_days: Annotated[int, Field(ge=1, le=60)]
    """Whole working days, counted from the day after the request."""
    time_zone: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")]
    """Whose days, as an IANA time zone, e.g. `Asia/Shanghai`."""
    country: Annotated[str, Field(max_length=6, pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")] = ""
    """Whose public holidays are no working days, by ISO 3166 code, e.g. `CN`; empty: Saturdays and Sundays only."""


class WindowGate(Model):
    """Changes go forward in their change windows only. A Freeze holds whether or not a profile has this gate."""

    allowed: Need = Need.REQUIRED
    """`Required`: now must be in an Allow window whose scope has this service. `Optional`: only where there is such a window."""


class ExposureGate(Model):
    """How much of the traffic a change may meet at once; checked on the release's own plan."""

    first_step_percent: Annotated[int, Field(ge=1, le=100)] = 100
    """The largest weight of the first step."""
    largest_step_percent: Annotated[int, Field(ge=1, le=100)] = 100
    """The largest growth of the weight from one step to the next, the promotion included."""
    minimum_bake_seconds: Annotated[int, Field(ge=1, le=604800)] = 1
    """The shortest bake of a step."""
    watch_seconds: Annotated[int, Field(ge=0, le=86400)] = 0
    """The shortest watch after the promotion."""


class ObjectivesGate(Model):
    """What the canary is judged by at least."""

    minimum: Annotated[int, Field(ge=1, le=20)] = 1
    """How many objectives."""
    business: Annotated[int, Field(ge=0, le=20)] = 0
    """How many of category Business."""


class EvidenceGate(Model):
    """Documents that prove what was done before, named by digest in annotations `feem.dev/evidence-<document>`."""

    documents: Annotated[list[Label], Field(min_length=1, max_length=10, json_schema_extra=ATOMIC)]
    """Which documents, e.g. `test-report`, `api-contract`, `sbom`. Each annotation's value is `sha256:` and 64 hex digits."""


class Proof(StrEnum):
    """Whose word on a passed experiment counts."""

    RUN = "Run"
    DECLARED = "Declared"


class DrillGate(Model):
    """An experiment that proves resilience was passed not long ago."""

    experiment: Label
    """The ChaosExperiment, in the service's namespace; with `Declared` also its name among the service's `drills`."""
    within_days: Annotated[int, Field(ge=1, le=1000)]
    """How old it may be: a run to the second, a declared day to the day."""
    proof: Proof = Proof.RUN
    """`Run`: a ChaosRun on this service's stable pods that FEEM itself saw passed. `Declared`: what the team wrote to `drills` counts
    as well, for experiments that FEEM cannot make."""


class DocumentGate(Model):
    """A document of the service is there, and was practised."""

    drilled_within_days: Annotated[int, Field(ge=0, le=1000)] = 0
    """How long ago it was practised at most; 0: it need not have been."""


class DataGate(Model):
    """Whose service it is and what data it handles."""

    classifications: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=32)]], Field(max_length=10, json_schema_extra=ATOMIC)
    ] = Field(default_factory=list)
    """The classes of data that this profile is made for; empty: any, but one has to be named."""


class SignOffGate(Model):
    """After a promotion somebody of a role confirms that the business does well. What is overdue holds the next release."""

    role: Label
    """Who signs off: verb `signoff` on resource `approvalroles` of group `feem.dev`, named after the role."""
    within_days: Annotated[int, Field(ge=1, le=90)]
    """How many days there are for it."""


class RetentionGate(Model):
    """How long the record of a release is kept: until then nobody can delete the Release."""

    days: Annotated[int, Field(ge=1, le=3660)]
    """Days from its end."""


KINDS = (
    "approvals",
    "images",
    "ticket",
    "requirements",
    "leadTime",
    "window",
    "exposure",
    "objectives",
    "evidence",
    "drill",
    "runbook",
    "rollbackPlan",
    "data",
    "signOff",
    "retention",
)
_COUNT = " + ".join(f"(has(self.{kind}) ? 1 : 0)" for kind in KINDS)
ONE_KIND = Cel(f"{_COUNT} == 1", f"give exactly one kind of gate: {', '.join(KINDS)}")
AT_CLOSURE = Cel(
    "(self.stage == 'Closure') == (has(self.signOff) || has(self.retention))",
    "signOff and retention belong to stage Closure, all other gates to an earlier stage",
    ".stage",
)
OWN_NAMES = ("freeze", "debt", "guard", "profile", "clock", "author")
"""Names of the gates that are always there."""
OWN_NAME = Cel(
    f"!(self.name in [{', '.join(repr(name) for name in OWN_NAMES)}])",
    f"{', '.join(OWN_NAMES)} are names of FEEM's own gates: choose another",
    ".name",
)


class Gate(Model):
    """One thing that has to be so before a change goes on."""

    name: Label
    """What people call it, e.g. `risk-approval`."""
    stage: Stage
    """From when on it has to be so: `Request` and `Start` before the first canary pod, `Step` before each further step,
    `Promotion` before the promotion, `Closure` after it. What was asked before is asked again at each later stage."""
    approvals: ApprovalsGate | None = None
    """People have to approve."""
    images: ImagesGate | None = None
    """Images by digest, from allowed registries."""
    ticket: TicketGate | None = None
    """A change ticket."""
    requirements: RequirementsGate | None = None
    """References to requirements."""
    lead_time: LeadTimeGate | None = None
    """Working days between request and start."""
    window: WindowGate | None = None
    """Change windows."""
    exposure: ExposureGate | None = None
    """Limits of the grey-release plan."""
    objectives: ObjectivesGate | None = None
    """Objectives that have to judge the canary."""
    evidence: EvidenceGate | None = None
    """Digests of documents."""
    drill: DrillGate | None = None
    """A passed experiment."""
    runbook: DocumentGate | None = None
    """The service's runbook."""
    rollback_plan: DocumentGate | None = None
    """The service's rollback plan."""
    data: DataGate | None = None
    """Owner and data classification."""
    sign_off: SignOffGate | None = None
    """A sign-off after the promotion."""
    retention: RetentionGate | None = None
    """How long the record is kept."""


GATE_RULES = validations(ONE_KIND, AT_CLOSURE, OWN_NAME)
