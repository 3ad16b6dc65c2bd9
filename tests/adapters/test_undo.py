"""Taking a template back: the patch makes exactly the earlier template, and the fields go to whoever applies them."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from feem.adapters.kubernetes.undo import difference, given_back
from tests.world.client import merged

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.integers(0, 3), st.sampled_from(["a", "b"]), st.booleans()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("wxyz"), inner, max_size=4)),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from("wxyz"), VALUES, max_size=4)


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_of_the_difference_makes_the_new_from_the_old(old: Any, new: Any) -> None:
    assert merged(old, difference(old, new)) == new


@given(OBJECTS)
def test_nothing_differs_from_itself(value: Any) -> None:
    assert difference(value, value) == {}


def entry(manager: str, operation: str, template: Any, **more: Any) -> Any:
    return {"manager": manager, "operation": operation, "fieldsV1": {"f:spec": {"f:template": template}, **more}}


def test_the_one_who_applies_the_template_gets_its_fields() -> None:
    owner = entry("argocd", "Apply", {"f:spec": {"f:a": {}}}, **{"f:metadata": {"f:labels": {"f:team": {}}}})
    feem = entry("feem", "Update", {"f:spec": {"f:b": {}}, "f:metadata": {"f:labels": {"f:tier": {}}}})
    label = {"manager": "feem", "operation": "Apply", "fieldsV1": {"f:metadata": {"f:labels": {"f:governed": {}}}}}
    both = {"f:spec": {"f:a": {}, "f:b": {}}, "f:metadata": {"f:labels": {"f:tier": {}}}}
    wanted = entry("argocd", "Apply", both, **{"f:metadata": {"f:labels": {"f:team": {}}}})
    assert given_back([owner, feem, label]) == [wanted, label]
    assert owner["fieldsV1"]["f:spec"]["f:template"] == {"f:spec": {"f:a": {}}}, "what was read is not changed"


def test_of_several_who_apply_it_none_is_preferred() -> None:
    owners = [entry(name, "Apply", {"f:spec": {}}) for name in ("argocd", "sidecars")]
    assert given_back([*owners, entry("feem", "Update", {"f:spec": {"f:b": {}}})]) == owners


def test_who_wrote_by_update_keeps_what_they_have() -> None:
    kubectl = entry("kubectl-client-side-apply", "Update", {"f:spec": {"f:a": {}}})
    assert given_back([kubectl, entry("feem", "Update", {"f:spec": {"f:b": {}}})]) == [kubectl]


def test_no_owner_at_all_is_said_with_one_empty_entry() -> None:
    assert given_back([entry("feem", "Update", {"f:spec": {"f:b": {}}})]) == [{}]
