"""`feem chaos`: runs are begun, followed and stopped in one's own name, all chaos is halted and resumed, a game day is reported."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from feem.cli.app import app
from feem.cli.chaos import begin as begin_module
from feem.cli.chaos import following, halting
from feem.cli.chaos import listing as listing_module
from feem.cli.chaos import reporting as report_module
from feem.cli.chaos.acts import EXPERIMENTS, HALTS, RUNS
from feem.cli.chaos.server import connect_to_edit
from feem.cli.problem import Denied, Forbidden, NotFound, Problem, Unreachable
from feem.core.audit.entry import entry_bytes
from feem.core.tlog.layout import Layout
from tests.cli.fake import Body, FakeCluster
from tests.cli.test_cluster import ANSWERS, SEEN, Handler, write
from tests.view.chaos import bodies as at
from tests.view.chaos.log import SignedLog

NAME = "lose-a-pod-x7k2p"


class Chaos(FakeCluster):
    """With the verbs that stopping takes; `looks` is what each look at runs finds, the last one for ever."""

    def __init__(self) -> None:
        super().__init__(user="mei")
        self.now = at.NOW
        self.looks: list[list[Body] | Problem] = []
        self.merged: list[Body] = []

    def _next(self) -> None:
        """Let the operator have worked meanwhile."""
        if not self.looks:
            return
        found = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(found, Problem):
            raise found
        for key in [key for key in self.objects if key[0] == RUNS]:
            del self.objects[key]
        self.add(RUNS, *found)

    def get(self, resource: str, namespace: str, name: str) -> Body:
        if resource == RUNS:
            self._next()
        return super().get(resource, namespace, name)

    def list(self, resource: str, namespace: str = "", selector: str = "") -> Iterator[Body]:
        if resource == RUNS:
            self._next()
        return super().list(resource, namespace, selector)

    def merge(self, resource: str, namespace: str, name: str, patch: Body) -> Body:
        self._refuse(f"patch {resource}")
        self.merged.append(patch)
        body = self.objects[resource, namespace, name]
        self.add(resource, {**body, "spec": {**body["spec"], **patch["spec"]}})
        return self.objects[resource, namespace, name]

    def delete(self, resource: str, namespace: str, name: str) -> None:
        self._refuse(f"delete {resource}")
        if self.objects.pop((resource, namespace, name), None) is None:
            raise NotFound(f"ChaosHalt {name}", "there is no such object")


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Chaos:
    fake = Chaos()
    fake.add(EXPERIMENTS, at.experiment(status=at.accepted()))
    for module in (begin_module, listing_module, report_module):
        monkeypatch.setattr(module, "connect", lambda *_: fake)
    monkeypatch.setattr(halting, "connect_to_edit", lambda *_: fake)
    monkeypatch.setattr(following, "INTERVAL", 0)
    monkeypatch.setattr(halting, "INTERVAL", 0)
    return fake


def run(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["chaos", *words], catch_exceptions=False)
    return done.exit_code, done.output


def lines(out: str) -> list[str]:
    """What was said about the run, without the time."""
    return [line[9:] for line in out.splitlines() if line[2:3] == ":" and line[5:6] == ":"]


def under_way(state: str = "Running", fault: str = "InPlace", said: str = "", **status: Any) -> Body:
    return at.run(NAME, conditions=at.states(state, fault, said=said), **status)


PLANNED: Body = {"plannedAt": at.stamp(300), "expiresAt": at.stamp(120), "edits": [at.evict("a"), at.evict("b")]}
INJECTED: Body = {**PLANNED, "injectedAt": at.stamp(298)}


# -- run ----------------------------------------------------------------------------------------------------------------


def test_a_run_is_created_in_ones_own_name_and_followed_to_its_end(cluster: Chaos) -> None:
    seen = {**INJECTED, "effect": {"before": "3", "during": "1", "seenAt": at.stamp(295)}}
    cluster.looks = [
        [at.run(NAME)],
        [under_way("Checking", "NotYet", "objectives have held for 15 of 60 s")],
        [under_way("Checking", "NotYet", "objectives have held for 30 of 60 s")],
        [under_way("Planned", "NotYet", **PLANNED)],
        [under_way(**seen, during=[at.verdict("Inconclusive")])],
        [at.passed()],
    ]
    code, out = run("run", "lose-a-pod", "-r", "quarterly game day")
    assert code == 0
    created = cluster.created[0]
    assert created["spec"] == {
        "experiment": "lose-a-pod", "track": "Stable", "requestedBy": "mei", "reason": "quarterly game day",
    }  # fmt: skip
    assert created["metadata"]["name"] == NAME
    assert out.splitlines()[0] == f"ChaosRun lending/{NAME} was created by mei."
    assert lines(out) == [
        "checking: objectives have held for 15 of 60 s",
        "planned: evict Pod lending/a, Pod lending/b; taken back at 03:28:00 UTC at the latest",
        "injected: all of the fault is in place",
        "effect seen: 3 before, 1 now",
        "objective credit-answers during: Inconclusive: 1 of 900 bad (0.11%); the objective allows 1%",
        "running",
        "objective credit-answers before: Pass: 1 of 900 bad (0.11%); the objective allows 1%",
        "objective credit-answers during: Pass: 1 of 900 bad (0.11%); the objective allows 1%",
        "undone after 60 s in place",
        "effect gone",
        "objective credit-answers after: Pass: 1 of 900 bad (0.11%); the objective allows 1%",
        "recovered 14 s after the undo",
        "Passed (HypothesisHeld): all objectives held before, during and after the fault",
    ]
    assert out.splitlines()[-1] == f"For the record: feem chaos report {NAME} -n lending"


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (at.passed(NAME), 0, "Passed (HypothesisHeld)"),
        (at.failed(NAME), 1, "next: a resilience gap: mend it, run again"),
        (at.ended(NAME, "Aborted", "Stopped", "li stopped it: lunch"), 3, "Aborted (Stopped): li stopped it: lunch"),
        (at.skipped(NAME), 3, "next: wait for its end: feem windows --for credit-check"),
        (at.left_over(NAME), 4, "LEFT: /spec/replicas of Deployment lending/credit-check is still what"),
    ],
)
def test_the_exit_code_tells_the_result(cluster: Chaos, body: Body, code: int, said: str) -> None:
    cluster.looks = [[body]]
    found, out = run("run", "lose-a-pod")
    assert found == code
    assert any(line.startswith(said) for line in lines(out)), out


def test_without_waiting_it_says_how_to_see_more(cluster: Chaos) -> None:
    code, out = run("run", "lose-a-pod", "--no-wait")
    assert code == 0
    assert f"kubectl get chaosrun {NAME} -n lending --watch" in out
    assert [request for request in cluster.requests if RUNS in request] == []


def test_a_run_that_is_not_over_in_time_is_a_problem_with_the_way_to_stop_it(cluster: Chaos) -> None:
    cluster.looks = [[under_way(said="the fault is in place", **INJECTED)]]
    with pytest.raises(Problem, match="it was not over after 0s: Running, the fault is in place") as told:
        run("run", "lose-a-pod", "--timeout", "0.001")
    assert f'feem chaos stop {NAME} -n lending --reason "…"' in told.value.next_step


def test_an_interruption_only_stops_the_following(cluster: Chaos, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(begin_module, "follow", interrupted)
    code, out = run("run", "lose-a-pod")
    assert code == 130
    assert f'The run goes on. To stop it: feem chaos stop {NAME} -n lending --reason "…"' in out
    assert cluster.merged == []


def test_a_server_that_is_away_is_waited_for_and_a_deleted_run_is_a_problem(cluster: Chaos) -> None:
    away = Unreachable("API server", "connection refused")
    cluster.looks = [[under_way(**INJECTED)], away, away, [at.passed()]]
    code, out = run("run", "lose-a-pod")
    assert (code, out.count("connection refused; trying again")) == (0, 1)
    cluster.looks = [[under_way(**INJECTED)], []]
    with pytest.raises(Problem, match="it was deleted meanwhile"):
        run("run", "lose-a-pod")


def test_what_cannot_be_tried_is_not_created(cluster: Chaos) -> None:
    with pytest.raises(NotFound, match="ChaosExperiment lending/other") as told:
        run("run", "other")
    assert told.value.next_step == "feem chaos list -n lending"
    cluster.add(EXPERIMENTS, at.experiment("odd", status=at.accepted(ok=False)))
    with pytest.raises(Problem, match="it cannot be used: ServiceLevelObjective credit-answers does not exist"):
        run("run", "odd")
    assert cluster.created == []
    cluster.add(EXPERIMENTS, at.experiment("odd", status=at.accepted(ok=False, generation=1)))  # edited since
    assert run("run", "odd", "--no-wait")[0] == 0


@pytest.mark.parametrize(
    ("refusal", "step"),
    [
        (
            Forbidden("chaosruns", "you cannot create them", "ask"),
            "kubectl auth can-i create chaosruns.feem.dev -n lending",
        ),
        (Denied("chaosruns", "requestedBy must be you", policy="feem-chaos"), "ask who owns policy feem-chaos"),
    ],
)
def test_who_may_not_run_is_told_which_right_it_takes(cluster: Chaos, refusal: Problem, step: str) -> None:
    cluster.refusals[f"create {RUNS}"] = refusal
    with pytest.raises(type(refusal), match="run of ChaosExperiment lending/lose-a-pod by mei") as told:
        run("run", "lose-a-pod")
    assert step in told.value.next_step


# -- list ---------------------------------------------------------------------------------------------------------------


def test_experiments_runs_and_halts_are_listed(cluster: Chaos) -> None:
    cluster.add(
        EXPERIMENTS,
        at.experiment(
            "nightly",
            schedule={"cron": "0 10 * * 1-5", "timeZone": "Asia/Shanghai"},
            status=at.accepted(nextRunAt="2026-11-25T02:00:00Z", lastResult="Passed", lastPassedAt=at.stamp(7200)),
        ),
        at.experiment("odd", state="Suspended", status=at.accepted(ok=False)),
    )
    cluster.add(HALTS, at.halt("halt-a", "lending", "scoring"), at.halt("halt-b", "scoring"))
    cluster.add(RUNS, *at.game_day(), under_way(**INJECTED))
    found = list(listing_module.told(cluster, "lending", at.NOW))
    assert found[0] == (
        "HALTED in lending, scoring by mei 12m ago (halt-a): payments incident. To go on: feem chaos resume halt-a"
    )
    assert "halt-b" not in "\n".join(found)
    experiments = {line.split()[0]: " ".join(line.split()) for line in found[2].splitlines()[1:]}
    assert experiments["nightly"] == (
        "nightly credit-check PodKill 0 10 * * 1-5 Asia/Shanghai Wed 10:00 Asia/Shanghai Passed 2h ago Active"
    )
    assert experiments["lose-a-pod"] == "lose-a-pod credit-check PodKill by hand never Active"
    assert experiments["odd"].endswith("ObjectiveMissing: ServiceLevelObjective credit-answers does not exist")
    runs = [" ".join(line.split()) for line in found[4].splitlines()[1:]]
    assert runs[0] == f"{NAME} lose-a-pod Running InPlace mei 6m40s"
    assert [line.split()[0] for line in runs[1:]] == ["slow-bureau-q1w2e", "lose-a-pod-s9k1d", "few-pods-e5r5o"]
    assert "slow-bureau-q1w2e slow-bureau Ended Undone Failed ObjectiveBreached mei 15m5s" in runs


def test_everywhere_has_a_column_for_the_namespace_and_all_halts(cluster: Chaos) -> None:
    cluster.add(HALTS, at.halt("halt-b", "scoring"))
    cluster.add(RUNS, at.passed())
    code, out = run("list", "-A")
    assert code == 0
    assert out.startswith("HALTED in scoring by mei")
    assert [line.split()[0] for line in out.splitlines() if line.startswith(("NAMESPACE", "lending"))] == [
        "NAMESPACE", "lending", "NAMESPACE", "lending",
    ]  # fmt: skip


def test_who_may_not_see_halts_is_told_that_they_are_not_known(cluster: Chaos) -> None:
    cluster.forbid(f"list {HALTS}")
    cluster.objects.clear()
    code, out = run("list")
    assert code == 0
    assert "it is not known here whether chaos is halted" in out
    assert "No experiments in namespace lending." in out
    assert "No runs in namespace lending." in out


# -- stop and resume ----------------------------------------------------------------------------------------------------


def test_a_stopped_run_is_waited_for_until_its_fault_is_gone(cluster: Chaos) -> None:
    body = under_way(**INJECTED)
    undone = under_way("Recovering", "Undone", **INJECTED, undoneAt=at.stamp(0), kept=["/spec/replicas was changed"])
    cluster.looks = [[body], [body], [undone]]
    code, out = run("stop", NAME, "--reason", "customers complain")
    assert code == 0
    assert cluster.merged == [{"spec": {"stop": {"by": "mei", "reason": "customers complain"}}}]
    assert out.splitlines()[0] == f"ChaosRun lending/{NAME} is stopped by mei."
    assert out.splitlines()[1].startswith("The fault is gone, and nothing of it is left, after 0.")
    assert out.splitlines()[2] == "Left as somebody else wrote it meanwhile: /spec/replicas was changed"


def test_a_stop_that_another_asked_for_is_waited_for_and_one_too_late_is_told(cluster: Chaos) -> None:
    asked = under_way(**INJECTED)
    asked["spec"]["stop"] = {"by": "li", "reason": "lunch"}
    cluster.looks = [[asked], [under_way("Recovering", "Undone", **INJECTED, undoneAt=at.stamp(0))]]
    code, out = run("stop", NAME, "-r", "enough")
    assert code == 0
    assert "is stopped by li, who asked for it before mei." in out
    cluster.looks = [[at.passed()]]
    assert run("stop", NAME, "-r", "enough") == (
        0, f"ChaosRun lending/{NAME} is over already: Passed (HypothesisHeld). Nothing was to be stopped.\n",
    )  # fmt: skip
    assert cluster.merged == []


def test_residue_and_a_fault_that_stays_are_problems(cluster: Chaos) -> None:
    cluster.looks = [[under_way(**INJECTED)], [at.left_over(NAME)]]
    with pytest.raises(Problem, match="something of the fault is left: /spec/replicas") as told:
        run("stop", NAME, "-r", "enough")
    assert "status.edits has what was before" in told.value.next_step
    cluster.looks = [[under_way(**INJECTED)]]
    with pytest.raises(Problem, match="the fault of lending/lose-a-pod-x7k2p was not taken back yet") as told:
        run("stop", NAME, "-r", "enough", "--timeout", "1")
    assert "the reaper takes it back from 03:28:00 UTC on" in told.value.next_step
    cluster.looks = [[at.run(NAME)]]
    with pytest.raises(
        Problem, match=r"FEEM did not end lending/lose-a-pod-x7k2p within 1s; nothing was injected so far"
    ):
        run("stop", NAME, "-r", "enough", "--timeout", "1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stop", "-r", "x"], "it needs a RUN or --all, and not both"),
        (["stop", NAME, "--all", "-r", "x"], "it needs a RUN or --all, and not both"),
        (["stop", NAME, "--namespaces", "a", "-r", "x"], "it says where --all counts"),
        (["stop", NAME, "-r", " "], "the audit log needs a reason"),
        (["stop", "--all", "-r", ""], "the audit log needs a reason"),
        (["stop", "--all", "-r", "x", "--namespaces", "Not_A_Name"], "--namespaces"),
        (["stop", "nobody", "-r", "x"], "there is no such object"),
        (["resume", "halt-none"], "ChaosHalt halt-none: there is no such object"),
    ],
)
def test_what_cannot_be_stopped_is_said(cluster: Chaos, words: list[str], said: str) -> None:
    cluster.add(RUNS, under_way(**INJECTED))
    with pytest.raises(Problem, match=said):
        run(*words)
    assert cluster.created == cluster.merged == []


def test_all_chaos_is_halted_and_waited_for(cluster: Chaos) -> None:
    one, two = under_way(**INJECTED), under_way(**PLANNED)
    two["metadata"] = {**two["metadata"], "name": "other-1", "uid": "u2"}
    done = [at.passed(), at.ended("other-1", "Aborted", "Halted", "all chaos was stopped by mei")]
    cluster.looks = [[one, two], [one, two], [at.passed(), two], done, [one], done]  # one was just about to begin
    code, out = run("stop", "--all", "-r", "payments incident")
    assert code == 0
    assert cluster.created[0]["spec"] == {"reason": "payments incident", "by": "mei"}
    assert cluster.created[0]["metadata"]["name"] == "halt-x7k2p"
    said = out.splitlines()
    assert said[0] == "ChaosHalt halt-x7k2p is in force in the whole cluster: no run begins, every fault is taken back."
    assert said[1].startswith("2 runs had a fault in place; none has one now, after ")
    assert said[2] == "To let chaos go on: feem chaos resume halt-x7k2p"


def test_a_halt_of_some_namespaces_waits_for_those_alone(cluster: Chaos) -> None:
    cluster.add(RUNS, under_way(**INJECTED))
    code, out = run("stop", "--all", "-r", "incident", "--namespaces", "scoring, payments")
    assert code == 0
    assert cluster.created[0]["spec"]["namespaces"] == ["scoring", "payments"]
    assert "no run had a fault in place; none has one now" in out
    with pytest.raises(Problem, match=r"after 1s the fault of lending/lose-a-pod-x7k2p was not taken back yet") as told:
        run("stop", "--all", "-r", "incident", "--namespaces", "lending", "--timeout", "1")
    assert "feem chaos resume halt-x7k2p" in told.value.next_step


def test_a_halt_by_somebody_who_sees_no_runs_is_in_force_all_the_same(cluster: Chaos) -> None:
    cluster.forbid(f"list {RUNS}")
    with pytest.raises(Forbidden, match="the halt is in force, but you may not see the runs") as told:
        run("stop", "--all", "-r", "incident")
    assert "feem chaos resume halt-x7k2p" in told.value.next_step
    assert len(cluster.created) == 1


def test_resuming_deletes_the_halt_and_names_those_that_are_left(cluster: Chaos) -> None:
    cluster.add(HALTS, at.halt("halt-a"), at.halt("halt-b"))
    assert run("resume", "halt-a") == (
        0, "ChaosHalt halt-a is gone: runs may begin again. Other halts are still in force: halt-b.\n",
    )  # fmt: skip
    assert run("resume", "halt-b") == (0, "ChaosHalt halt-b is gone: runs may begin again.\n")


@pytest.mark.parametrize(
    ("words", "request_", "right"),
    [
        (["stop", NAME, "-r", "x"], f"patch {RUNS}", "kubectl auth can-i patch chaosruns.feem.dev -n lending"),
        (["stop", "--all", "-r", "x"], f"create {HALTS}", "kubectl auth can-i create chaoshalts.feem.dev"),
        (["resume", "halt-a"], f"delete {HALTS}", "kubectl auth can-i delete chaoshalts.feem.dev"),
    ],
)
def test_who_may_not_is_told_which_right_it_takes(cluster: Chaos, words: list[str], request_: str, right: str) -> None:
    cluster.add(RUNS, under_way(**INJECTED))
    cluster.add(HALTS, at.halt("halt-a"))
    cluster.forbid(request_)
    with pytest.raises(Forbidden) as told:
        run(*words)
    assert right in told.value.next_step


# -- report -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def log(cluster: Chaos) -> SignedLog:
    """A game day that is in the log."""
    signed = SignedLog(at.game_day())
    cluster.add(RUNS, *at.game_day())
    cluster.add("auditrecords.feem.dev", *signed.records)
    cluster.add("auditlogs.feem.dev", signed.auditlog)
    return signed


def keys_of(log: SignedLog, folder: Path) -> str:
    path = folder / "keys.txt"
    path.write_text("\n".join(log.keys), encoding="utf-8")
    return str(path)


def verified(file: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["audit", "verify", str(file), *words], catch_exceptions=False)
    return done.exit_code, done.output


def test_a_game_day_is_reported_and_proven(cluster: Chaos, log: SignedLog, tmp_path: Path) -> None:
    file = tmp_path / "gameday.zip"
    code, out = run("report", "--since", "7d", "-o", str(file))
    assert code == 0
    assert f"Check it anywhere with: feem audit verify {file} --keys KEYS" in out
    assert "NOT PROVEN" not in out
    code, out = verified(file, "--keys", keys_of(log, tmp_path))
    assert code == 0
    assert out.startswith(f"Verified game day report {file}: 20 records of 4 chaos runs.\n")
    with zipfile.ZipFile(file) as archive:
        names = set(archive.namelist())
        figures = json.loads(archive.read("report.json"))
    assert {f"runs/lending/{body['metadata']['name']}.json" for body in at.game_day()} <= names
    assert {"README.md", "report.html", "report.json", "checkpoint", "keys.txt", "pack.json"} <= names
    assert figures["totals"]["results"] == {"Error": 1, "Failed": 1, "Passed": 1, "Skipped": 1}
    assert (figures["totals"]["residue"], figures["totals"]["longestUndoSeconds"]) == (1, 1.5)


def test_named_runs_alone_are_reported(cluster: Chaos, log: SignedLog, tmp_path: Path) -> None:
    file = tmp_path / "one.zip"
    assert run("report", NAME, NAME, "-o", str(file))[0] == 0
    code, out = verified(file, "--keys", keys_of(log, tmp_path))
    assert code == 0
    assert "7 records of 1 chaos run.\n" in out
    with zipfile.ZipFile(file) as archive:
        assert [name for name in archive.namelist() if name.startswith("runs/")] == [f"runs/lending/{NAME}.json"]


def test_the_default_name_says_the_day(
    cluster: Chaos, log: SignedLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("report", NAME)[0] == 0
    assert (tmp_path / "gameday-2026-11-24.zip").is_file()


@pytest.mark.parametrize("why", ["unsigned", "no keys", "forbidden"])
def test_without_the_signed_log_it_says_that_nothing_is_proven(
    cluster: Chaos, log: SignedLog, tmp_path: Path, why: str
) -> None:
    body = cluster.objects["auditlogs.feem.dev", "", "feem"]
    if why == "unsigned":
        del cluster.objects["auditlogs.feem.dev", "", "feem"]
    elif why == "no keys":
        body["status"]["checkpoint"] = ""
    else:
        cluster.forbid("list auditrecords.feem.dev")
    file = tmp_path / "gameday.zip"
    code, out = run("report", "--since", "7d", "-o", str(file))
    assert code == 0
    assert "NOT PROVEN: " in out
    with zipfile.ZipFile(file) as archive:
        assert "NOT PROVEN" in archive.read("report.html").decode()
        assert "NOT PROVEN" in archive.read("README.md").decode()
        figures = json.loads(archive.read("report.json"))
    assert figures["totals"]["runs"] == 4
    assert figures["totals"]["longestUndoSeconds"] == (None if why == "forbidden" else 1.5)
    for words in ((), ("--keys", keys_of(log, tmp_path))):
        code, out = verified(file, *words)
        assert code == 1
        assert "it was made without the signed log: nothing in it is proven" in out


def test_entries_that_have_left_the_cluster_are_taken_from_the_published_log(
    cluster: Chaos, log: SignedLog, tmp_path: Path
) -> None:
    del cluster.objects["auditrecords.feem.dev", "", "000000000000"]
    file, published = tmp_path / "gameday.zip", tmp_path / "log"
    with pytest.raises(Problem, match="it is not in the cluster") as told:
        run("report", "--since", "7d", "-o", str(file))
    assert "give the directory with --from" in told.value.next_step
    layout = Layout()
    tiles = [tile for entry in log.entries for tile in layout.add(entry_bytes(entry))]
    note = log.auditlog["status"]["checkpoint"].encode()
    for name, data in (*tiles, *layout.finish(), ("checkpoint", note), ("keys.txt", "\n".join(log.keys).encode())):
        (published / name).parent.mkdir(parents=True, exist_ok=True)
        (published / name).write_bytes(data)
    assert run("report", "--since", "7d", "-o", str(file), "--from", str(published))[0] == 0
    assert verified(file, "--keys", keys_of(log, tmp_path))[0] == 0
    (published / "checkpoint").write_bytes(b"")
    with pytest.raises(Problem, match="the published log"):
        run("report", NAME, "-o", str(file), "--from", str(published))


def test_a_run_that_was_edited_after_its_end_is_found(cluster: Chaos, log: SignedLog, tmp_path: Path) -> None:
    body = cluster.objects[RUNS, "lending", "slow-bureau-q1w2e"]
    body["status"]["during"] = [at.verdict("Pass", 1, 400)]
    with pytest.raises(Problem, match="it is not as it was when it ended: entry") as told:
        run("report", "--since", "7d", "-o", str(tmp_path / "x.zip"))
    assert told.value.what == "ChaosRun lending/slow-bureau-q1w2e"
    assert not (tmp_path / "x.zip").exists()


def test_a_stop_that_somebody_asks_for_after_the_end_changes_nothing(
    cluster: Chaos, log: SignedLog, tmp_path: Path
) -> None:
    cluster.objects[RUNS, "lending", NAME]["spec"]["stop"] = {"by": "li", "reason": "too late"}
    assert run("report", NAME, "-o", str(tmp_path / "x.zip"))[0] == 0


def test_an_end_that_is_not_signed_yet_asks_for_patience(cluster: Chaos, log: SignedLog, tmp_path: Path) -> None:
    cluster.add(RUNS, at.ended("later-abcde", "Passed", "HypothesisHeld", "held"))
    with pytest.raises(Problem, match="its end is not covered by the signed checkpoint yet") as told:
        run("report", "later-abcde", "-o", str(tmp_path / "x.zip"))
    assert "try again in a few seconds" in told.value.next_step


def test_a_log_that_is_not_the_signed_one_is_refused(cluster: Chaos, log: SignedLog, tmp_path: Path) -> None:
    cluster.objects["auditrecords.feem.dev", "", "000000000001"]["spec"]["message"] = "another"
    with pytest.raises(Problem, match="they do not give the root of the signed checkpoint"):
        run("report", NAME, "-o", str(tmp_path / "x.zip"))


def test_runs_under_way_are_left_out_or_refused(cluster: Chaos, log: SignedLog, tmp_path: Path) -> None:
    going = under_way(**INJECTED)
    going["metadata"] = {**going["metadata"], "name": "going-1"}
    cluster.add(RUNS, going)
    code, out = run("report", "--since", "7d", "-o", str(tmp_path / "x.zip"))
    assert code == 0
    assert "Left out, for they are not over yet: going-1" in out
    with pytest.raises(Problem, match="it is not over yet") as told:
        run("report", "going-1")
    assert told.value.next_step == "feem chaos stop going-1 -n lending"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["report"], "it needs either RUNs or --since"),
        (["report", NAME, "--since", "7d"], "it needs either RUNs or --since"),
        (["report", NAME, "-A"], "it needs either RUNs or --since"),
        (["report", "--since", "tomorrow"], "--since 'tomorrow': it is not a time span"),
        (["report", "--since", "1m"], "no chaos run has ended in it in the last 1m"),
        (["report", "nobody"], "there is no such object"),
        (["report", NAME, "-o", "/nowhere/x.zip"], "No such file"),
    ],
)
def test_what_cannot_be_reported_is_said(cluster: Chaos, log: SignedLog, words: list[str], said: str) -> None:
    with pytest.raises(Problem, match=said):
        run(*words)


def test_every_verb_is_documented_with_its_options() -> None:
    code, out = run("--help")
    assert code == 0
    for verb in ("run", "list", "stop", "resume", "report"):
        assert verb in out


# -- the API server -----------------------------------------------------------------------------------------------------


class Editor(Handler, BaseHTTPRequestHandler):
    def do_PATCH(self) -> None:
        SEEN.append(("Content-Type", str(self.headers["Content-Type"]), None))
        self.do_POST()

    def do_DELETE(self) -> None:
        self.do_GET()


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Iterator[str]:
    ANSWERS.clear()
    SEEN.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Editor)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield str(write(tmp_path, f"http://127.0.0.1:{server.server_port}"))
    server.shutdown()
    server.server_close()
    thread.join()


def test_runs_are_patched_and_halts_deleted_over_http(kubeconfig: str) -> None:
    server = connect_to_edit(kubeconfig, None, None)
    run_path = f"/apis/feem.dev/v1alpha1/namespaces/lending/chaosruns/{NAME}"
    halt_path = "/apis/feem.dev/v1alpha1/chaoshalts/halt-a"
    ANSWERS.update({run_path: (200, at.passed()), halt_path: (200, {"kind": "Status"})})
    patch = {"spec": {"stop": {"by": "mei", "reason": "enough"}}}
    assert server.merge(RUNS, "lending", NAME, patch) == at.passed()
    server.delete(HALTS, "", "halt-a")
    merged = [("Content-Type", "application/merge-patch+json", None), ("PATCH", run_path, patch)]
    assert [*merged, ("DELETE", halt_path, None)] == SEEN
    assert server.get(RUNS, "lending", NAME) == at.passed()


def test_what_the_api_server_refuses_is_told_with_the_object(kubeconfig: str) -> None:
    server = connect_to_edit(kubeconfig, None, None)
    path = f"/apis/feem.dev/v1alpha1/namespaces/lending/chaosruns/{NAME}"
    ANSWERS[path] = (422, {"message": "a ChaosRun is immutable but for stop"})
    with pytest.raises(Problem, match=f"ChaosRun lending/{NAME}: a ChaosRun is immutable but for stop"):
        server.merge(RUNS, "lending", NAME, {})
    with pytest.raises(NotFound, match="ChaosHalt halt-b"):
        server.delete(HALTS, "", "halt-b")
