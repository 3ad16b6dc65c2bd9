"""A signed log about a game day, as the operator writes it, and as the API server shows it."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

from feem.adapters.audit.keys import LogSigner, SigningKey, generate_seed
from feem.api.audit import AuditSpec, Part, Subject
from feem.api.run import ChaosRun
from feem.core.audit.entry import entry_bytes
from feem.core.audit.record import Statement
from feem.core.chaos.proof import ENDED, proof_digest
from feem.core.chaos.status import result_of, status_of
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.merkle import leaf_hash
from feem.core.tlog.note import Note
from feem.core.tlog.tree import Tree
from feem.core.tlog.vkey import Algorithm
from feem.sample.story import LEASE, OPERATOR, Log
from tests.view.chaos.bodies import NOW, Body, read

ORIGIN = "feem.dev/audit/test"


class SignedLog:
    """Entries of other things, then those of each run; keys that nobody keeps."""

    def __init__(self, bodies: list[Body]) -> None:
        kinds = (Algorithm.ED25519, Algorithm.ML_DSA_44)
        self.signer = LogSigner([SigningKey(ORIGIN, kind, generate_seed()) for kind in kinds])
        log = Log()
        log.fact(NOW - timedelta(hours=2), LEASE, "LeaderChanged", ("Elected", "epoch 3 begins"))
        for run in sorted(map(read, bodies), key=lambda one: str(status_of(one).completed_at)):
            tell(log, run)
            log.fact(NOW - timedelta(hours=1), LEASE, "Heartbeat", ("Alive", "still here"))
        self.entries: list[AuditSpec] = log.entries

    @property
    def keys(self) -> list[str]:
        return [key.vkey() for key in self.signer.keys]

    @property
    def records(self) -> list[dict[str, Any]]:
        return [{"metadata": {"name": f"{one.index:012d}"}, "spec": one.wire()} for one in self.entries]

    @property
    def auditlog(self) -> dict[str, Any]:
        tree = Tree(leaf_hash(entry_bytes(entry)) for entry in self.entries)
        head = Checkpoint(ORIGIN, tree.size, tree.root())
        note = Note(head.text(), tuple(self.signer.sign(head, int(NOW.timestamp())))).wire()
        root = base64.b64encode(head.root).decode()
        status = {"size": head.size, "root": root, "checkpoint": note, "keys": self.keys}
        return {"metadata": {"name": "feem"}, "spec": {"origin": ORIGIN}, "status": status}


def tell(log: Log, run: ChaosRun) -> None:
    """What the operator writes about a run: injection, undo, and the end with the proof's digest."""
    meta, status = run.metadata, status_of(run)
    subject = Subject(kind="ChaosRun", namespace=meta.namespace, name=meta.name, uid=meta.uid)
    trial = Subject(kind="ChaosExperiment", namespace=meta.namespace, name=run.spec.experiment, uid="e")
    if status.planned_at and status.undone_at:
        effects = tuple(f"{edit.action.lower()} {edit.object}" for edit in status.edits)
        log.act(status.planned_at, subject, "InjectFault", ("Planned", "the fault begins"), effects)
        begun = Statement(
            "UndoFault", Part.INTENT, subject, OPERATOR, "TimeIsUp", "its 60 s are over", ("take it off",)
        )
        intent = log.say(status.undone_at, begun)
        done = Statement("UndoFault", Part.OUTCOME, subject, OPERATOR, "Done", intent=intent.index)
        log.say(status.undone_at + timedelta(seconds=1.5), done)
    end = status.completed_at or NOW
    log.fact(end, subject, ENDED, (result_of(run), "the run is over"), proof_digest(run))
    log.fact(end, trial, "Resilient", (status.cause, "what the last run found"))
