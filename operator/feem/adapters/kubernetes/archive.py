"""Evidence files: immutable ConfigMaps beside their Release, which go when it goes. They are written, never read."""

from __future__ import annotations

import base64

from feem.adapters.kubernetes.client import Client, with_type
from feem.adapters.kubernetes.errors import AlreadyExists
from feem.adapters.kubernetes.resources import CONFIGMAPS
from feem.adapters.kubernetes.writer import Writer
from feem.api import API_VERSION
from feem.core.rollout.effects import KeepEvidence
from feem.ports import Body, Conflict, Refused, Unavailable

KEY = "evidence.jsonl.gz"


async def keep(writer: Writer, effect: KeepEvidence) -> None:
    """Create the ConfigMap; one of this name holds the same samples, for its name is their digest."""
    await writer.deposit(CONFIGMAPS, _body(effect))


class KubernetesArchive:
    """See `feem.ports.Archive`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def has(self, effect: KeepEvidence) -> bool:
        """Whether its ConfigMap is there, asked by a dry run: so the operator needs no right to read ConfigMaps."""
        body = with_type(CONFIGMAPS, _body(effect))
        try:
            await self._client.create(CONFIGMAPS, effect.namespace, body, dry_run=True)
        except AlreadyExists:
            return True
        except (Conflict, Unavailable, Refused):
            return False
        return False


def _body(effect: KeepEvidence) -> Body:
    owner = {"apiVersion": API_VERSION, "kind": effect.owner_kind, "name": effect.release, "uid": effect.release_uid}
    return {
        "metadata": {
            "namespace": effect.namespace,
            "name": effect.name,
            "labels": {"feem.dev/service": effect.service},
            "annotations": {"feem.dev/evidence-digest": effect.digest},
            "ownerReferences": [owner],
        },
        "immutable": True,
        "binaryData": {KEY: base64.b64encode(effect.document).decode()},
    }
