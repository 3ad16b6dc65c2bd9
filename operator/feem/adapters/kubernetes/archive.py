"""The port `Archive`: evidence files in immutable ConfigMaps beside their Release, which go when it goes."""

from __future__ import annotations

import base64

import structlog

from feem.adapters.kubernetes.client import Client, with_type
from feem.adapters.kubernetes.errors import AlreadyExists
from feem.adapters.kubernetes.resources import CONFIGMAPS
from feem.api import API_VERSION
from feem.api.release import Release
from feem.ports import Conflict, Refused, Unavailable

log = structlog.get_logger(__name__)

KEY = "evidence.jsonl.gz"
DIGEST_LETTERS = 10
NAME_LENGTH = 253


class KubernetesArchive:
    """Named by release and digest, so that keeping the same samples again changes nothing."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def keep(self, release: Release, digest: str, document: bytes) -> str:
        """Create the ConfigMap and return its name; empty when that failed: a release is never held up by it."""
        meta = release.metadata
        suffix = f"-evidence-{digest.removeprefix('sha256:')[:DIGEST_LETTERS]}"
        name = meta.name[: NAME_LENGTH - len(suffix)] + suffix
        owner = {"apiVersion": API_VERSION, "kind": "Release", "name": meta.name, "uid": meta.uid}
        body = {
            "metadata": {
                "namespace": meta.namespace,
                "name": name,
                "labels": {"feem.dev/service": release.spec.service},
                "annotations": {"feem.dev/evidence-digest": digest},
                "ownerReferences": [owner],
            },
            "immutable": True,
            "binaryData": {KEY: base64.b64encode(document).decode()},
        }
        try:
            await self._client.create(CONFIGMAPS, meta.namespace, with_type(CONFIGMAPS, body))
        except AlreadyExists:
            return name
        except (Conflict, Unavailable, Refused) as problem:
            log.warning("evidence not kept", release=meta.name, namespace=meta.namespace, problem=str(problem))
            return ""
        return name
