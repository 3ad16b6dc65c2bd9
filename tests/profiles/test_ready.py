"""The profiles and windows that come with FEEM can be applied as they are, and say why each of their fields is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from feem.api.gate import KINDS, Stage
from tests.profiles.ready import EXAMPLE, PROFILES, ROOT, WINDOWS, documents, ours, read

ALL = [*PROFILES, *WINDOWS, EXAMPLE]
each_file = pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
each_profile = pytest.mark.parametrize("path", [*PROFILES, EXAMPLE], ids=lambda path: path.stem)


def missing(given: Any, kept: Any, path: str = "") -> list[str]:
    """The paths of fields that were given and that the API does not know: an unknown field is ignored when it is read."""
    if isinstance(given, dict):
        absent = [f"{path}.{key}" for key in given if key not in kept]
        return absent + [
            found for key in given if key in kept for found in missing(given[key], kept[key], f"{path}.{key}")
        ]
    if isinstance(given, list):
        pairs = zip(given, kept, strict=True)
        return [found for place, (one, two) in enumerate(pairs) for found in missing(one, two, f"{path}[{place}]")]
    return [] if given == kept else [path]


def gates(path: Path) -> list[dict[str, Any]]:
    (profile,) = ours(path)
    found: list[dict[str, Any]] = profile["spec"]["gates"]
    return found


def kind_of(gate: dict[str, Any]) -> str:
    (kind,) = set(gate) & set(KINDS)
    return kind


@each_file
def test_the_api_knows_every_field(path: Path) -> None:
    for body in ours(path):
        assert missing(body["spec"], read(body).spec.wire()) == []


@each_file
def test_every_name_is_given_once(path: Path) -> None:
    names = [(body["kind"], body["metadata"]["name"]) for body in documents(path)]
    assert len(names) == len(set(names))


@each_file
def test_it_says_at_its_head_what_it_is_for(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# ")


@each_profile
def test_every_gate_is_explained_above_its_name(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    places = [number for number, line in enumerate(lines) if line.startswith("    - name: ")]
    assert len(places) == len(gates(path))
    for number in places:
        assert lines[number - 1].lstrip().startswith("# "), f"{path.name}: {lines[number].strip()} is not explained"


@each_profile
def test_the_profile_is_named_after_its_file_and_described(path: Path) -> None:
    (profile,) = ours(path)
    assert path == EXAMPLE or profile["metadata"]["name"] == path.stem
    assert profile["spec"]["description"]


@each_profile
def test_gates_stand_in_the_order_in_which_they_are_asked(path: Path) -> None:
    order = list(Stage)
    places = [order.index(Stage(gate["stage"])) for gate in gates(path)]
    assert places == sorted(places)


@each_profile
def test_each_gate_has_one_kind_and_closure_has_those_that_belong_there(path: Path) -> None:
    for gate in gates(path):
        assert (gate["stage"] == "Closure") == (kind_of(gate) in {"signOff", "retention"})


@each_profile
def test_patterns_are_regular_expressions_of_plain_text(path: Path) -> None:
    for gate in gates(path):
        for kind in ("ticket", "requirements"):
            if kind in gate:
                pattern = gate[kind]["pattern"]
                re.compile(pattern)
                assert not pattern.startswith("^"), "the whole text has to match anyway"
                assert not pattern.endswith("$"), "the whole text has to match anyway"


@each_profile
def test_an_emergency_skips_named_gates_but_never_images_objectives_exposure_or_what_comes_after(path: Path) -> None:
    (profile,) = ours(path)
    if "breakGlass" not in profile["spec"]:
        return
    named = {gate["name"]: kind_of(gate) for gate in gates(path)}
    skips = set(profile["spec"]["breakGlass"]["skips"])
    assert skips <= {*named, "freeze"}
    for name in skips - {"freeze"}:
        assert named[name] not in {
            "images",
            "objectives",
            "exposure",
            "signOff",
            "retention",
            "rollbackPlan",
            "runbook",
        }


def test_roles_of_the_profiles_are_those_that_the_chart_has_cluster_roles_for() -> None:
    chart = (ROOT / "charts/feem/templates/userroles.yaml").read_text(encoding="utf-8")
    for path in [*PROFILES, EXAMPLE]:
        for gate in gates(path):
            roles = [one["role"] for one in gate.get("approvals", {}).get("roles", [])]
            roles += [gate["signOff"]["role"]] if "signOff" in gate else []
            for role in roles:
                assert re.search(rf"\b{role}\b", chart), f"{path.name} asks for role {role}"


def strictness(path: Path) -> tuple[int, int, int]:
    """Gates, approvals, days of retention."""
    found = gates(path)
    approvals = sum(role["count"] for gate in found for role in gate.get("approvals", {}).get("roles", []))
    days = next(gate["retention"]["days"] for gate in found if "retention" in gate)
    return len(found), approvals, days


def test_pilot_is_weaker_than_standard_and_standard_than_tier_1() -> None:
    pilot, standard, lending = (
        strictness(ROOT / f"policies/profiles/{name}.yaml") for name in ("pilot", "standard", "tier-1-lending")
    )
    assert all(a < b < c for a, b, c in zip(pilot, standard, lending, strict=True)), (pilot, standard, lending)


def test_tier_1_asks_for_everything_that_a_profile_can_ask_for() -> None:
    (lending,) = [path for path in PROFILES if path.stem == "tier-1-lending"]
    assert {kind_of(gate) for gate in gates(lending)} == set(KINDS)


def test_windows_have_a_reason_and_exactly_one_time() -> None:
    for path in WINDOWS:
        for body in ours(path):
            assert body["spec"]["reason"]
            assert len(set(body["spec"]) & {"recurrence", "range", "preset"}) == 1


def test_rights_of_the_example_are_given_to_groups() -> None:
    bindings = [body for body in documents(EXAMPLE) if body["kind"].endswith("RoleBinding")]
    assert bindings
    for body in bindings:
        assert {subject["kind"] for subject in body["subjects"]} == {"Group"}


def test_examples_in_comments_are_yaml_that_fits() -> None:
    for path in PROFILES:
        for line in re.findall(r"#\s+(verification: .*)$", path.read_text(encoding="utf-8"), re.MULTILINE):
            (profile,) = ours(path)
            gate = next(gate for gate in profile["spec"]["gates"] if "ticket" in gate)
            gate["ticket"].update(yaml.safe_load(line))
            assert missing(profile["spec"], read(profile).spec.wire()) == []
