"""`feem evidence`: what was kept is saved, and gives the same verdict anywhere."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from feem.adapters.kubernetes.archive import KEY
from feem.api.release import ObjectiveSnapshot
from feem.cli.app import app
from feem.cli.problem import Problem
from feem.core.evidence.rounds import Round
from feem.core.evidence.samples import Sample, Series, TrackSamples
from feem.core.evidence.tape import Tape
from feem.core.evidence.terms import Terms
from feem.core.evidence.trial import Trial
from tests.cli.fake import FakeCluster

START = 1_700_000_000.0
OBJECTIVE = ObjectiveSnapshot.model_validate(
    {"name": "errors", "objective": "99.9", "indicator": {"ratio": {"bad": "bad_total", "total": "all_total"}}}
)


def track(pod: str, moment: float, bad: float, total: float) -> TrackSamples:
    labels = (("pod", pod),)
    counters = {"bad": bad, "total": total}
    return TrackSamples({role: (Series(labels, (Sample(moment, value),)),) for role, value in counters.items()})


def tape(release: str = "limit-scoring-4") -> bytes:
    """A canary that fails a fifth of its requests, on tape until it is rolled back."""
    terms = Terms(OBJECTIVE, START, 0.01)
    trial, written = Trial(terms), Tape(release, (terms,))
    for look in range(13):
        now = START + 5 * look
        canary = track("canary-1", now - 1, 10.0 * look, 50.0 * look)
        one = Round(now, 1, canary, track("stable-1", now - 1, 0.0, 500.0 * look))
        written.note(0, one)
        trial.take(one)
    document = written.document("RollBack", now, (trial.verdict(now=now, queries=("bad_total", "all_total")),))
    assert document is not None
    return document


def keep(cluster: FakeCluster, document: bytes) -> None:
    body = cluster.objects["releases.feem.dev", "lending", "limit-scoring-4"]
    body["status"]["evidence"] = "limit-scoring-4-evidence-1"
    data = {KEY: base64.b64encode(document).decode()}
    metadata = {"name": "limit-scoring-4-evidence-1", "namespace": "lending"}
    cluster.add("configmaps", {"metadata": metadata, "binaryData": data})


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["evidence", *words], catch_exceptions=False)
    return done.exit_code, done.output


def test_what_was_kept_is_saved_and_replayed(cluster: FakeCluster, tmp_path: Path) -> None:
    keep(cluster, tape())
    file = tmp_path / "evidence.jsonl.gz"
    code, out = run("save", "limit-scoring-4", "--file", str(file))
    assert (code, file.read_bytes()) == (0, tape())
    assert f"feem evidence replay {file}" in out
    code, out = run("replay", str(file))
    assert code == 0
    assert "Release limit-scoring-4: RollBack, from 52 samples in 13 rounds." in out
    assert "errors: Fail, ErrorRatioAboveStable" in out
    assert "The samples give exactly the recorded verdicts." in out


def test_a_release_without_samples_says_why(cluster: FakeCluster) -> None:
    assert cluster.objects
    with pytest.raises(Problem, match="no samples are kept for it"):
        run("save", "limit-scoring-4")


def test_a_verdict_that_the_samples_do_not_give_is_shown(tmp_path: Path) -> None:
    lines = gzip.decompress(tape()).splitlines()
    last = json.loads(lines[-1])
    last["verdicts"][0]["outcome"] = "Pass"
    file = tmp_path / "forged.jsonl"
    file.write_bytes(b"\n".join([*lines[:-1], json.dumps(last).encode()]))
    code, out = run("replay", str(file))
    assert code == 1
    assert "DIFFERENT: the samples do not give the recorded verdicts" in out


def test_a_changed_sample_is_shown(tmp_path: Path) -> None:
    changed = gzip.decompress(tape()).replace(b"100.0", b"101.0", 1)
    file = tmp_path / "changed.jsonl"
    file.write_bytes(changed)
    code, out = run("replay", str(file))
    assert code == 1
    assert "DIFFERENT: the samples' digest is" in out


def test_the_digest_is_found_in_an_audit_log(tmp_path: Path) -> None:
    file, log = tmp_path / "evidence.jsonl.gz", tmp_path / "log.json"
    file.write_bytes(tape())
    digest = json.loads(gzip.decompress(tape()).splitlines()[-1])["digest"]
    spec = {"index": 7, "action": "RollBack", "time": "2026-03-02T09:30:00Z", "evidence": digest}
    log.write_text(json.dumps({"items": [{"metadata": {"name": "000000000007"}, "spec": spec}]}))
    code, out = run("replay", str(file), "--audit-log", str(log))
    assert code == 0
    assert "Audit entry 7 (RollBack, 2026-03-02T09:30:00) carries digest" in out
    log.write_text(json.dumps({"items": []}))
    code, out = run("replay", str(file), "--audit-log", str(log))
    assert code == 1
    assert "no entry of the audit log carries this digest" in out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it is empty"),
        (b"{}\n", "fewer than two lines"),
        (b"\x1f\x8bbroken", "cannot be unpacked"),
        (b"{}\nnonsense\n", "line 2 is no JSON"),
        (b"{}\n[]\n", "line 2 is no JSON object"),
        (b"{}\n{}\n", "line 1 does not say feem-evidence/1"),
    ],
)
def test_what_is_no_evidence_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    file = tmp_path / "other"
    file.write_bytes(content)
    with pytest.raises(Problem, match=said):
        run("replay", str(file))
    with pytest.raises(Problem, match="No such file"):
        run("replay", str(tmp_path / "missing"))
