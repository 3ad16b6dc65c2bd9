"""The conventions of the API hold in every generated CRD, so that a new field cannot forget them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from feem.api import KINDS, Resource
from feem.api.crd import definition

Schema = dict[str, Any]


def fields(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    """Every field below an object's schema with its path; items of lists as `path[]`."""
    for name, child in schema.get("properties", {}).items():
        if path == "" and name == "metadata":
            continue
        yield f"{path}.{name}", child
        yield from fields(child, f"{path}.{name}")
    for key, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if key in schema:
            yield f"{path}{mark}", schema[key]
            yield from fields(schema[key], f"{path}{mark}")


def version(kind: type[Resource]) -> Schema:
    found: Schema = definition(kind)["spec"]["versions"][0]
    return found


def root(kind: type[Resource]) -> Schema:
    found: Schema = version(kind)["schema"]["openAPIV3Schema"]
    return found


each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def offenders(kind: type[Resource], keeps: Callable[[str, Schema], bool]) -> list[str]:
    """The paths of the fields that do not keep a convention."""
    return [path for path, schema in fields(root(kind)) if not keeps(path, schema)]


@each_kind
def test_every_field_is_described_in_sentences(kind: type[Resource]) -> None:
    """It is what `kubectl explain` prints."""

    def described(path: str, schema: Schema) -> bool:
        plain_item = path.endswith(("[]", "{}")) and schema["type"] != "object"
        text = schema.get("description", "")
        return plain_item or (text.endswith(".") and "\n" not in text)

    assert offenders(kind, described) == []


@each_kind
def test_every_field_has_one_plain_type(kind: type[Resource]) -> None:
    """No floats, whose text differs between clients; no booleans, which may grow a third value; no free-form objects."""

    def plain(_: str, schema: Schema) -> bool:
        if schema["type"] == "object":
            return bool(schema.get("properties") or schema.get("additionalProperties"))
        return schema["type"] in {"string", "integer", "array"}

    assert offenders(kind, plain) == []


@each_kind
def test_every_field_is_bounded(kind: type[Resource]) -> None:
    """Unbounded fields make CEL rules too expensive for the API server, and objects too large for etcd."""

    def bounded(_: str, schema: Schema) -> bool:
        match schema["type"]:
            case "string":
                return "maxLength" in schema or "enum" in schema or schema.get("format") == "date-time"
            case "array":
                return "maxItems" in schema
            case "integer":
                return "minimum" in schema and schema["format"] == "int64"
            case _:
                return "additionalProperties" not in schema or "maxProperties" in schema

    assert offenders(kind, bounded) == []


@each_kind
def test_every_list_says_how_it_merges(kind: type[Resource]) -> None:
    def merges(_: str, schema: Schema) -> bool:
        if schema["type"] != "array":
            return True
        merge = schema.get("x-kubernetes-list-type")
        keys = set(schema.get("x-kubernetes-list-map-keys", []))
        return merge in {"set", "atomic"} or (
            merge == "map" and bool(keys) and keys <= set(schema["items"]["required"])
        )

    assert offenders(kind, merges) == []


@each_kind
def test_conditions_stand_where_others_have_a_phase(kind: type[Resource]) -> None:
    assert offenders(kind, lambda path, _: not path.lower().endswith(".phase")) == []


@each_kind
def test_the_api_server_invents_no_status(kind: type[Resource]) -> None:
    assert offenders(kind, lambda path, schema: not (path.startswith(".status") and "default" in schema)) == []


@each_kind
def test_durations_and_times_say_their_unit(kind: type[Resource]) -> None:
    def says(path: str, schema: Schema) -> bool:
        name = path.rsplit(".", 1)[-1]
        if any(word in name.lower() for word in ("delay", "deadline", "timeout", "bake", "interval")):
            return name.endswith("Seconds") and schema["type"] == "integer"
        return not name.endswith("At") or schema.get("format") == "date-time"

    assert offenders(kind, says) == []


@each_kind
def test_status_is_a_subresource_with_conditions(kind: type[Resource]) -> None:
    status = root(kind)["properties"].get("status")
    assert ("subresources" in version(kind)) == (status is not None)
    if status is None:
        return
    assert version(kind)["subresources"] == {"status": {}}
    assert status["properties"]["observedGeneration"]["type"] == "integer"
    conditions = status["properties"]["conditions"]
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
    condition = conditions["items"]
    assert {"type", "status", "reason", "lastTransitionTime"} <= set(condition["required"])
    assert {"message", "observedGeneration"} <= set(condition["properties"])
    assert condition["properties"]["status"]["enum"] == ["True", "False", "Unknown"]


@each_kind
def test_names_and_categories(kind: type[Resource]) -> None:
    names = definition(kind)["spec"]["names"]
    assert names["shortNames"]
    assert names["categories"] == ["feem"]
    assert names["plural"] == names["plural"].lower()
    assert names["singular"] == names["kind"].lower()


def test_no_two_kinds_share_a_name() -> None:
    words = [word for kind in KINDS for word in (kind.definition.plural, *kind.definition.short_names)]
    assert len(words) == len(set(words))


@each_kind
def test_every_rule_tells_the_user_what_to_do(kind: type[Resource]) -> None:
    rules = [rule for _, schema in fields(root(kind)) for rule in schema.get("x-kubernetes-validations", [])]
    for rule in [*rules, *root(kind).get("x-kubernetes-validations", [])]:
        assert rule["message"], rule["rule"]


@each_kind
def test_printer_columns_show_one_value_each(kind: type[Resource]) -> None:
    """The API server prints only the first item a path finds, so a path over a list must choose one."""
    columns = version(kind)["additionalPrinterColumns"]
    assert columns, "kubectl get must say something"
    for column in columns:
        path = column["jsonPath"]
        assert "[*]" not in path
        assert ("[" in path) == ("[?(@.type==" in path), path
        top = path.split(".")[1]
        assert top == "metadata" or any(known.startswith(f".{top}") for known, _ in fields(root(kind)))
