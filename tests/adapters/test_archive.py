"""The samples behind a decision are kept once, belong to their release, and whether they are there can be asked without reading."""

from __future__ import annotations

import base64

import pytest

from feem.adapters.kubernetes import archive
from feem.adapters.kubernetes.archive import KEY, KubernetesArchive
from feem.adapters.kubernetes.store import Store
from feem.adapters.kubernetes.writer import Writer
from feem.core.rollout.effects import KeepEvidence
from feem.ports import Refused, Unavailable
from tests.adapters.fake import FakeClient

DIGEST = "sha256:" + "ab" * 32
EFFECT = KeepEvidence("lending", "scoring-2", "uid-2", "scoring", DIGEST, b"samples")


def writer(fake: FakeClient) -> Writer:
    return Writer(fake.client, Store())


def test_the_record_says_what_is_kept_and_not_what_is_in_it() -> None:
    assert str(EFFECT) == f"create ConfigMap lending/scoring-2-evidence-ababababab with evidence {DIGEST}"
    assert "samples" not in repr(EFFECT)


async def test_a_file_is_kept_beside_its_release_and_goes_with_it() -> None:
    fake = FakeClient()
    await archive.keep(writer(fake), EFFECT)
    kept = fake.objects["configmaps", "lending", "scoring-2-evidence-ababababab"]
    assert base64.b64decode(kept["binaryData"][KEY]) == b"samples"
    assert kept["immutable"] is True
    assert kept["metadata"]["annotations"] == {"feem.dev/evidence-digest": DIGEST}
    (owner,) = kept["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Release", "scoring-2", "uid-2")


async def test_keeping_the_same_samples_again_changes_nothing() -> None:
    fake = FakeClient()
    await archive.keep(writer(fake), EFFECT)
    await archive.keep(writer(fake), EFFECT)
    assert len(fake.objects) == 1


def test_a_long_name_stays_a_name() -> None:
    effect = KeepEvidence("lending", "x" * 253, "uid-2", "scoring", DIGEST, b"")
    assert len(effect.name) == 253
    assert effect.name.endswith("-evidence-ababababab")


async def test_asking_whether_it_is_there_stores_nothing() -> None:
    fake = FakeClient()
    asked = KubernetesArchive(fake.client)
    assert not await asked.has(EFFECT)
    assert not fake.objects
    await archive.keep(writer(fake), EFFECT)
    assert await asked.has(EFFECT)
    assert len(fake.objects) == 1


@pytest.mark.parametrize("problem", [Refused("over quota"), Unavailable("no answer")])
async def test_where_nobody_can_tell_it_is_not_there(problem: Exception) -> None:
    fake = FakeClient()

    async def refuse(_verb: str, _name: str) -> None:
        raise problem

    fake.before = refuse
    assert not await KubernetesArchive(fake.client).has(EFFECT)
