"""The samples behind a decision are kept once, belong to their release, and never stop one."""

from __future__ import annotations

import base64

import pytest

from feem.adapters.kubernetes.archive import KEY, KubernetesArchive
from feem.api.release import Release
from feem.ports import Refused, Unavailable
from tests.adapters.fake import FakeClient
from tests.view import bodies as at

DIGEST = "sha256:" + "ab" * 32


def release() -> Release:
    return Release.read(at.release())


async def test_a_file_is_kept_beside_its_release_and_goes_with_it() -> None:
    fake = FakeClient()
    name = await KubernetesArchive(fake.client).keep(release(), DIGEST, b"samples")
    kept = fake.objects["configmaps", "lending", name]
    meta = release().metadata
    assert name == f"{meta.name}-evidence-ababababab"
    assert base64.b64decode(kept["binaryData"][KEY]) == b"samples"
    assert kept["immutable"] is True
    assert kept["metadata"]["annotations"] == {"feem.dev/evidence-digest": DIGEST}
    (owner,) = kept["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["name"], owner["uid"]) == ("Release", meta.name, meta.uid)


async def test_keeping_the_same_samples_again_changes_nothing() -> None:
    fake = FakeClient()
    archive = KubernetesArchive(fake.client)
    first = await archive.keep(release(), DIGEST, b"samples")
    assert await archive.keep(release(), DIGEST, b"samples") == first
    assert len(fake.objects) == 1


async def test_a_long_name_stays_a_name() -> None:
    body = at.release()
    body["metadata"]["name"] = "x" * 253
    name = await KubernetesArchive(FakeClient().client).keep(Release.read(body), DIGEST, b"samples")
    assert len(name) == 253
    assert name.endswith("-evidence-ababababab")


@pytest.mark.parametrize("problem", [Refused("over quota"), Unavailable("no answer")])
async def test_what_cannot_be_kept_stops_nothing(problem: Exception) -> None:
    fake = FakeClient()

    async def refuse(_verb: str, _name: str) -> None:
        raise problem

    fake.before = refuse
    assert await KubernetesArchive(fake.client).keep(release(), DIGEST, b"samples") == ""
