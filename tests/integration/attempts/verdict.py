"""What has to be true after an attempt, whoever stopped it; each verdict adds its row to the table."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from tests.integration.attempts.bank import HELD_FOR, Bank
from tests.integration.attempts.production import Production
from tests.integration.attempts.records import ServerLog, facts
from tests.integration.attempts.table import Row, Table, plain
from tests.integration.kubectl import Answer, Manifest
from tests.integration.operator import until

POLICY = re.compile(r"ValidatingAdmissionPolicy '([a-z.-]+)' with binding '[a-z.-]+' denied request: (.*)", re.DOTALL)
RBAC = re.compile(r'Error from server \(Forbidden\): .*User "[^"]+" cannot (.*)', re.DOTALL)
RULE = re.compile(r"is invalid: spec: Invalid value: (.*)", re.DOTALL)
WARNING = re.compile(r"Validation failed for ValidatingAdmissionPolicy '[a-z.-]+' with binding '[a-z.-]+': (.*)")
OPERATOR_LOG = "AuditRecord"
SERVER_LOG = "API server's audit log"


@dataclass(frozen=True)
class Verdict:
    """Compares what users are served before and after the attempts of one test."""

    bank: Bank
    table: Table
    log: ServerLog
    before: Production
    attempted: str
    """The image that must not be served."""

    def untouched(self) -> None:
        """Assert that users are served what they were before, and that the change is still held."""
        now = self.bank.production()
        assert now.backends == self.before.backends, (
            "other backends, weights, selectors or images than before the attempt"
        )
        assert self.before.stable == now.stable, "a ReplicaSet of the Deployment is not what it was"
        assert self.attempted not in now.reached, f"{self.attempted} is served to users"
        assert now.paused, "the Deployment is not paused: its change is on its way to users"

    def denied(self, attempt: str, by: str, policy: str, answer: Answer, *quoted: str) -> None:
        """The API server refused it: by this policy (or RBAC, or a rule of the CRD), with these words."""
        assert answer.code != 0, f"{attempt}: the API server accepted it: {answer.out}"
        others = {"RBAC": RBAC, "CRD": RULE}
        found = others.get(policy, POLICY).search(answer.told)
        assert found is not None, f"{attempt}: refused, but not by {policy}: {answer.told}"
        told = found.group(found.lastindex or 0)
        if policy not in others:
            assert found.group(1) == policy, answer.told
        for words in quoted:
            assert words in told, f"{attempt}: {told!r} does not say {words!r}"
        assert self.log.shows(by, self.bank.namespace), f"{attempt}: {SERVER_LOG} does not show it"
        self.untouched()
        who = {"RBAC": "API server: RBAC", "CRD": "API server: the CRD's rule"}.get(policy, f"API server: `{policy}`")
        self._row(attempt, by, "Denied", who, told, SERVER_LOG)

    def undone(self, attempt: str, by: str, told: str, *quoted: str) -> None:
        """The API server accepted it and took the harm out of it."""
        for words in quoted:
            assert words in told, f"{attempt}: {told!r} does not say {words!r}"
        time.sleep(HELD_FOR)
        self.untouched()
        found = WARNING.search(told)
        told = found.group(1) if found else told
        self._row(attempt, by, "Undone in the request", "API server: `hold.feem.dev`", told, "Release")

    def held(self, attempt: str, by: str, release: str, gate: str, reason: str, *quoted: str) -> Manifest:
        """The operator holds the release at a gate, says so on it, has recorded it, and nothing moves."""

        def holding() -> Manifest | None:
            found = self.bank.gates(release).get(gate) or {}
            return found if (found.get("outcome"), found.get("reason")) == ("Holding", reason) else None

        found = until(f"{release} held by {gate} with {reason}", holding, 25)
        until(f"{release} waits", lambda: self.bank.state(release) == "Waiting", 25)
        for words in quoted:
            assert words in found["message"], f"{attempt}: {found['message']!r} does not say {words!r}"
        self.recorded(
            "Gates", lambda spec: spec["subject"]["name"] == release and f"{gate} Holding ({reason})" in spec["message"]
        )
        self.still(release)
        self._row(attempt, by, "Held", f"operator: gate `{gate}` ({reason})", str(found["message"]), OPERATOR_LOG)
        return found

    def gone(self, attempt: str, by: str, release: str, *quoted: str) -> None:
        """What the release needs was taken away: it says so and stays where it is, and nobody is served what was attempted."""

        def said() -> str | None:
            found = self.bank.shop.condition("release.feem.dev", "Progressing", release)
            message = str(found.get("message", ""))
            return message if found.get("reason") == "Waiting" and all(words in message for words in quoted) else None

        read = until(f"{release} says what is gone", said)
        at = self.bank.status(release)["step"]
        time.sleep(HELD_FOR)
        assert self.bank.status(release)["step"] == at, "it went on"
        now = self.bank.production()
        assert self.attempted not in now.reached
        assert now.paused
        assert now.stable == self.before.stable
        self._row(attempt, by, "Held", "operator: what the release needs is gone", read, OPERATOR_LOG)

    def still(self, release: str) -> None:
        """Assert that for a while the release stays where it is, and users are served what they were."""
        at = self.bank.status(release)
        deadline = time.monotonic() + HELD_FOR
        while time.monotonic() < deadline:
            self.untouched()
            now = self.bank.status(release)
            assert (now["step"], now["weight"]) == (at["step"], at["weight"]), "it went on"
            assert "completedAt" not in now, "it ended"

    def recorded(self, action: str, wanted: Callable[[Manifest], bool]) -> Manifest:
        """Assert that FEEM's audit log has such an entry; of what belongs to a namespace, in this one. Returns the last."""

        def last() -> Manifest | None:
            here = (self.bank.namespace, None, "")
            found = [spec for spec in facts(self.bank.admin, action) if spec["subject"].get("namespace") in here]
            return next((spec for spec in reversed(found) if wanted(spec)), None)

        return until(f"an AuditRecord of {action}", last, 10)

    def _row(self, attempt: str, by: str, outcome: str, stopped_by: str, read: str, recorded: str) -> None:
        read = plain(read, self.bank.namespace)
        self.table.rows.append(Row(attempt, by, outcome, stopped_by, read, recorded))
