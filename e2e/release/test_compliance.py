"""Nothing stands in the way back: a bad canary is rolled back in a freeze, after a rejection, and when its profile is gone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from e2e.cluster.context import Cluster
from e2e.kit.compliance import (
    PROFILE,
    ROLE,
    Person,
    name_profile,
    name_ticket,
    put_under_profile,
    wait_for_gates,
)
from e2e.kit.example import Example, condition
from e2e.kit.kubectl import wait_until
from e2e.kit.traffic import Traffic, share
from e2e.release.test_main_job import assert_nothing_left

Tell = Callable[[str], None]
FREEZE = "e2e-freeze"
BAD = "3.0"


@pytest.fixture
def officer(cluster: Cluster) -> Person:
    """Holds the role of risk."""
    return Person.known(cluster, "risk-officer", "risk")


@pytest.fixture
def governed(example: Example) -> Iterator[Example]:
    """The example under its profile, for one test."""
    put_under_profile(example)
    yield example
    example.kubectl.attempt("delete", "changewindow", FREEZE, "--ignore-not-found")
    name_profile(example, None)


def bad_canary(example: Example, officer: Person) -> str:
    """A bad version, approved, with its first requests."""
    name_ticket(example.kubectl, "CREDIT-102")
    name = example.start(BAD)
    wait_for_gates(example, name)
    assert officer.approve(name).returncode == 0
    wait_until("the first requests", lambda: (example.release(name).get("status") or {}).get("weight", 0) > 0, 90)
    return name


def freeze(example: Example) -> None:
    """Declare a freeze that begins a minute ago."""
    now = datetime.now(UTC)
    start, end = ((now + span).strftime("%Y-%m-%dT%H:%M:%S") for span in (timedelta(minutes=-1), timedelta(hours=1)))
    example.kubectl.apply_text(f"""
apiVersion: feem.dev/v1alpha1
kind: ChangeWindow
metadata: {{name: {FREEZE}}}
spec: {{type: Freeze, reason: declared in the middle of a release, timeZone: UTC, range: {{start: "{start}", end: "{end}"}}}}
""")


def goes_back(example: Example, name: str, traffic: Traffic, stable: str) -> None:
    """The release is rolled back, and clients are answered by stable alone."""
    assert example.wait_end(name, 150) == "RolledBack"
    assert_nothing_left(example)
    time.sleep(1)
    assert share(traffic.answers(time.time() - 1), stable) == 100


def test_a_bad_canary_goes_back_in_a_freeze(governed: Example, officer: Person, traffic: Traffic, tell: Tell) -> None:
    stable = governed.stable_image().rpartition(":")[2]
    name = bad_canary(governed, officer)
    freeze(governed)
    goes_back(governed, name, traffic, stable)
    tell(f"{name} in a freeze: {condition(governed.release(name), 'Succeeded').get('message')}")


def test_a_bad_canary_goes_back_after_a_rejection(
    governed: Example, officer: Person, traffic: Traffic, tell: Tell
) -> None:
    stable = governed.stable_image().rpartition(":")[2]
    name = bad_canary(governed, officer)
    done = officer.feem("reject", name, "--role", ROLE, "--reason", "the figures look wrong")
    assert done.returncode == 0, done.stderr
    goes_back(governed, name, traffic, stable)
    tell(f"{name} rejected: {condition(governed.release(name), 'Succeeded').get('message')}")


def test_a_bad_canary_goes_back_without_its_profile(
    governed: Example, officer: Person, traffic: Traffic, tell: Tell
) -> None:
    stable = governed.stable_image().rpartition(":")[2]
    name = bad_canary(governed, officer)
    governed.kubectl.run("delete", "complianceprofile", PROFILE)
    goes_back(governed, name, traffic, stable)
    tell(f"{name} without a profile: {condition(governed.release(name), 'Succeeded').get('message')}")


def test_a_good_canary_is_kept_at_its_step_by_a_freeze_and_goes_on_after_it(
    governed: Example, officer: Person, traffic: Traffic
) -> None:
    version = governed.other_good_version()
    name_ticket(governed.kubectl, "CREDIT-103")
    name = governed.start(version)
    wait_for_gates(governed, name)
    assert officer.approve(name).returncode == 0
    wait_until("step 1", lambda: (governed.release(name).get("status") or {}).get("step") == 1, 90)
    freeze(governed)
    waits = wait_until("the freeze", lambda: _waits(governed, name), 90)
    assert "freeze" in waits or "Freeze" in waits or "declared in the middle" in waits
    assert governed.release(name)["status"]["weight"] == 10
    governed.kubectl.run("delete", "changewindow", FREEZE)
    assert governed.wait_end(name, 180) == "Promoted"
    assert share(traffic.answers(time.time() - 1), version) == 100


def _waits(example: Example, name: str) -> str | None:
    found = condition(example.release(name), "Progressing")
    return str(found.get("message")) if found.get("reason") == "Waiting" else None
