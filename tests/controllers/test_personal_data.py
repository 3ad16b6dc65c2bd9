"""An applicant's data and credentials, planted wherever others can write: none of it is in a record, a dossier or a report."""

from __future__ import annotations

import base64
import gzip
import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from feem.core.audit.entry import entry_bytes
from feem.ports import Body, Refused
from feem.sample.build import write
from feem.view.report.page import render
from tests.world import bodies
from tests.world.api import Request
from tests.world.deployments import DEPLOYMENTS
from tests.world.world import World

ROOT = Path(__file__).parents[2]
PLANTED = {
    "identity number": "11010519491231002X",
    "mobile number": "13800138000",
    "e-mail address": "applicant@mail.example",
    "bearer token": "zX9-planted-bearer-token-4711",
    "JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhcHBsaWNhbnQifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg",
    "password": "planted-horse-battery",
}
SENTENCE = (
    (
        "applicant {identity number}, {mobile number}, {e-mail address}; Authorization: Bearer {bearer token}; {JWT}; password={password}"
    )
    .replace("{", "{0[")
    .replace("}", "]}")
    .format(PLANTED)
)
"""All of it, as it stands in logs and error messages."""
APPROVAL = {"name": "risk-approval", "stage": "Start", "approvals": {"roles": [{"role": "risk"}]}}


def plant(body: Body) -> None:
    """Put it into annotations, environment, arguments and labels of a change."""
    template = body["spec"]["template"]
    container = template["spec"]["containers"][0]
    container["image"] = "feem.example/scoring:2.0"
    container["env"] = [
        {"name": name.upper().replace(" ", "_").replace("-", "_"), "value": value} for name, value in PLANTED.items()
    ]
    container["args"] = [
        "--password",
        PLANTED["password"],
        f"--token={PLANTED['bearer token']}",
        f"--auth=Bearer {PLANTED['JWT']}",
    ]
    template["metadata"]["annotations"] = {"team.example/note": SENTENCE}
    body["metadata"].setdefault("annotations", {})["team.example/contact"] = SENTENCE


def assert_clean(where: str, data: bytes) -> None:
    """None of it is there, also not written in base64 or hex."""
    for what, value in PLANTED.items():
        raw = value.encode()
        for form in (raw, base64.b64encode(raw).rstrip(b"="), raw.hex().encode()):
            assert form not in data, f"{where} has the {what}"


async def released(end: str) -> World:
    world = await World(profile=bodies.profile([APPROVAL])).start()
    world.change(DEPLOYMENTS, plant)
    await world.until(lambda w: w.state() == "Waiting")
    world.approve(reason=SENTENCE)
    if end == "RolledBack":
        world.traffic.error_rates["2.0"] = 0.5
    if end == "Aborted":
        await world.until(lambda w: w.step == 1)
        world.decide("Abort", reason=SENTENCE)
    return await world.settled()


@pytest.mark.parametrize("end", ["Promoted", "RolledBack", "Aborted"])
async def test_no_record_dossier_or_report_has_any_of_it(end: str) -> None:
    world = await released(end)
    assert world.state("Succeeded") == end
    assert SENTENCE.split(";")[0] in json.dumps(world.get(DEPLOYMENTS)), "it was planted"
    for record in world.records:
        assert_clean(f"entry {record.index}", entry_bytes(record))
    status = world.last.status
    assert status is not None
    packed = gzip.decompress(base64.b64decode(status.dossier))
    assert len(packed) > 1_000
    dossier = json.loads(packed)
    assert dossier["manifests"]["after"]["spec"]["containers"][0]["env"], "the change is in it"
    assert dossier["decisions"]
    assert_clean("the dossier", packed)
    assert_clean("the attestation", base64.b64decode(json.loads(status.attestation)["payload"]))
    records = [record.wire() for record in world.records]
    assert_clean("the report", render(dossier, records, (), "", "").encode())


async def test_what_the_api_server_says_is_masked() -> None:
    """A webhook of somebody else's quotes the object that it refuses."""
    world = await World().start()

    def refuse(request: Request, when: str) -> None:
        if (request.verb, request.resource, when) == ("create", DEPLOYMENTS, "before"):
            raise Refused(f'admission webhook "scan.bank.example" denied the request: {SENTENCE}')

    world.api.fault = refuse
    world.apply_template("2.0")
    await world.until(lambda w: any(record.reason == "Failed" for record in w.records))
    failed = next(record for record in world.records if record.reason == "Failed")
    assert "scan.bank.example" in failed.message
    for record in world.records:
        assert_clean(f"entry {record.index}", entry_bytes(record))


def test_the_sample_is_clean_too(tmp_path: Path) -> None:
    """The sample's pods have a password in their environment and an applicant's number in an annotation."""
    write(tmp_path / "sample", 100)
    secrets = (b"correct-horse-battery", b"13800138000")
    for path in sorted((tmp_path / "sample").rglob("*")):
        contents = [path.read_bytes()] if path.is_file() else []
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as files:
                contents += [files.read(name) for name in files.namelist()]
        for data in contents:
            assert not [secret for secret in secrets if secret in data], path


def test_no_private_key_is_in_the_repository() -> None:
    names = (
        subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    )
    header = b"-----BEGIN " + b"[A-Z ]*" + b"PRIVATE KEY"
    found = subprocess.run(
        ["git", "grep", "-lE", header.decode()], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()
    assert not [name for name in names if name.endswith((".seed", ".key", ".pem", ".p12"))]
    allowed = {
        "tests/audit/test_texts.py",
        "operator/feem/core/audit/texts.py",
        "tests/controllers/test_personal_data.py",
    }
    assert set(found) <= allowed, found
