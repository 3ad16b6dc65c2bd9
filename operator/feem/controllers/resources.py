"""The names under which the controllers know what is in the cluster: `<plural>[.<group>]`."""

from __future__ import annotations

DEPLOYMENTS, REPLICA_SETS, SERVICES = "deployments.apps", "replicasets.apps", "services"
ROUTES = "httproutes.gateway.networking.k8s.io"
SERVICES_MANAGED, RELEASES, DECISIONS = "managedservices.feem.dev", "releases.feem.dev", "decisions.feem.dev"
OBJECTIVES, PLANS = "servicelevelobjectives.feem.dev", "greyreleaseplans.feem.dev"
EXPERIMENTS, RUNS, HALTS = "chaosexperiments.feem.dev", "chaosruns.feem.dev", "chaoshalts.feem.dev"
PROFILES, WINDOWS = "complianceprofiles.feem.dev", "changewindows.feem.dev"
POLICIES = "mutatingadmissionpolicies.admissionregistration.k8s.io"
BINDINGS = "mutatingadmissionpolicybindings.admissionregistration.k8s.io"
HOLD_POLICY = "hold.feem.dev"
