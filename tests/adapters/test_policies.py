"""What is shipped is what the wheel carries, for the operator's own name, and as much of it as the cluster can have."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from feem.adapters.policies import OPERATOR, PLACES, REAPER_SUFFIX, PackagedPolicies, PoliciesMissing
from feem.ports import Policies

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "policies").glob("*.yaml"))
ELSEWHERE = "system:serviceaccount:bank-platform:grey"


def test_a_checkout_ships_its_own_files() -> None:
    policies: Policies = PackagedPolicies(OPERATOR, mutating=True)
    expected = [body for path in FILES for body in yaml.safe_load_all(path.read_text()) if body]
    assert list(policies.shipped()) == [body for body in expected if "AdmissionPolicy" in body["kind"]]
    assert len(policies.shipped()) >= 12


def test_they_are_written_for_the_operators_own_name() -> None:
    text = json.dumps(PackagedPolicies(ELSEWHERE, mutating=True).shipped())
    assert f"'{ELSEWHERE}'" in text
    assert OPERATOR not in text


@pytest.mark.parametrize("username", [OPERATOR, ELSEWHERE, "system:serviceaccount:x:feem-reaper", "grey", "feem"])
def test_the_reapers_name_follows_the_operators(username: str) -> None:
    shipped = PackagedPolicies(username, mutating=True).shipped()
    reaper = username + REAPER_SUFFIX
    (own,) = [
        body for body in shipped if body["metadata"]["name"] == "reaper.feem.dev" and "Binding" not in body["kind"]
    ]
    assert own["spec"]["matchConditions"][0]["expression"] == f"request.userInfo.username == '{reaper}'"
    names = {
        name for name in re.findall(r"'([^' ]*)'", json.dumps(shipped)) if name.startswith("system:serviceaccount:")
    }
    kubernetes = {name for name in names if name.startswith("system:serviceaccount:kube-system:")}
    assert names - kubernetes == {name for name in (username, reaper) if name.startswith("system:serviceaccount:")}


def test_a_cluster_without_mutating_policies_is_not_asked_for_them() -> None:
    kinds = {body["kind"] for body in PackagedPolicies(OPERATOR, mutating=False).shipped()}
    assert kinds == {"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}


def test_other_kinds_in_the_folder_are_no_policies(tmp_path: Path) -> None:
    (tmp_path / "profile.yaml").write_text("---\nkind: ComplianceProfile\nmetadata: {name: pilot}\n---\n")
    assert PackagedPolicies(OPERATOR, mutating=True, places=[tmp_path]).shipped() == ()


def test_a_package_without_policies_says_how_to_build_one(tmp_path: Path) -> None:
    with pytest.raises(PoliciesMissing, match="built without the folder policies/"):
        PackagedPolicies(OPERATOR, mutating=True, places=[tmp_path / "nowhere", tmp_path])


def test_the_wheels_place_comes_first() -> None:
    assert [place.name for place in PLACES] == ["_policies", "policies"]
    assert PLACES[1] == ROOT / "policies"


def test_a_wheel_carries_every_file(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="builds a wheel")
    build = "import hatchling.build as h, sys; print(h.build_wheel(sys.argv[1]))"
    done = subprocess.run(
        [sys.executable, "-c", build, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(tmp_path / done.stdout.split()[-1]) as wheel:
        carried = {name: wheel.read(name) for name in wheel.namelist() if name.startswith("feem/_policies/")}
    for path in FILES:
        assert carried[f"feem/_policies/{path.name}"] == path.read_bytes()
