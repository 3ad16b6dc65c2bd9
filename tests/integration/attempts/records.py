"""Where an attempt is written down: FEEM's audit log for what the operator saw, the API server's own for what it refused."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.kubectl import Kubectl, Manifest


def facts(admin: Kubectl, *actions: str) -> list[Manifest]:
    """The entries of FEEM's audit log with one of these actions, oldest first."""
    found = (item["spec"] for item in admin.read("auditrecords")["items"])
    return sorted((spec for spec in found if spec["action"] in actions), key=lambda spec: int(spec["index"]))


@dataclass(frozen=True)
class ServerLog:
    """The API server's audit log from some point on; none on clusters that do not show it."""

    path: Path | None
    start: int

    @classmethod
    def from_now(cls, path: Path | None) -> ServerLog:
        return cls(path, path.stat().st_size if path is not None and path.exists() else 0)

    def refusals(self, user: str, namespace: str) -> list[dict[str, Any]]:
        """The requests of a user that were refused, in a namespace or on cluster-wide objects."""
        if self.path is None:
            return []
        with self.path.open(encoding="utf-8") as log:
            log.seek(self.start)
            lines = [json.loads(line) for line in log if line.endswith("\n")]
        return [line for line in lines if _refused(line) and _of(line, user, namespace)]

    def shows(self, user: str, namespace: str) -> bool:
        """Whether a refusal stands there; the log may be written a moment later."""
        deadline = time.monotonic() + 5
        while self.path is not None and not self.refusals(user, namespace):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True


def _refused(line: dict[str, Any]) -> bool:
    return int(line.get("responseStatus", {}).get("code", 0)) in (403, 422)


def _of(line: dict[str, Any], user: str, namespace: str) -> bool:
    where = (line.get("objectRef") or {}).get("namespace", "")
    return bool(line["user"]["username"] == user and where in ("", namespace))
