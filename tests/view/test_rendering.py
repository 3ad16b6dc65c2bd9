from __future__ import annotations

import io

from rich.console import Console

from feem.view.explanation import explain, one_line
from feem.view.gather import ReleaseBodies, release_tree
from feem.view.release import AuditRange, ReleaseTree
from feem.view.tree import render, style_of
from tests.view import bodies as at


def baking() -> ReleaseTree:
    body = at.release(
        conditions=at.running("Baking", "step 2/3 at 50% bakes until 09:30:24 UTC"),
        step=2,
        weight=50,
        progress="2/3 at 50%",
        stepStartedAt=at.stamp(36),
        verdicts=[at.verdict("Inconclusive", 1, 40)],
    )
    return release_tree(
        ReleaseBodies(
            release=body,
            service=at.service(),
            deployment=at.deployment(),
            replica_sets=(at.replica_set("6b4f", "1.0", ready=3, desired=3),),
            canary=at.deployment("limit-scoring-canary", ready=2, desired=2),
            route=at.route(50),
            decisions=(at.decision("Resume"),),
            audit=AuditRange(12, 19, 8),
        ),
        at.NOW,
    )


def text_of(tree: ReleaseTree, width: int = 140) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(render(tree))
    out = console.file
    assert isinstance(out, io.StringIO)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def test_the_tree_shows_everything_a_person_asks_for() -> None:
    assert text_of(baking()) == (
        """\
limit-scoring-4  (lending)  Baking, step 2/3 at 50%
now       Step 2 of 3 bakes at 50%, 24s of 1m left; 1m54s of bakes ahead in all.
next      Step 3 of 3 at 100% in 24s, if every objective passes.
image     app: feem.example/limit-scoring:1.0 → feem.example/limit-scoring:2.0
asked by  release-pipeline, 3m20s ago
traffic   ███████████████░░░░░░░░░░░░░░░  canary 50% · stable 50%
├── Steps
│   └── ✔ 1   10%  bake 30s    done
│       ◐ 2   50%  bake 1m     current  24s left
│       ○ 3  100%  bake 1m30s  to do
├── Objectives
│   └── ? errors  Inconclusive (TooFewSamples)  target: at least 99.9% good  canary 1 of 40 bad (2.50%) · stable 3 of 9,000 bad (0.03%)
├── Pods
│   └── stable  3/3 ready  50%  ReplicaSet limit-scoring-6b4f    feem.example/limit-scoring:1.0
│       canary  2/2 ready  50%  Deployment limit-scoring-canary  feem.example/limit-scoring:2.0
├── Decisions
│   └── Resume  by risk-officer  20s ago  month-end close  not seen by FEEM yet
└── Audit  entries 12-19, 8 about this release"""
    )


def test_the_tree_fits_narrow_terminals() -> None:
    assert all(len(line) <= 60 for line in text_of(baking(), width=60).splitlines())


def test_the_explanation_says_what_why_next_and_how_to_act() -> None:
    assert explain(baking()) == (
        """\
release-pipeline changed Deployment limit-scoring in lending 3m20s ago. Release limit-scoring-4 brings app to \
feem.example/limit-scoring:2.0; 1 of 3 steps passed, 50% of the requests reach the canary.

Step 2 of 3 bakes at 50%, 24s of 1m left; 1m54s of bakes ahead in all.

Objective errors (at least 99.9% good): Inconclusive. 1 of 40 requests were bad.

Next: Step 3 of 3 at 100% in 24s, if every objective passes.

You can:
  feem pause limit-scoring-4 -n lending --reason "…"    # keep the present weight
  feem promote limit-scoring-4 -n lending --reason "…"  # skip the bakes that are left
  feem abort limit-scoring-4 -n lending --reason "…"    # send all requests to the stable version and end it
  feem watch limit-scoring-4 -n lending                 # follow it until it ends"""
    )


def test_one_line_changes_only_when_something_happened() -> None:
    assert one_line(baking()) == "Baking 2/3 at 50% (errors Inconclusive)"


def test_colours_follow_the_state_but_words_say_it_too() -> None:
    assert style_of("Baking", "") == "cyan"
    assert style_of("Paused", "") == "yellow"
    assert style_of("Promoted", "Promoted") == "green"
    assert style_of("RolledBack", "RolledBack") == "red"
