"""Structural schemas: what pydantic says about a model, said the way a CustomResourceDefinition must say it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

KEPT = (
    "description",
    "type",
    "format",
    "enum",
    "default",
    "minLength",
    "maxLength",
    "pattern",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
    "maxProperties",
)
"""Keywords that mean the same in pydantic's JSON Schema and in a structural schema, in the order they are written."""

DROPPED = ("title", "examples", "$defs")
TRANSLATED = ("anyOf", "const", "$ref", "properties", "required", "items", "additionalProperties")


class UnstructuralError(TypeError):
    """A model says something that a CRD cannot say; names the field and what to write instead."""


def structural(model: type[BaseModel], *, defaults: bool) -> Schema:
    """Return the structural schema of a model, inlined, so that the API server enforces what the model means.

    `defaults` False leaves defaults out: a status is written by the operator, the API server must not invent parts of it.
    Raises UnstructuralError for unions, tuples, numbers and every other keyword it does not know.
    Source: Kubernetes documentation, "Specifying a structural schema".
    """
    schema = model.model_json_schema(by_alias=True, mode="validation")
    return _Translation(schema.get("$defs", {}), defaults=defaults).node(schema, model.__name__)


class _Translation:
    """One schema on its way; `path` names the field in errors."""

    def __init__(self, definitions: dict[str, Schema], *, defaults: bool) -> None:
        self._definitions = definitions
        self._defaults = defaults

    def node(self, raw: Schema, path: str) -> Schema:
        raw = self._resolved(raw, path)
        extensions = {key: value for key, value in raw.items() if key.startswith("x-kubernetes-")}
        self._refuse_unknown(raw, path)
        if "const" in raw:
            raw = {**raw, "enum": [raw["const"]]}
        node = {key: raw[key] for key in KEPT if key in raw}
        if "description" in node:
            node["description"] = " ".join(node["description"].split())
        if node.get("type") == "integer":
            node["format"] = "int64"
        if not (self._defaults and _says_something(node.get("default"))):
            node.pop("default", None)
        return node | self._children(raw, path) | extensions

    def _resolved(self, raw: Schema, path: str) -> Schema:
        """Follow references and take the null out of optional fields; what the field says wins over what its type says."""
        if "$ref" in raw:
            target = self._definitions[raw["$ref"].rsplit("/", 1)[-1]]
            return self._resolved({**target, **{k: v for k, v in raw.items() if k != "$ref"}}, path)
        if "anyOf" in raw:
            choices = [choice for choice in raw["anyOf"] if choice != {"type": "null"}]
            if len(choices) != 1:
                raise UnstructuralError(f"{path} is a union: a structural schema has one type a field; split the field")
            return self._resolved({**choices[0], **{k: v for k, v in raw.items() if k != "anyOf"}}, path)
        return raw

    def _refuse_unknown(self, raw: Schema, path: str) -> None:
        known = {*KEPT, *DROPPED, *TRANSLATED}
        for key in raw:
            if key not in known and not key.startswith("x-kubernetes-"):
                raise UnstructuralError(
                    f"{path} uses {key!r}, which a structural schema does not have: bound it otherwise"
                )
        if raw.get("type") not in {"object", "array", "string", "integer", "boolean"}:
            raise UnstructuralError(
                f"{path} has type {raw.get('type')!r}: write decimals as strings, and name one type"
            )

    def _children(self, raw: Schema, path: str) -> Schema:
        children: Schema = {}
        if raw.get("required"):
            children["required"] = list(raw["required"])
        if raw.get("properties"):
            children["properties"] = {
                name: self.node(child, f"{path}.{name}") for name, child in raw["properties"].items()
            }
        if raw["type"] == "array":
            children["items"] = self.node(raw.get("items", {}), f"{path}[]")
        if isinstance(raw.get("additionalProperties"), dict):
            children["additionalProperties"] = self.node(raw["additionalProperties"], f"{path}{{}}")
        return children


def _says_something(default: object) -> bool:
    return default not in (None, "", [], {})
