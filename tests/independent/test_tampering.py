"""Every kind of tampering against every verifier; the table says which entry each of them named."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from typer.testing import CliRunner

from feem.cli.app import app
from feem.cli.problem import Problem
from tests.independent.sampledocuments import Published, sample
from tests.independent.samplefiles import files_of, write_zip
from tests.independent.tampering import KINDS, tried
from tests.independent.tampering_ends import append, subject_of
from tests.independent.tampering_kinds import Context, Tampering
from tests.independent.tampering_report import runs
from tests.independent.verifier import judge
from tests.independent.verifier_reports import ENDED

DOCUMENT = Path(__file__).parents[2] / "docs" / "tampering.md"
COMMAND = "FEEM_WRITE_TABLE=1 .venv/bin/python -m pytest tests/independent/test_tampering.py"
HEAD = f"""# Tampering with the audit log

Each row was done to a copy of a log, bundle, proof, evidence pack or report of a game day (*report*), and given to two
verifiers: FEEM's, and an independent one ([tests/independent](../tests/independent)) that shares no code with FEEM and was
written from the public specifications and [audit-format.md](audit-format.md). *Entry* is the first bad entry that the verifier
names, `-` when the fault is not at one entry. *Keys* says that the attacker has the log's own signing keys, so that every hash
and signature is right and only the meaning, or what somebody kept, can show it. *Held* is a directory together with an earlier
checkpoint that an auditor kept.

Made anew by `{COMMAND}`.

"""
Verifier = Callable[[str, Path, str, bytes | None], tuple[bool, int | None]]
"""Judges a `directory`, `bundle`, `pack`, `report` or `proof` at a path (its entry lies beside it, with suffix .json), with
trusted keys and a held checkpoint. Returns whether it verifies, and the first bad index."""


def independent_verdict(kind: str, path: Path, keys: str, held: bytes | None) -> tuple[bool, int | None]:
    verdict = judge(kind, path, keys, held=held)
    return verdict.ok, verdict.index


def own_verdict(kind: str, path: Path, keys: str, held: bytes | None) -> tuple[bool, int | None]:
    """Ask FEEM's own command, as an auditor would; it tells the kinds apart by itself."""
    given = {"keys": keys.encode(), "held": held or b"", "entry": b""}
    if kind == "proof":
        given["entry"] = path.with_suffix(".json").read_bytes()
    with TemporaryDirectory() as folder:
        command = ["audit", "verify", str(path)]
        for name, data in given.items():
            if data or (name, kind) == ("entry", "proof"):
                (Path(folder) / name).write_bytes(data)
                command += [f"--{name}", str(Path(folder) / name)]
        answer = CliRunner().invoke(app, command)
    assert answer.exception is None or isinstance(answer.exception, SystemExit | Problem), answer.output
    named = re.search(r"first at entry (\d+)", " ".join(answer.output.split()))
    return answer.exit_code == 0, int(named[1]) if named else None


VERIFIERS: dict[str, Verifier] = {"independent": independent_verdict, "feem": own_verdict}
"""By the name that stands above their columns in the table."""


class Table:
    """What each verifier said of each kind of tampering."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, tuple[bool, int | None]]] = {}

    def text(self) -> str:
        verdicts = [cell for name in VERIFIERS for cell in (name, "entry")]
        rows = [("tampering", "with", "keys", *verdicts)]
        rows.append(tuple("---" for _ in rows[0]))
        there = [kind for kind in KINDS if kind.name in self.found]
        rows += [(kind.name, kind.kind, "yes" if kind.needs_keys else "", *self._cells(kind.name)) for kind in there]
        return "\n".join(f"| {' | '.join(row)} |" for row in rows)

    def _cells(self, name: str) -> Iterator[str]:
        for verifier in VERIFIERS:
            ok, index = self.found[name].get(verifier, (True, None))
            yield "accepted" if ok else "rejected"
            yield "-" if index is None else str(index)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return sample(tmp_path_factory.mktemp("sample"))


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    found = Table()
    yield found
    print(f"\n{found.text()}\n{len(found.found)} kinds of tampering")
    if os.environ.get("FEEM_WRITE_TABLE"):
        DOCUMENT.write_text(f"{HEAD}{found.text()}\n\n{len(found.found)} kinds of tampering.\n", encoding="utf-8")


@pytest.mark.parametrize("judged", [independent_verdict, own_verdict])
def test_accepts_what_nobody_tampered_with(published: Published, judged: Verifier) -> None:
    held = published.held.read_bytes()
    assert judged("directory", published.directory, published.keys, held) == (True, None)
    assert judged("bundle", published.bundle, published.keys, held) == (True, None)
    assert judged("pack", published.pack, published.keys, None) == (True, None)
    assert judged("report", published.report, published.keys, None) == (True, None)
    assert judged("proof", published.proof, published.keys, None) == (True, None)


@pytest.mark.parametrize("judged", [independent_verdict, own_verdict])
def test_accepts_a_run_whose_end_was_told_once_more(published: Published, tmp_path: Path, judged: Verifier) -> None:
    """One record that tells the run as it is here is enough: an operator that starts again may write its end twice."""
    path = tmp_path / "again.zip"
    shutil.copyfile(published.report, path)
    about = runs(path)[1]
    context = Context(published, published.held, published.entry)
    append(path, context, action=ENDED, part="Fact", subject=subject_of(about), evidence=f"sha256:{'0' * 64}")
    assert judged("report", path, published.keys, None) == (True, None)


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_rejects(published: Published, table: Table, tmp_path: Path, kind: Tampering, verifier: str) -> None:
    case = tried(kind, published, tmp_path)
    found = VERIFIERS[verifier](case.kind, case.path, published.keys, case.held)
    table.found.setdefault(kind.name, {})[verifier] = found
    assert found == (False, case.index)
    if case.kind == "directory":
        archive = tmp_path / "same.zip"
        write_zip(archive, files_of(case.path))
        assert VERIFIERS[verifier]("bundle", archive, published.keys, case.held) == found, "as a bundle"


def test_there_are_enough_kinds() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS) >= 36
