"""What the policies in `policies/` do to a request, for worlds without a real API server."""

from __future__ import annotations

from feem.core.digest import template_digest
from feem.ports import Body, Refused

GOVERNED, PROMOTING, REQUESTED_BY = "feem.dev/governed", "feem.dev/promoting", "feem.dev/requested-by"
DEPLOYMENTS = "deployments.apps"


class Denied(Refused):
    """A policy said no."""


class Admission:
    """Reviews updates of Deployments; `in_force` is whether the policies are installed."""

    def __init__(self) -> None:
        self.in_force = True

    def review(self, resource: str, old: Body, new: Body, by: str, *, operator: bool) -> None:
        """Change `new` as the hold policy does, or raise Denied."""
        labels = old["metadata"].get("labels") or {}
        if not self.in_force or operator or resource != DEPLOYMENTS:
            return
        changed = template_digest(old["spec"]["template"]) != template_digest(new["spec"]["template"])
        if GOVERNED in labels:
            _hold(old, new, by, changed=changed)
        repaused = bool(old["spec"].get("paused")) != bool(new["spec"].get("paused"))
        if PROMOTING in labels and (changed or repaused):
            raise Denied(f"{new['metadata']['name']} is being promoted; try again in a minute")
        if (new["metadata"].get("labels") or {}).get(GOVERNED) != labels.get(GOVERNED):
            raise Denied("label feem.dev/governed is FEEM's own")


def _hold(old: Body, new: Body, by: str, *, changed: bool) -> None:
    stamp = (old["metadata"].get("annotations") or {}).get(REQUESTED_BY)
    annotations = new["metadata"].setdefault("annotations", {})
    annotations.pop(REQUESTED_BY, None)
    if changed or stamp:
        annotations[REQUESTED_BY] = by if changed else stamp
    if changed:
        governed = old["metadata"]["labels"][GOVERNED]
        new["metadata"].setdefault("labels", {})[GOVERNED] = governed
    if changed or old["spec"].get("paused"):
        new["spec"]["paused"] = True
