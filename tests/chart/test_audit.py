"""The audit log's part of the chart: its settings, its keys, its volume and its witnesses."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
import yaml

from feem.settings import Settings
from tests.chart import helm
from tests.chart.helm import Body

pytestmark = pytest.mark.integration

POLICY = "witness risk risk.bank.example/witness+1234abcd+AQ== https://witness.bank.example\nquorum risk\n"


def pod_of(bodies: list[Body]) -> Body:
    found: Body = helm.named(bodies, "Deployment", "feem")["spec"]["template"]["spec"]
    return found


def settings_of(bodies: list[Body]) -> dict[str, str]:
    (container,) = pod_of(bodies)["containers"]
    return {item["name"]: item["value"] for item in container["env"] if "value" in item}


def volume_of(bodies: list[Body], name: str) -> tuple[Body, Body]:
    """A volume and its only mount."""
    pod = pod_of(bodies)
    (container,) = pod["containers"]
    (volume,) = [item for item in pod["volumes"] if item["name"] == name]
    (mount,) = [item for item in container["volumeMounts"] if item["name"] == name]
    return volume, mount


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ("audit.origin=bank example", "audit/origin"),
        ("audit.store=Etcd", "audit/store"),
        ("audit.store=Directory", "directory/enabled"),
        ("audit.store=Postgres", "postgres/secret"),
        ("audit.publishSeconds=0", "audit/publishSeconds"),
        ("audit.heartbeatSeconds=0.5", "audit/heartbeatSeconds"),
        ("audit.retention.days=-1", "retention/days"),
        ("audit.retention.days=90", "directory/enabled"),
        ("audit.retention.records=all", "retention/records"),
        ("audit.keys.secret=Bank_Keys", "keys/secret"),
        ("audit.keys.seed=AAAA", "keys"),
        ("audit.directory.path=audit", "directory/path"),
        ("audit.directory.accessMode=ReadOnlyMany", "directory/accessMode"),
        ("audit.directory.size=much", "directory/size"),
        ("audit.postgres.key=a/b", "postgres/key"),
    ],
)
def test_the_schema_refuses_wrong_values_by_name(values: str, field: str) -> None:
    done = helm.run("template", "feem", str(helm.CHART), "--set", values)
    assert done.returncode != 0
    assert field.rpartition("/")[2] in done.stderr
    assert "schema" in done.stderr


def test_every_setting_arrives_as_the_operator_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    values: Body = {
        "audit.origin": "bank.example/feem/prod",
        "audit.store": "Postgres",
        "audit.publishSeconds": 5,
        "audit.heartbeatSeconds": 60,
        "audit.retention": {"days": 400, "records": 5_000_000},
        "audit.directory.enabled": True,
        "audit.directory.path": "/srv/audit",
        "audit.postgres": {"secret": "feem-postgres", "key": "url"},
        "audit.witnesses": POLICY,
    }
    for name, value in settings_of(helm.render(values)).items():
        monkeypatch.setenv(name, value)
    read = Settings().model_dump(include={name for name in Settings.model_fields if name.startswith("audit_")})
    assert read == {
        "audit_origin": "bank.example/feem/prod",
        "audit_keys_dir": "/etc/feem/audit-keys",
        "audit_store": "Postgres",
        "audit_directory": "/srv/audit",
        "audit_postgres_dsn_file": "/etc/feem/audit-postgres/url",
        "audit_publish_seconds": 5.0,
        "audit_heartbeat_seconds": 60.0,
        "audit_retention_days": 400.0,
        "audit_retention_records": 5_000_000,
        "audit_witnesses_file": "/etc/feem/audit-witnesses/policy",
    }


def test_the_defaults_are_the_operators_own() -> None:
    told = {name: value for name, value in settings_of(helm.render()).items() if name.startswith("FEEM_AUDIT_")}
    for name, value in told.items():
        field = Settings.model_fields[name.removeprefix("FEEM_").lower()]
        if field.annotation is not str:
            assert str(field.default).removesuffix(".0") == value


def keys_of(bodies: list[Body]) -> Body:
    return helm.named(bodies, "Secret", "feem-audit-key")


def test_keys_are_made_once_and_stay() -> None:
    secret = keys_of(helm.render())
    assert secret["immutable"] is True
    assert secret["metadata"]["namespace"] == "feem-system"
    assert secret["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    seeds = {name: base64.b64decode(text, validate=True) for name, text in secret["data"].items()}
    assert {name: len(seed) for name, seed in seeds.items()} == {"ed25519.seed": 32, "ml-dsa-44.seed": 32}
    assert len({*seeds.values(), *map(base64.b64decode, keys_of(helm.render())["data"].values())}) == 4


def test_only_the_operators_pod_has_the_keys() -> None:
    bodies = helm.render({"audit.directory.enabled": True, "audit.witnesses": POLICY, "replicas": 2})
    volume, mount = volume_of(bodies, "audit-keys")
    assert volume["secret"] == {"secretName": "feem-audit-key", "defaultMode": 0o440}
    assert mount == {"name": "audit-keys", "mountPath": "/etc/feem/audit-keys", "readOnly": True}
    assert pod_of(bodies)["securityContext"]["fsGroup"] == 65532, "a file of root's with mode 0440 is read by the group"
    secret = keys_of(bodies)
    others = yaml.safe_dump_all([body for body in bodies if body is not secret])
    assert others.count("feem-audit-key") == 1, "the volume, and no other mention"
    assert not [seed for seed in secret["data"].values() if seed in others]


def test_given_keys_are_used_and_none_are_made() -> None:
    bodies = helm.render({"audit.keys.secret": "feem-audit-2026"})
    assert not helm.of_kind(bodies, "Secret")
    volume, _ = volume_of(bodies, "audit-keys")
    assert volume["secret"]["secretName"] == "feem-audit-2026"


@pytest.mark.parametrize("keys", ["", "feem-audit-2026"])
def test_the_notes_say_how_keys_are_given(keys: str) -> None:
    words = ["install", "feem", str(helm.CHART), "--namespace", "bank-platform", "--dry-run=client"]
    done = helm.run(*words, f"--set=audit.keys.secret={keys}", "--kubeconfig=/dev/null")
    assert done.returncode == 0, done.stderr
    notes = done.stdout.partition("NOTES:")[2]
    assert f"keys in Secret {keys or 'feem-audit-key'}" in notes
    line = "feem audit keygen --origin feem.dev/audit/bank-platform --namespace bank-platform"
    assert (line in notes) is (keys == "")


def claim(values: Body) -> Any:
    return helm.named(helm.render({"audit.directory.enabled": True, **values}), "PersistentVolumeClaim", "feem-audit")


def test_the_directory_has_a_volume_that_stays() -> None:
    assert not helm.of_kind(helm.render(), "PersistentVolumeClaim")
    made = claim({})
    assert made["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert made["spec"] == {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "10Gi"}}}
    shared = claim({"audit.directory.accessMode": "ReadWriteMany", "audit.directory.storageClass": "nfs"})
    assert (shared["spec"]["accessModes"], shared["spec"]["storageClassName"]) == (["ReadWriteMany"], "nfs")


def test_the_directory_is_where_the_operator_looks() -> None:
    for claimed, values in (("feem-audit", {}), ("bank-audit", {"audit.directory.existingClaim": "bank-audit"})):
        bodies = helm.render({"audit.directory.enabled": True, "audit.store": "Directory", **values})
        volume, mount = volume_of(bodies, "audit-directory")
        assert volume["persistentVolumeClaim"] == {"claimName": claimed}
        assert mount["mountPath"] == settings_of(bodies)["FEEM_AUDIT_DIRECTORY"]
        assert not mount.get("readOnly")
        assert bool(helm.of_kind(bodies, "PersistentVolumeClaim")) is (claimed == "feem-audit")


@pytest.mark.parametrize(
    ("values", "surge"),
    [
        ({}, None),
        ({"audit.directory.enabled": True}, 0),
        ({"audit.directory.enabled": True, "audit.directory.accessMode": "ReadWriteMany"}, None),
    ],
)
def test_a_new_pod_never_waits_for_the_volume_of_the_old_one(values: Body, surge: int | None) -> None:
    """Not by Recreate: helm's server-side apply cannot go there, as the API server's default for rolling updates stays."""
    strategy = helm.named(helm.render(values), "Deployment", "feem")["spec"].get("strategy", {})
    assert strategy == ({} if surge is None else {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": 1}})


def test_postgres_is_reached_by_a_string_from_a_secret() -> None:
    bodies = helm.render({"audit.store": "Postgres", "audit.postgres.secret": "feem-postgres"})
    volume, mount = volume_of(bodies, "audit-postgres")
    assert volume["secret"] == {
        "secretName": "feem-postgres",
        "items": [{"key": "dsn", "path": "dsn"}],
        "defaultMode": 0o440,
    }
    assert settings_of(bodies)["FEEM_AUDIT_POSTGRES_DSN_FILE"] == f"{mount['mountPath']}/dsn"
    assert mount["readOnly"] is True
    unused = pod_of(helm.render({"audit.postgres.secret": "feem-postgres"}))
    assert "feem-postgres" not in yaml.safe_dump(unused), "a string for no store is not mounted"


def test_witnesses_arrive_byte_for_byte_and_another_list_restarts_the_pod() -> None:
    bodies = helm.render({"audit.witnesses": POLICY})
    config = helm.named(bodies, "ConfigMap", "feem-audit-witnesses")
    assert config["data"] == {"policy": POLICY}
    volume, mount = volume_of(bodies, "audit-witnesses")
    assert volume["configMap"] == {"name": "feem-audit-witnesses"}
    assert settings_of(bodies)["FEEM_AUDIT_WITNESSES_FILE"] == f"{mount['mountPath']}/policy"
    marks = {
        helm.named(helm.render({"audit.witnesses": text}), "Deployment", "feem")["spec"]["template"]["metadata"][
            "annotations"
        ]["feem.dev/audit-witnesses"]
        for text in (POLICY, POLICY + "# another\n")
    }
    assert len(marks) == 2
    assert all(re.fullmatch(r"[0-9a-f]{64}", mark) for mark in marks)
