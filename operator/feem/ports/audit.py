"""What the audit log needs from the world: a place for its entries, a place where it is published, keys and witnesses."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from feem.api.audit import AuditSpec, Part, Subject
from feem.api.auditlog import AuditLogStatus
from feem.core.tlog.checkpoint import Checkpoint
from feem.core.tlog.note import Signature
from feem.core.tlog.vkey import Key


@dataclass(frozen=True)
class Entry:
    """What is to be recorded; the ledger adds index, time, actor default, epoch, previous and digest."""

    action: str
    part: Part
    subject: Subject
    reason: str = ""
    message: str = ""
    effects: tuple[str, ...] = ()
    evidence: str = ""
    intent: int | None = None
    actor: str = ""
    """Empty: the operator's own account."""


class Fenced(Exception):  # noqa: N818 - it is an outcome of an attempt, not an error of the program
    """Another operator leads now: stop acting at once."""


class Taken(Exception):  # noqa: N818 - see Fenced
    """Another entry stands at this index."""


class Forked(Exception):  # noqa: N818 - see Fenced
    """Two histories of one log: entries, or a published head, differ from what the store holds."""


class WitnessAhead(Exception):  # noqa: N818 - see Fenced
    """A witness has seen a longer log than ours: ours was cut off, or restored from an old backup."""

    def __init__(self, witness: str, size: int) -> None:
        super().__init__(f"witness {witness} has seen {size} entries")
        self.witness, self.size = witness, size


class WitnessDisagrees(Exception):  # noqa: N818 - see Fenced
    """A witness has seen another history of this log than ours."""


class Witnessing(Protocol):
    """How far witnesses vouch for the log."""

    async def witnessed(self, index: int) -> None:
        """Return once enough witnesses have signed a head that covers this entry. Raises NotWitnessed when they have not."""
        ...


class Ledger(Protocol):
    """The audit log, as controllers write it."""

    async def append(self, entry: Entry) -> AuditSpec:
        """Write the next entry; returns it once it is durable. Raises Unavailable, or Fenced when another leader writes."""
        ...

    def open_intents(self, subject: Subject) -> Sequence[AuditSpec]:
        """Return the intents about this subject that have no outcome yet, oldest first."""
        ...

    def open_subjects(self) -> Sequence[Subject]:
        """Return the subjects that have open intents, each once."""
        ...


class NumberedLedger(Ledger, Protocol):
    """The audit log, as its publisher sees it."""

    @property
    def head(self) -> AuditSpec | None:
        """The last entry, None while the log is empty."""
        ...

    @property
    def open_count(self) -> int:
        """How many intents have no outcome yet."""
        ...

    @property
    def open_from(self) -> int:
        """The lowest index that a new leader needs: the oldest open intent, else the next entry."""
        ...


@dataclass(frozen=True)
class Stored:
    """The last entry of a store."""

    record: AuditSpec
    open_from: int | None
    """The lowest index whose intent was still open once it was written; None: not known."""


class Records(Protocol):
    """Where entries are kept: putting the next one is a compare-and-swap on the sequence."""

    async def head(self) -> Stored | None:
        """Return the last entry, None while there is none. Raises Unavailable."""
        ...

    async def read(self, index: int) -> AuditSpec | None:
        """Return the entry at an index, None when there is none. Raises Unavailable."""
        ...

    async def put(self, record: AuditSpec, open_from: int) -> None:
        """Add the next entry; it is durable on return.

        Raises Taken when its index exists or a later epoch has written; Unavailable when it was refused (a full disk, a gap) or
        nobody can tell whether it arrived.
        """
        ...

    def since(self, first: int, until: int | None = None) -> AsyncIterator[AuditSpec]:
        """Return the entries from an index on, up to one (None: to the end), in order, without holding them all.

        Pruned ones are left out. Raises Unavailable.
        """
        ...

    async def prune(self, before: int) -> int:
        """Remove entries below an index; returns how many. A store that keeps everything removes none. Raises Unavailable."""
        ...


class Publication(Protocol):
    """Where the log is published: entries, tiles and the signed head, for everybody to copy."""

    async def tip(self) -> tuple[int, str | None]:
        """Return how many entries are there, and the note of the checkpoint. Raises Unavailable."""
        ...

    def leaf_hashes(self) -> Iterator[bytes]:
        """Return the leaf hashes of all entries there. Raises Unavailable."""
        ...

    async def extend(self, start: int, entries: Sequence[bytes]) -> None:
        """Add entries from index `start` on; those that are there already must be the same. Raises Forked or Unavailable."""
        ...

    async def publish(self, note: str, keys: str) -> None:
        """Replace the checkpoint and the list of keys. Raises Unavailable."""
        ...


class Signer(Protocol):
    """The log's private keys."""

    @property
    def keys(self) -> Sequence[Key]:
        """The public halves."""
        ...

    def sign(self, checkpoint: Checkpoint, timestamp: int) -> Sequence[Signature]:
        """Sign a checkpoint with each key, at a time in POSIX seconds."""
        ...

    def salt(self, purpose: str) -> bytes:
        """Return bytes for one purpose that nobody can guess without the keys; always the same ones."""
        ...

    def sign_dsse(self, payload_type: str, payload: bytes) -> Mapping[str, object]:
        """Return a DSSE envelope over a payload."""
        ...


class Witness(Protocol):
    """Somebody elsewhere who remembers the log's head and vouches for it."""

    @property
    def name(self) -> str:
        """How the policy calls it."""
        ...

    async def cosign(
        self, note: str, checkpoint: Checkpoint, consistency: Callable[[int], Sequence[bytes]]
    ) -> Sequence[str]:
        """Show a checkpoint; returns checked signature lines. Raises WitnessAhead, WitnessDisagrees or Unavailable."""
        ...


class LogObject(Protocol):
    """The AuditLog object, where people see how the log is published."""

    async def read(self) -> AuditLogStatus | None:
        """Return what it says; None when there is no AuditLog of this origin yet. Raises Unavailable or Refused."""
        ...

    async def write(self, status: AuditLogStatus) -> None:
        """Replace what it says; makes the object when there is none. Raises Unavailable or Refused."""
        ...


class AuditMeasurements(Protocol):
    """The log's own figures, for Prometheus."""

    def log_seen(self, size: int, open_intents: int) -> None:
        """Set the number of entries in the store, and of intents without an outcome."""
        ...

    def log_signed(self, size: int, at: float) -> None:
        """Set the size of the newest signed checkpoint and when it was signed, POSIX seconds."""
        ...

    def log_published(self, size: int) -> None:
        """Set the size of the published directory."""
        ...

    def log_signing(self, *, ok: bool) -> None:
        """Set whether the log's head may be signed."""
        ...

    def log_failed(self, stage: str) -> None:
        """Count a failure: `read`, `sign`, `publish`, `witness`, `status` or `prune`."""
        ...
