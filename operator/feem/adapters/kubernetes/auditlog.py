"""The port `LogObject`: the AuditLog `feem`, where people see how the log is published."""

from __future__ import annotations

from feem.adapters.kubernetes.client import Client, with_type
from feem.adapters.kubernetes.errors import AlreadyExists
from feem.adapters.kubernetes.resources import AUDITLOGS
from feem.api.auditlog import AuditLog, AuditLogStatus
from feem.ports import Body, Conflict, Refused, Unavailable

NAME = "feem"
TRIES = 3


class KubernetesAuditLog:
    """One writer; whoever else changed the object is read again and overruled."""

    def __init__(self, client: Client, origin: str) -> None:
        self._client, self._origin = client, origin

    async def read(self) -> AuditLogStatus | None:
        """Return what the object says; None when there is none. Raises Refused when it is of another log."""
        body = await self._get()
        return None if body is None else AuditLog.read(body).status or AuditLogStatus()

    async def write(self, status: AuditLogStatus) -> None:
        """Replace what the object says; makes it when there is none."""
        for _ in range(TRIES):
            try:
                body = await self._get() or await self._create()
                version = body["metadata"]["resourceVersion"]
                metadata = {"name": NAME, "resourceVersion": version}
                said = status.model_copy(update={"observed_generation": body["metadata"].get("generation", 0)})
                written = with_type(AUDITLOGS, {"metadata": metadata, "spec": body["spec"], "status": said.wire()})
                await self._client.replace(AUDITLOGS, "", NAME, written, subresource="status")
            except Conflict:
                continue
            return
        raise Unavailable(f"AuditLog {NAME} was changed by others {TRIES} times in a row: see who writes it")

    async def _get(self) -> Body | None:
        body = await self._client.get(AUDITLOGS, "", NAME)
        if body is not None and body["spec"]["origin"] != self._origin:
            raise Refused(
                f"AuditLog {NAME} is of the log {body['spec']['origin']}, the operator's is {self._origin}: give the operator that origin "
                "(audit.origin), or delete the AuditLog to begin another log"
            )
        return body

    async def _create(self) -> Body:
        body = with_type(AUDITLOGS, {"metadata": {"name": NAME}, "spec": {"origin": self._origin}})
        try:
            return await self._client.create(AUDITLOGS, "", body)
        except AlreadyExists as there:
            raise Conflict(str(there)) from there
