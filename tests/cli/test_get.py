from __future__ import annotations

from typing import Any

import pytest
from typer.testing import CliRunner

from feem.cli.app import app
from feem.cli.gathering import Gathering
from feem.cli.get import wanted
from feem.cli.problem import Forbidden, NotFound, Problem
from tests.cli.fake import FakeCluster
from tests.view import bodies as at


def run(*words: str) -> str:
    result = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    ("words", "kind", "name"),
    [
        ([], "release", ""),
        (["rel"], "release", ""),
        (["services"], "service", ""),
        (["release", "limit-scoring-4"], "release", "limit-scoring-4"),
        (["rel/limit-scoring-4"], "release", "limit-scoring-4"),
        (["msvc", "limit-scoring"], "service", "limit-scoring"),
        (["limit-scoring"], "", "limit-scoring"),
    ],
)
def test_words_are_understood_as_kubectl_users_type_them(words: list[str], kind: str, name: str) -> None:
    assert wanted(words) == (kind, name)


@pytest.mark.parametrize("words", [["pods", "x"], ["release", "a", "b"]])
def test_other_words_are_answered_with_the_right_ones(words: list[str]) -> None:
    with pytest.raises(Problem, match=r"feem get \[release\|service\] \[NAME\]"):
        wanted(words)


def test_all_releases_are_a_table(cluster: FakeCluster) -> None:
    header, row = run("get").splitlines()
    assert header.split()[:4] == ["NAME", "SERVICE", "STEP", "STATE"]
    assert row.startswith("limit-scoring-4   limit-scoring   2/3 at 50%   Baking")
    assert "release-pipeline" in row


def test_all_namespaces_name_them(cluster: FakeCluster) -> None:
    cluster.namespace = "elsewhere"
    assert run("get", "-A").splitlines()[1].startswith("lending     limit-scoring-4")


def test_an_empty_namespace_says_so(cluster: FakeCluster) -> None:
    cluster.namespace = "elsewhere"
    assert run("get") == "No releases in namespace elsewhere.\n"


def test_services_are_a_table(cluster: FakeCluster) -> None:
    header, row = run("get", "services").splitlines()
    assert header.split() == ["NAME", "DEPLOYMENT", "READY", "HOLD", "PROFILE", "RELEASE", "AGE"]
    assert row.split()[:5] == ["limit-scoring", "limit-scoring", "Governed", "AdmissionPolicy", "none"]


@pytest.mark.parametrize("words", [("limit-scoring",), ("limit-scoring-4",), ("rel", "limit-scoring-4")])
def test_a_name_is_a_tree_without_padding(cluster: FakeCluster, words: tuple[str, ...]) -> None:
    out = run("get", *words)
    assert out.startswith("limit-scoring-4  (lending)  Baking, step 2/3 at 50%\n")
    assert "└── Objectives" in out
    assert all(line == line.rstrip() for line in out.splitlines())


def test_a_service_shows_its_conditions_and_its_newest_release(cluster: FakeCluster) -> None:
    out = run("get", "service", "limit-scoring")
    assert "ready  Governed" in out
    assert "hold   AdmissionPolicy" in out
    assert "limit-scoring-4  (lending)  Baking" in out


def test_a_service_without_a_release_says_how_to_get_one(cluster: FakeCluster) -> None:
    cluster.add("managedservices.feem.dev", at.service(newest=""))
    with pytest.raises(NotFound, match="it has no release yet") as problem:
        run("get", "limit-scoring")
    assert problem.value.next_step == "change the pod template of Deployment limit-scoring"


def test_an_unknown_name_is_named_with_the_next_step(cluster: FakeCluster) -> None:
    with pytest.raises(NotFound) as problem:
        run("explain", "nope")
    assert str(problem.value) == (
        "error: lending/nope: there is neither a Release nor a ManagedService of this name\n"
        "  next: kubectl get releases,managedservices -n lending"
    )


def test_explain_speaks_in_sentences(cluster: FakeCluster) -> None:
    out = run("explain", "limit-scoring")
    assert out.startswith("release-pipeline changed Deployment limit-scoring in lending")
    assert "You can:" in out


def entry(index: int, release: str) -> dict[str, Any]:
    subject = {"kind": "Release", "namespace": "lending", "name": release}
    return {"metadata": {"name": f"{index:012d}"}, "spec": {"index": index, "subject": subject}}


def test_the_log_is_listed_once_and_then_followed_entry_by_entry(cluster: FakeCluster) -> None:
    for index, name in enumerate(["limit-scoring-3", "limit-scoring-4", "limit-scoring-4"]):
        cluster.add("auditrecords.feem.dev", entry(index, name))
    gathering = Gathering(cluster, "lending", "limit-scoring-4")
    assert gathering.tree().audit is not None
    cluster.add("auditrecords.feem.dev", entry(3, "limit-scoring-4"), entry(4, "other-1"))
    audit = gathering.tree().audit
    assert audit is not None
    assert (audit.first, audit.last, audit.count) == (1, 3, 3)
    assert cluster.requests.count("list auditrecords.feem.dev") == 1


