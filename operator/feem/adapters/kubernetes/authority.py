"""Whether a person still has a right: asked of the API server itself, at the moment it is needed."""

from __future__ import annotations

import logging

from feem.adapters.kubernetes.client import Client, with_type
from feem.adapters.kubernetes.errors import NotFound
from feem.adapters.kubernetes.resources import HOLD_POLICIES, RELEASES, REVIEWS, type_of
from feem.api import GROUP
from feem.core.gates.result import Reliance
from feem.ports import Body, Conflict, Unavailable

log = logging.getLogger(__name__)

ROLES = "approvalroles"
"""There are no such objects: the name only stands in RBAC rules, with the roles as resourceNames."""


class KubernetesAuthority:
    """Asks by SubjectAccessReview, with the user name and the groups that the API server saw when the decision was made.

    Nothing is kept: a right that was taken away a second ago is gone.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def holds(self, reliance: Reliance, namespace: str, release: str) -> bool:
        """Whether the person still has the right that a decision rests on. Raises Unavailable or Refused."""
        review = with_type(
            REVIEWS,
            {
                "metadata": {},
                "spec": {
                    "user": reliance.user,
                    "groups": list(reliance.groups),
                    "resourceAttributes": _attributes(reliance, namespace, release),
                },
            },
        )
        try:
            answer = await self._client.create(REVIEWS, "", review)
        except Conflict as gone:
            raise Unavailable(f"the API server does not answer SubjectAccessReviews: {gone}") from gone
        status = answer.get("status") or {}
        if not isinstance(status.get("allowed"), bool):
            raise Unavailable(f"the API server did not say whether {reliance.user} may {_words(reliance, release)}")
        if not status["allowed"] and status.get("evaluationError"):
            log.warning(
                "asked whether %s may %s: %s", reliance.user, _words(reliance, release), status["evaluationError"]
            )
        return bool(status["allowed"])

    @property
    def skew(self) -> float | None:
        """Seconds by which this process' clock is ahead of the API server's, as of its last answers; None before the first."""
        return self._client.skew


def _attributes(reliance: Reliance, namespace: str, release: str) -> Body:
    resource, name = (ROLES, reliance.role) if reliance.role else (type_of(RELEASES).plural, release)
    return {"group": GROUP, "resource": resource, "name": name, "namespace": namespace, "verb": reliance.verb}


def _words(reliance: Reliance, release: str) -> str:
    return f"{reliance.verb} as {reliance.role}" if reliance.role else f"{reliance.verb} {release}"


async def has_mutating_policies(client: Client) -> bool:
    """Whether this API server has MutatingAdmissionPolicy at all. Raises Unavailable or Refused."""
    try:
        async for _ in client.pages(HOLD_POLICIES, limit=1):
            break
    except NotFound:
        return False
    return True
