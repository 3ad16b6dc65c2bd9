"""Binds the audit log to where it is kept, signed, witnessed and published, as the settings say."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from feem.adapters.audit.directory import DirectoryRecords
from feem.adapters.audit.keys import LogSigner, load_log_keys
from feem.adapters.audit.witnesses import HttpWitness
from feem.adapters.kubernetes.auditlog import KubernetesAuditLog
from feem.adapters.kubernetes.client import Client
from feem.adapters.kubernetes.records import KubernetesRecords
from feem.controllers.publisher import Publishing
from feem.controllers.retention import Keep
from feem.core.tlog.note import NoteError
from feem.core.tlog.policy import Policy, parse_policy
from feem.leading import Auditing
from feem.ports import Publication, Records
from feem.settings import Settings

log = structlog.get_logger("feem.app")


def check_settings(settings: Settings) -> None:
    """Read keys and witnesses once. Raises ValueError that names the setting: it is said at the start, not by a log without signatures."""
    if settings.audit_keys_dir:
        load_log_keys(Path(settings.audit_keys_dir), _origin(settings))
    _policy(settings.audit_witnesses_file)
    if settings.audit_store == "Directory" and not settings.audit_directory:
        raise ValueError("FEEM_AUDIT_STORE=Directory needs FEEM_AUDIT_DIRECTORY: the folder of the log")
    if settings.audit_store == "Postgres" and not settings.audit_postgres_dsn_file:
        raise ValueError(
            "FEEM_AUDIT_STORE=Postgres needs FEEM_AUDIT_POSTGRES_DSN_FILE: a file with the connection string"
        )


@contextlib.asynccontextmanager
async def records_of(settings: Settings, client: Client) -> AsyncIterator[Records]:
    """Open the store of the log; the settings were checked."""
    if settings.audit_store == "Cluster":
        yield KubernetesRecords(client)
        return
    if settings.audit_store == "Directory":
        yield DirectoryRecords(settings.audit_directory)
        return
    from feem.adapters.audit.postgres import PostgresRecords  # noqa: PLC0415 - its driver is an extra

    file = Path(settings.audit_postgres_dsn_file)
    records = PostgresRecords(lambda: file.read_text(encoding="utf-8").strip(), _origin(settings))
    try:
        yield records
    finally:
        await records.close()


def auditing_of(settings: Settings, client: Client, records: Records) -> Auditing:
    """Return how the log is published. Raises ValueError for keys or witnesses that cannot be read."""
    keep = Keep(settings.audit_retention_days, settings.audit_retention_records)
    return Auditing(records, _publishing(settings, client, records), keep, settings.audit_heartbeat_seconds)


def _publishing(settings: Settings, client: Client, records: Records) -> Publishing | None:
    origin = _origin(settings)
    if not settings.audit_keys_dir:
        log.warning("the audit log is not signed: FEEM_AUDIT_KEYS_DIR names no folder with keys")
        return None
    policy = _policy(settings.audit_witnesses_file)
    return Publishing(
        origin,
        LogSigner(load_log_keys(Path(settings.audit_keys_dir), origin)),
        KubernetesAuditLog(client, origin),
        _directory(settings, records),
        [HttpWitness(name, (each.key,), each.url) for name, each in policy.witnesses.items() if each.url],
        policy,
        settings.audit_publish_seconds,
    )


def _origin(settings: Settings) -> str:
    return settings.audit_origin or f"feem.dev/audit/{settings.namespace}"


def _directory(settings: Settings, records: Records) -> Publication | None:
    """Return the published directory; one that is the store as well is the same object."""
    if isinstance(records, DirectoryRecords):
        return records
    return DirectoryRecords(settings.audit_directory) if settings.audit_directory else None


def _policy(file: str) -> Policy:
    if not file:
        return Policy(())
    try:
        return parse_policy(Path(file).read_text(encoding="utf-8"))
    except (OSError, NoteError) as problem:
        raise ValueError(f"FEEM_AUDIT_WITNESSES_FILE {file}: {problem}") from problem