def test_only_the_releases_own_canary_and_replica_sets_count(cluster: FakeCluster) -> None:
    mine = at.deployment("limit-scoring-canary", ready=1, desired=1)
    mine["metadata"]["ownerReferences"] = [{"uid": "another release"}]
    cluster.add("deployments.apps", mine)
    cluster.add("replicasets.apps", at.replica_set("6b4f", "1.0", ready=3, desired=3))
    gathering = Gathering(cluster, "lending", "limit-scoring-4")
    assert gathering.tree().tracks == ()
    mine["metadata"]["ownerReferences"] = [{"uid": "1f"}]
    assert [track.name for track in gathering.tree().tracks] == ["canary"]


def test_an_object_of_another_version_is_a_problem_not_a_traceback(cluster: FakeCluster) -> None:
    body = at.release()
    body["spec"]["plan"] = {"steps": "many"}
    cluster.add("releases.feem.dev", body)
    with pytest.raises(Problem, match=r"spec\.plan\.steps"):
        run("get", "limit-scoring-4")


def test_a_list_says_what_is_waited_for_and_what_is_owed(cluster: FakeCluster) -> None:
    cluster.add("releases.feem.dev", at.waiting())
    owing = at.release("limit-scoring-3", conditions=at.over("Promoted", "all 3 pods"), signOff=at.duty())
    late = at.release("limit-scoring-2", conditions=at.over("Promoted", ""), signOff=at.duty(due=60))
    paid = [*at.over("Promoted", "all 3 pods"), at.condition("SignedOff", "True", "SignedOff")]
    cluster.add(
        "releases.feem.dev", owing, late, at.release("limit-scoring-1", conditions=paid, signOff=at.duty(due=60))
    )
    rows = {row.split()[0]: row for row in run("get").splitlines()}
    assert rows["limit-scoring-4"].endswith(at.SUMMARY)
    assert " Waiting " in rows["limit-scoring-4"]
    assert "sign-off by product until 2026-03-03 09:30 UTC" in rows["limit-scoring-3"]
    assert rows["limit-scoring-2"].endswith("sign-off by product until 2026-03-02 09:29 UTC (overdue)")
    assert rows["limit-scoring-1"].endswith("all 3 pods")


def test_a_service_says_its_profile_its_mode_and_whether_it_is_guarded(cluster: FakeCluster) -> None:
    body = at.service()
    body["spec"].update(complianceProfile="standard", mode="Observe")
    body["status"]["conditions"].append(at.condition("Guarded", "False", "PolicyWeakened", "a policy is missing"))
    cluster.add("managedservices.feem.dev", body)
    out = run("get", "service", "limit-scoring")
    assert "  gates  standard, mode Observe: nothing is held\n" in out
    assert "  guard  PolicyWeakened: a policy is missing\n" in out
    assert run("get", "services").splitlines()[1].split()[4] == "standard"


TEAM_LACKS = (
    "get deployments.apps",
    "list replicasets.apps",
    "get httproutes.gateway.networking.k8s.io",
    "list auditrecords.feem.dev",
    "get complianceprofiles.feem.dev",
    "list changewindows.feem.dev",
    "list decisions.feem.dev",
    "get managedservices.feem.dev",
)


@pytest.mark.parametrize("words", [("get", "limit-scoring-4"), ("explain", "limit-scoring-4"), ("get",)])
def test_who_may_only_read_releases_sees_all_that_stands_on_them(cluster: FakeCluster, words: tuple[str, ...]) -> None:
    cluster.add("releases.feem.dev", at.waiting())
    cluster.forbid(*TEAM_LACKS)
    out = run(*words)
    assert at.SUMMARY in out
    assert "is gone" not in out
    if len(words) == 2:
        assert "two-roles" in out
        noted = "you may not read deployments.apps, managedservices.feem.dev, httproutes.gateway.networking.k8s.io"
        assert noted in " ".join(out.split())


def test_a_right_that_comes_back_is_noticed(cluster: FakeCluster) -> None:
    cluster.forbid("get httproutes.gateway.networking.k8s.io")
    gathering = Gathering(cluster, "lending", "limit-scoring-4")
    assert len(gathering.tree().warnings) == 1
    cluster.refusals.clear()
    assert gathering.tree().warnings == ()


def test_a_release_itself_that_may_not_be_read_is_an_error(cluster: FakeCluster) -> None:
    cluster.forbid("get releases.feem.dev")
    with pytest.raises(Forbidden, match="cannot get resource"):
        run("get", "release", "limit-scoring-4")


def test_a_reason_is_explained_without_a_cluster(cluster: FakeCluster) -> None:
    assert run("explain", "ApprovedSomethingElse").startswith("ApprovedSomethingElse: what was approved was edited")
    assert cluster.requests == []
    with pytest.raises(Problem, match="it is neither the reason of a gate nor a name"):
        run("explain", "SomethingElse")
