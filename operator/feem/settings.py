"""The operator's settings, from environment variables named FEEM_*."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Each field is the environment variable FEEM_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="FEEM_", use_attribute_docstrings=True, frozen=True)

    prometheus_url: str
    """Where Prometheus answers, e.g. `http://prometheus.monitoring.svc:9090`. Required."""
    prometheus_ca_file: str = ""
    """A file with the authorities that Prometheus' certificate may come from; empty: the usual public ones."""
    prometheus_token_file: str = ""
    """A file with the bearer token for Prometheus, read anew for each query; empty: none is sent."""
    jira_url: str = ""
    """Where Jira answers, e.g. `https://jira.bank.example`; empty: there is none to look tickets up in."""
    jira_user: str = ""
    """Whose password or API token the token is, as Jira Cloud wants it; empty: it is a bearer token, as Data Center's are."""
    jira_token_file: str = ""
    """A file with the token for Jira, read anew for each look-up; empty: none is sent."""
    jira_ca_file: str = ""
    """A file with the authorities that Jira's certificate may come from; empty: the usual public ones."""
    ticket_webhook_url: str = ""
    """Where another ticket system is asked, with `{ticket}` in the ticket's place; it answers `{"status": "…"}`, or 404. Empty: none."""
    ticket_webhook_token_file: str = ""
    """A file with the bearer token for it, read anew for each look-up; empty: none is sent."""
    ticket_webhook_ca_file: str = ""
    """A file with the authorities that its certificate may come from; empty: the usual public ones."""
    ticket_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 5.0
    """How long one look-up of a ticket may take."""
    namespace: str = "feem-system"
    """The operator's own namespace; its Lease is there."""
    lease_name: str = "feem"
    """The Lease that replicas of the operator share."""
    identity: str = ""
    """Who this replica is on the Lease; default: the host name."""
    service_account_username: str = "system:serviceaccount:feem-system:feem"
    """The operator's own user name, as the audit log calls it and as the policies exempt it."""
    hold_policy: Literal["Auto", "Always", "Never"] = "Auto"
    """Whether the policies of kind MutatingAdmissionPolicy have to be there. Auto: where the API server has the kind."""
    audit_origin: Annotated[str, Field(max_length=200, pattern=r"^([A-Za-z0-9]([A-Za-z0-9._/-]*[A-Za-z0-9])?)?$")] = ""
    """The audit log's name, e.g. `bank.example/feem/prod`; another name is another log. Empty: `feem.dev/audit/<namespace>`."""
    audit_keys_dir: str = ""
    """A folder with the log's keys, `ed25519.seed` and `ml-dsa-44.seed`; empty: the log is not signed."""
    audit_store: Literal["Cluster", "Directory", "Postgres"] = "Cluster"
    """Where entries are kept: as AuditRecords, in the directory, or in PostgreSQL."""
    audit_directory: str = ""
    """The folder where the log is published as tiles; empty: it is not."""
    audit_postgres_dsn_file: str = ""
    """A file with the connection string of the PostgreSQL database, for the store of that name."""
    audit_publish_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 10.0
    """How often new entries are signed and published."""
    audit_heartbeat_seconds: Annotated[float, Field(ge=1, le=86400)] = 900.0
    """After how many silent seconds the log shows that it is alive."""
    audit_retention_days: Annotated[float, Field(ge=0, le=36500)] = 0.0
    """How long published entries stay in the store at least; 0: for ever."""
    audit_retention_records: Annotated[int, Field(ge=0)] = 1000
    """How many of the newest entries stay in the store in any case."""
    audit_witnesses_file: str = ""
    """A policy (c2sp.org/tlog-policy) with the witnesses that are asked for their signatures, and how many are enough; empty: none."""
    chaos_namespaces: Annotated[str, Field(max_length=8192, pattern=r"^(\*|[a-z0-9-]+)?(,(\*|[a-z0-9-]+))*$")] = ""
    """The namespaces in which experiments may run, separated by commas; `*`: all but `kube-…` and FEEM's own. Empty: none."""
    chaos_workers: Annotated[int, Field(ge=1, le=64)] = 8
    """How many services' experiments are worked on at once."""
    kubeconfig: str = ""
    """A kubeconfig file; empty: the service account in a pod, else what kubectl would use."""
    http_port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """Port of /metrics, /healthz and /readyz."""
    log_level: str = "INFO"
    """DEBUG, INFO, WARNING or ERROR."""
    interval_seconds: Annotated[float, Field(gt=0, le=300)] = 5.0
    """How often the objectives of a canary are evaluated."""
    budget_interval_seconds: Annotated[float, Field(ge=1, le=3600)] = 60.0
    """How often the error budget of each objective is measured."""
    query_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 4.0
    """How long one query to Prometheus may take."""
    workers: Annotated[int, Field(ge=1, le=256)] = 16
    """How many services are worked on at once."""
    lease_seconds: Annotated[float, Field(ge=3, le=300)] = 15.0
    """How long a silent leader keeps the Lease; it stops acting at two thirds of it."""
