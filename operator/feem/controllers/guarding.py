"""Watches FEEM's own admission policies: what the cluster has is compared with what was shipped, and each change is recorded."""

from __future__ import annotations

from feem.api.audit import Part, Subject
from feem.core.gates.facts import Guard
from feem.core.guard.intact import identity, weaker
from feem.ports import Body, Cluster, Entry, Ledger, Policies

GUARDS = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies.admissionregistration.k8s.io",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    "MutatingAdmissionPolicy": "mutatingadmissionpolicies.admissionregistration.k8s.io",
    "MutatingAdmissionPolicyBinding": "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
}
"""Where each kind of policy object is kept."""


class GuardWatch:
    """Compares anew only when a policy has changed: each service is looked at many times between two such changes."""

    def __init__(self, cluster: Cluster, policies: Policies) -> None:
        self._cluster = cluster
        self._shipped = tuple(policies.shipped())
        self._known: tuple[str, Guard] | None = None

    def look(self) -> tuple[Guard, str]:
        """Return what is weaker than shipped now, and the identity of what is there."""
        live = [
            body for item in self._shipped if (body := self._live(item["kind"], item["metadata"]["name"])) is not None
        ]
        digest = identity(live)
        if self._known is None or self._known[0] != digest:
            self._known = digest, Guard(weaker(self._shipped, self._live))
        return self._known[1], digest

    def _live(self, kind: str, name: str) -> Body | None:
        found = self._cluster.get(GUARDS[kind], "", name)
        return {**found, "kind": kind} if found is not None else None


class GuardController:
    """Records when policies are weakened and when they are in force again."""

    def __init__(self, ledger: Ledger, watch: GuardWatch) -> None:
        self._ledger, self._watch = ledger, watch
        self._told: tuple[str, ...] = ()

    async def reconcile(self) -> None:
        """Write a fact when what is weak has changed since the last look; a new operator says once more what is weak."""
        guard, digest = self._watch.look()
        if guard.weakened == self._told:
            return
        action, reason = ("PolicyWeakened", "Weakened") if guard.weakened else ("PolicyRestored", "InForce")
        text = "; ".join(guard.weakened) or "all of FEEM's admission policies are in force as shipped"
        subject = Subject(kind="ValidatingAdmissionPolicy", name="feem.dev")
        await self._ledger.append(Entry(action, Part.FACT, subject, reason, text[:4000], evidence=digest))
        self._told = guard.weakened
