"""Proves that every example of the page is an experiment that the API server would take: no unknown member, no broken rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from feem.api.experiment import NAME_MAX_LENGTH, ChaosExperiment
from feem.api.fault import Fault
from feem.api.halt import ChaosHalt
from feem.core.chaos.schedule import problems_with
from feem.view.chaos.faults import fault_of, hypothesis_of, probe_of, radius_of
from tests.docs.pages import page

Body = dict[str, Any]
BODIES: list[Body] = [one for block in page("docs/chaos.md").blocks("yaml") for one in yaml.safe_load_all(block)]
EXPERIMENTS = [one for one in BODIES if one["kind"] == "ChaosExperiment"]
QUIET = {"podKill", "podFailure", "scaleDown"}
"""Faults that objects of the API show."""
REQUESTS = {"httpAbort", "httpLatency"}


def unknown(given: Any, read: Any, path: str = "spec") -> list[str]:
    """What stands in an example and is no member of the model: pydantic passes over it, the API server would drop it."""
    if not isinstance(given, Mapping):
        return []
    found = [f"{path}.{key}" for key in given if key not in read]
    return found + [item for key in given if key in read for item in unknown(given[key], read[key], f"{path}.{key}")]


def named(body: Body) -> str:
    return str(body["metadata"]["name"])


def test_there_is_one_for_each_fault() -> None:
    shown = {next(iter(body["spec"]["fault"])) for body in EXPERIMENTS}
    assert shown == {field.alias for field in Fault.model_fields.values()}
    assert len({named(body) for body in EXPERIMENTS}) == len(EXPERIMENTS)


@pytest.mark.parametrize("body", EXPERIMENTS, ids=named)
def test_an_example_keeps_the_rules_of_the_api_server(body: Body) -> None:
    experiment = ChaosExperiment.read(body)
    assert unknown(body["spec"], experiment.spec.wire()) == []
    assert len(named(body)) <= NAME_MAX_LENGTH
    spec = body["spec"]
    (fault,) = spec["fault"]
    radius = spec["blastRadius"]
    assert ("requestPercent" in radius) == (fault in REQUESTS)
    assert (("pods" in radius) + ("podPercent" in radius)) == (fault not in REQUESTS)
    assert "header" not in radius or fault in REQUESTS
    assert fault in QUIET or ("above" in spec["effect"]) + ("below" in spec["effect"]) == 1
    assert not experiment.spec.schedule or problems_with(experiment.spec.schedule) == ()


@pytest.mark.parametrize("body", EXPERIMENTS, ids=named)
def test_an_example_can_be_said_in_words(body: Body) -> None:
    spec = ChaosExperiment.read(body).spec
    assert f"for {spec.blast_radius.duration_seconds} s at most" in radius_of(spec.blast_radius)
    assert spec.hypothesis.objectives[0] in hypothesis_of(spec.hypothesis)
    assert all(str(value) in fault_of(spec.fault) for value in next(iter(body["spec"]["fault"].values())).values())
    if spec.effect is not None:
        assert probe_of(spec.effect).startswith(spec.effect.query)


def test_the_halt_is_one() -> None:
    (halt,) = [body for body in BODIES if body["kind"] == "ChaosHalt"]
    assert unknown(halt["spec"], ChaosHalt.read(halt).spec.wire()) == []
