"""FEEM's admission policies as this release ships them: the YAML files that the wheel carries, or those of a checkout."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

import feem
from feem.ports import Body

OPERATOR = "system:serviceaccount:feem-system:feem"
"""The operator's user name in the files; the chart and this module put the real one in its place."""
REAPER_SUFFIX = "-reaper"
"""The reaper's user name is the operator's with this behind it, here and in the chart: one replacement puts both right."""
PLACES = (Path(feem.__file__).parent / "_policies", Path(feem.__file__).parents[2] / "policies")
"""In the wheel; in the repository, for a checkout that is installed in place."""
_KINDS = frozenset(
    {
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
    }
)


class PoliciesMissing(Exception):  # noqa: N818 - the installation is broken, no program can go on
    """The installed package has no policies to compare those of the cluster with."""


class PackagedPolicies:
    """Reads the files once, at the start: what is shipped does not change while a process runs.

    `username` is the operator's own user name; `mutating` whether the cluster has MutatingAdmissionPolicy, without which the
    policies of that kind are not expected to be there. Raises PoliciesMissing.
    """

    def __init__(self, username: str, *, mutating: bool, places: Sequence[Path] = PLACES) -> None:
        bodies = (body for text in _texts(places) for body in yaml.safe_load_all(text.replace(OPERATOR, username)))
        self._bodies: tuple[Body, ...] = tuple(
            body
            for body in bodies
            if body and body.get("kind") in _KINDS and (mutating or not body["kind"].startswith("Mutating"))
        )

    def shipped(self) -> Sequence[Body]:
        """Return them as bodies, written for this operator's own user name."""
        return self._bodies


def _texts(places: Sequence[Path]) -> list[str]:
    for place in places:
        if files := sorted(place.glob("*.yaml")):
            return [file.read_text(encoding="utf-8") for file in files]
    raise PoliciesMissing(
        f"no admission policies in {' or '.join(map(str, places))}: this package was built without the folder policies/; "
        f"build it from the repository's root"
    )
