"""The vocabulary of FEEM: one module a kind of `feem.dev/v1alpha1`."""

from feem.api.audit import AuditRecord
from feem.api.auditlog import AuditLog
from feem.api.base import API_VERSION, GROUP, VERSION, Condition, ConditionStatus, Resource
from feem.api.decision import Decision
from feem.api.experiment import ChaosExperiment
from feem.api.halt import ChaosHalt
from feem.api.objective import ServiceLevelObjective
from feem.api.plan import GreyReleasePlan
from feem.api.profile import ComplianceProfile
from feem.api.release import Release
from feem.api.run import ChaosRun
from feem.api.service import ManagedService
from feem.api.window import ChangeWindow

KINDS: tuple[type[Resource], ...] = (
    ManagedService,
    GreyReleasePlan,
    ServiceLevelObjective,
    Release,
    Decision,
    ComplianceProfile,
    ChangeWindow,
    ChaosExperiment,
    ChaosRun,
    ChaosHalt,
    AuditRecord,
    AuditLog,
)

__all__ = [
    "API_VERSION",
    "GROUP",
    "KINDS",
    "VERSION",
    "AuditLog",
    "AuditRecord",
    "ChangeWindow",
    "ChaosExperiment",
    "ChaosHalt",
    "ChaosRun",
    "ComplianceProfile",
    "Condition",
    "ConditionStatus",
    "Decision",
    "GreyReleasePlan",
    "ManagedService",
    "Release",
    "Resource",
    "ServiceLevelObjective",
]
