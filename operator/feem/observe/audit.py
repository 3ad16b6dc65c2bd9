"""The audit log as figures: how long it is, how far it is signed and published, and what failed."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge

STAGES = ("read", "sign", "publish", "witness", "status")


class AuditFigures:
    """Implements `feem.ports.AuditMeasurements`; a follower's figures are dropped, for they are the leader's to tell."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._size = Gauge("feem_audit_size", "Entries of the audit log in its store.", registry=registry)
        self._open = Gauge("feem_audit_open_intents", "Announced acts without an outcome.", registry=registry)
        self._signing = Gauge(
            "feem_audit_signing",
            "1 while the log's head may be signed, 0 while something contradicts it.",
            registry=registry,
        )
        self._signed = Gauge(
            "feem_audit_signed_size", "Entries that the newest signed checkpoint covers.", registry=registry
        )
        self._at = Gauge(
            "feem_audit_checkpoint_timestamp_seconds",
            "When the newest checkpoint was signed, POSIX seconds; 0 before the first.",
            registry=registry,
        )
        self._published = Gauge(
            "feem_audit_published_size",
            "Entries in the published directory that a checkpoint covers.",
            registry=registry,
        )
        self._unpublished = Gauge(
            "feem_audit_unpublished", "Entries that no signed checkpoint covers yet.", registry=registry
        )
        self._failures = Counter(
            "feem_audit_publish_failures",
            "Failures to read, sign, witness or publish the log.",
            ("stage",),
            registry=registry,
        )
        for stage in STAGES:
            self._failures.labels(stage)
        self._sizes = (0, 0)

    def log_seen(self, size: int, open_intents: int) -> None:
        """Set the number of entries in the store, and of intents without an outcome."""
        self._size.set(size)
        self._open.set(open_intents)
        self._lag(size, self._sizes[1])

    def log_signed(self, size: int, at: float) -> None:
        """Set the size of the newest signed checkpoint and when it was signed, POSIX seconds."""
        self._signed.set(size)
        self._at.set(at)
        self._lag(self._sizes[0], size)

    def log_published(self, size: int) -> None:
        """Set the size of the published directory."""
        self._published.set(size)

    def log_signing(self, *, ok: bool) -> None:
        """Set whether the log's head may be signed."""
        self._signing.set(1 if ok else 0)

    def log_failed(self, stage: str) -> None:
        """Count a failure."""
        self._failures.labels(stage).inc()

    def clear(self) -> None:
        """Forget all but the counts: another operator leads."""
        for gauge in (
            self._size,
            self._open,
            self._signing,
            self._signed,
            self._at,
            self._published,
            self._unpublished,
        ):
            gauge.set(0)
        self._sizes = (0, 0)

    def _lag(self, size: int, signed: int) -> None:
        self._sizes = (size, signed)
        self._unpublished.set(max(0, size - signed))
