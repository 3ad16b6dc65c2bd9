"""The local copy ends in the same state whatever the order in which events and answers arrive."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feem.adapters.kubernetes import store as module
from feem.adapters.kubernetes.store import Store

RESOURCE = "deployments.apps"


def thing(name: str = "scoring", *, uid: str = "u1", version: int = 1, owner: str = "", **more: Any) -> dict[str, Any]:
    metadata: dict[str, Any] = {"namespace": "lending", "name": name, "uid": uid, "resourceVersion": str(version)}
    if owner:
        metadata["ownerReferences"] = [{"uid": "other"}, {"uid": owner, "controller": True}]
    return {"metadata": metadata, **more}


def test_newer_state_replaces_older() -> None:
    store = Store()
    assert store.put(RESOURCE, thing(version=9, spec=1))
    assert store.put(RESOURCE, thing(version=10, spec=2))
    found = store.get(RESOURCE, "lending", "scoring")
    assert found is not None
    assert found["spec"] == 2


@pytest.mark.parametrize("late", [9, 10])
def test_older_or_equal_state_is_no_news(late: int) -> None:
    store = Store()
    store.put(RESOURCE, thing(version=10, spec="kept"))
    assert not store.put(RESOURCE, thing(version=late, spec="late"))
    found = store.get(RESOURCE, "lending", "scoring")
    assert found is not None
    assert found["spec"] == "kept"


def test_versions_compare_as_numbers_not_as_text() -> None:
    store = Store()
    store.put(RESOURCE, thing(version=99))
    assert store.put(RESOURCE, thing(version=100))


def test_an_answer_that_comes_after_the_deletion_does_not_raise_the_dead() -> None:
    store = Store()
    store.put(RESOURCE, thing(version=1))
    assert store.delete(RESOURCE, thing(version=3))
    assert not store.put(RESOURCE, thing(version=2))
    assert not store.put(RESOURCE, thing(version=4))
    assert store.get(RESOURCE, "lending", "scoring") is None


def test_deletion_before_creation_is_remembered() -> None:
    store = Store()
    assert not store.delete(RESOURCE, thing(version=2))
    assert not store.put(RESOURCE, thing(version=1))
    assert not store.list(RESOURCE)


def test_a_new_object_of_the_same_name_survives_the_old_ones_deletion() -> None:
    store = Store()
    store.put(RESOURCE, thing(uid="old", version=1))
    assert store.put(RESOURCE, thing(uid="new", version=5))
    assert not store.delete(RESOURCE, thing(uid="old", version=4))
    found = store.get(RESOURCE, "lending", "scoring")
    assert found is not None
    assert found["metadata"]["uid"] == "new"


def test_deletion_of_a_successor_proves_its_predecessor_gone() -> None:
    store = Store()
    store.put(RESOURCE, thing(uid="old", version=1))
    assert store.delete(RESOURCE, thing(uid="new", version=7))
    assert store.get(RESOURCE, "lending", "scoring") is None
    assert not store.put(RESOURCE, thing(uid="old", version=2))


def test_deletion_without_a_version_goes_by_uid() -> None:
    store = Store()
    store.put(RESOURCE, thing(version=5))
    assert store.delete(RESOURCE, {"metadata": {"namespace": "lending", "name": "scoring", "uid": "u1"}})
    assert store.get(RESOURCE, "lending", "scoring") is None


def test_cluster_scoped_objects_stand_in_the_empty_namespace() -> None:
    store = Store()
    store.put("policies", {"metadata": {"name": "hold.feem.dev", "uid": "p", "resourceVersion": "3"}})
    assert store.get("policies", "", "hold.feem.dev") is not None
    assert len(store.list("policies", "")) == 1


def test_lists_by_namespace_and_resource() -> None:
    store = Store()
    store.put(RESOURCE, thing("a", uid="1"))
    store.put(RESOURCE, {"metadata": {"namespace": "cards", "name": "b", "uid": "2", "resourceVersion": "2"}})
    store.put("services", thing("c", uid="3"))
    assert len(store.list(RESOURCE)) == 2
    assert [body["metadata"]["name"] for body in store.list(RESOURCE, "cards")] == ["b"]
    assert store.list(RESOURCE, "nowhere") == []
    assert store.list("nothing") == []


def test_owned_follows_the_controller_reference() -> None:
    store = Store()
    store.put("replicasets.apps", thing("a", uid="1", owner="dep"))
    store.put("replicasets.apps", thing("b", uid="2"))
    assert [body["metadata"]["name"] for body in store.owned("replicasets.apps", "dep")] == ["a"]
    assert store.owned("replicasets.apps", "other") == []
    store.put("replicasets.apps", thing("a", uid="1", version=2, owner="adopter"))
    assert store.owned("replicasets.apps", "dep") == []
    assert len(store.owned("replicasets.apps", "adopter")) == 1
    store.delete("replicasets.apps", thing("a", uid="1", version=3, owner="adopter"))
    assert store.owned("replicasets.apps", "adopter") == []


def test_managed_fields_are_not_kept() -> None:
    store = Store()
    body = thing()
    body["metadata"]["managedFields"] = [{"manager": "kubectl"}]
    store.put(RESOURCE, body)
    found = store.get(RESOURCE, "lending", "scoring")
    assert found is not None
    assert "managedFields" not in found["metadata"]
    assert "managedFields" in body["metadata"]


def test_a_listing_makes_good_for_missed_deletions() -> None:
    store = Store()
    store.put(RESOURCE, thing("kept", uid="1", version=1))
    store.put(RESOURCE, thing("lost", uid="2", version=2))
    store.put(RESOURCE, thing("born-after-the-listing", uid="3", version=20))
    lost = store.retain(RESOURCE, {"1"}, 10)
    assert [body["metadata"]["name"] for body in lost] == ["lost"]
    assert {body["metadata"]["name"] for body in store.list(RESOURCE)} == {"kept", "born-after-the-listing"}
    assert not store.put(RESOURCE, thing("lost", uid="2", version=3))


def test_tombstones_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TOMBSTONES", 2)
    store = Store()
    for number in range(3):
        store.delete(RESOURCE, thing(f"n{number}", uid=f"u{number}"))
    assert store.put(RESOURCE, thing("n0", uid="u0"))
    assert not store.put(RESOURCE, thing("n2", uid="u2"))


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """What really happened to one name: objects live, change and die, one after another, under rising versions."""
    version, events = 0, []
    for life in range(draw(st.integers(1, 3))):
        for _ in range(draw(st.integers(1, 4))):
            version += 1
            owner = draw(st.sampled_from(["", "x", "y"]))
            events.append(("put", thing(uid=f"u{life}", version=version, owner=owner)))
        version += 1
        events.append(("delete", thing(uid=f"u{life}", version=version)))
    if draw(st.booleans()):
        events.pop()
    return events


@given(histories(), st.data())
def test_any_order_and_repetition_ends_in_the_truth(
    history: list[tuple[str, dict[str, Any]]], data: st.DataObject
) -> None:
    arrivals = data.draw(st.permutations(history + data.draw(st.lists(st.sampled_from(history), max_size=6))))
    store = Store()
    for verb, body in arrivals:
        (store.put if verb == "put" else store.delete)(RESOURCE, body)
    verb, last = history[-1]
    if verb == "delete":
        assert store.list(RESOURCE) == []
        assert store._owned == {}
    else:
        assert store.list(RESOURCE) == [last]
        owner = module.controller_uid(last)
        assert set(store._owned) == ({(RESOURCE, owner)} if owner else set())
