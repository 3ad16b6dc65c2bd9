from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from feem.cli.app import app
from feem.cli.problem import NotFound, Problem, Unreachable
from feem.cli.watch import follow
from feem.view.gather import ReleaseBodies, release_tree
from feem.view.release import ReleaseTree
from tests.cli.fake import FakeCluster
from tests.view import bodies as at


def tree(**status: Any) -> ReleaseTree:
    return release_tree(ReleaseBodies(release=at.release(**status)), at.NOW)


BAKING = tree(conditions=at.running("Baking"), step=1, weight=10, progress="1/3 at 10%")
PROMOTED = tree(conditions=at.over("Promoted", "all 3 pods"), step=4, completedAt=at.stamp(0))


def looks(*results: ReleaseTree | Problem) -> Callable[[], ReleaseTree]:
    queue = list(results)

    def look() -> ReleaseTree:
        result = queue.pop(0)
        if isinstance(result, Problem):
            raise result
        return result

    return look


def test_it_speaks_only_when_something_changed_and_ends_with_the_release() -> None:
    said: list[str] = []
    result = follow(looks(BAKING, BAKING, PROMOTED), said.append, sleep=lambda _: None)
    assert result is PROMOTED
    assert said == ["09:30:00 Baking 1/3 at 10%", "09:30:00 Promoted: all 3 pods"]


def test_a_server_that_is_away_is_waited_for() -> None:
    said: list[str] = []
    away = Unreachable("API server", "connection refused")
    follow(looks(BAKING, away, away, PROMOTED), said.append, sleep=lambda _: None)
    assert [line[9:] for line in said] == [
        "Baking 1/3 at 10%",
        "API server: connection refused; trying again",
        "Promoted: all 3 pods",
    ]


def test_a_release_that_is_deleted_meanwhile_is_a_problem() -> None:
    with pytest.raises(Problem, match="it was deleted while it was watched"):
        follow(looks(BAKING, NotFound("Release x", "gone")), lambda _: None, sleep=lambda _: None)


def test_it_stops_at_the_deadline() -> None:
    moments = iter([0.0, 5.0, 11.0])
    result = follow(
        looks(BAKING, BAKING, BAKING),
        lambda _: None,
        deadline=10,
        sleep=lambda _: None,
        clock=lambda: next(moments),
    )
    assert not result.ended


@pytest.mark.parametrize(("result", "code"), [("Promoted", 0), ("RolledBack", 1), ("Aborted", 1), ("Superseded", 1)])
def test_the_exit_code_tells_the_result(cluster: FakeCluster, result: str, code: int) -> None:
    cluster.add("releases.feem.dev", at.release(conditions=at.over(result, "why"), completedAt=at.stamp(0)))
    done = CliRunner().invoke(app, ["watch", "limit-scoring"])
    assert done.exit_code == code
    assert f"{result}: why" in done.output


def test_a_timeout_is_told_with_where_it_stands(cluster: FakeCluster) -> None:
    with pytest.raises(Problem, match="it had not ended after 0s: Baking 2/3 at 50%"):
        CliRunner().invoke(app, ["watch", "limit-scoring", "--timeout", "0.01"], catch_exceptions=False)
