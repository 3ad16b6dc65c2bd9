"""The vocabulary of FEEM: one module a kind of `feem.dev/v1alpha1`."""

from feem.api.audit import AuditRecord
from feem.api.base import API_VERSION, GROUP, VERSION, Condition, ConditionStatus, Resource
from feem.api.decision import Decision
from feem.api.objective import ServiceLevelObjective
from feem.api.plan import GreyReleasePlan
from feem.api.release import Release
from feem.api.service import ManagedService

KINDS: tuple[type[Resource], ...] = (
    ManagedService,
    GreyReleasePlan,
    ServiceLevelObjective,
    Release,
    Decision,
    AuditRecord,
)

__all__ = [
    "API_VERSION",
    "GROUP",
    "KINDS",
    "VERSION",
    "AuditRecord",
    "Condition",
    "ConditionStatus",
    "Decision",
    "GreyReleasePlan",
    "ManagedService",
    "Release",
    "Resource",
    "ServiceLevelObjective",
]
