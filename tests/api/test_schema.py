"""The generator says what a CRD can say, and refuses the rest with the field's path."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import pytest
from pydantic import Field

from feem.api.base import Model, Rule, validations
from feem.api.schema import UnstructuralError, structural


class Colour(StrEnum):
    GREY = "Grey"
    GREEN = "Green"


class Only(StrEnum):
    ONE = "One"


class Inner(Model):
    """What the type says."""

    amount: Annotated[int, Field(ge=1)] = 7
    """How many."""


class Outer(Model):
    """An example."""

    inner_thing: Inner
    """What the field says."""
    plain: Inner
    colour: Colour = Colour.GREY
    """Its colour."""
    only: Only = Only.ONE
    """The one choice."""
    limit: Annotated[int, Field(ge=0, le=9, json_schema_extra=validations(Rule("self != 5", "not 5")))] | None = None
    """A bound
    that may be absent."""
    when: datetime | None = None
    """A time."""
    words: Annotated[list[Annotated[str, Field(max_length=3)]], Field(max_length=2)] = Field(default_factory=list)
    """Words."""
    labels: Annotated[dict[str, Annotated[str, Field(max_length=63)]], Field(max_length=4)] = Field(
        default_factory=dict
    )
    """Pairs."""


def test_every_shape_the_api_uses() -> None:
    amount = {"description": "How many.", "type": "integer", "format": "int64", "default": 7, "minimum": 1}
    assert structural(Outer, defaults=True) == {
        "description": "An example.",
        "type": "object",
        "required": ["innerThing", "plain"],
        "properties": {
            "innerThing": {"description": "What the field says.", "type": "object", "properties": {"amount": amount}},
            "plain": {"description": "What the type says.", "type": "object", "properties": {"amount": amount}},
            "colour": {"description": "Its colour.", "type": "string", "enum": ["Grey", "Green"], "default": "Grey"},
            "only": {"description": "The one choice.", "type": "string", "enum": ["One"], "default": "One"},
            "limit": {
                "description": "A bound that may be absent.",
                "type": "integer",
                "format": "int64",
                "minimum": 0,
                "maximum": 9,
                "x-kubernetes-validations": [{"rule": "self != 5", "message": "not 5"}],
            },
            "when": {"description": "A time.", "type": "string", "format": "date-time"},
            "words": {
                "description": "Words.",
                "type": "array",
                "maxItems": 2,
                "items": {"type": "string", "maxLength": 3},
            },
            "labels": {
                "description": "Pairs.",
                "type": "object",
                "maxProperties": 4,
                "additionalProperties": {"type": "string", "maxLength": 63},
            },
        },
    }


def test_defaults_can_be_left_to_the_operator() -> None:
    schema = structural(Outer, defaults=False)
    assert "default" not in schema["properties"]["colour"]
    assert "default" not in schema["properties"]["innerThing"]["properties"]["amount"]


class Union(Model):
    either: int | str


class Fraction(Model):
    ratio: float


class Open(Model):
    above: Annotated[int, Field(gt=0)]


class Anything(Model):
    whatever: object


@pytest.mark.parametrize(
    ("model", "message"),
    [
        pytest.param(Union, r"Union\.either is a union", id="union"),
        pytest.param(Fraction, r"Fraction\.ratio has type 'number'", id="float"),
        pytest.param(Open, r"Open\.above uses 'exclusiveMinimum'", id="unknown-keyword"),
        pytest.param(Anything, r"Anything\.whatever has type None", id="no-type"),
    ],
)
def test_what_a_crd_cannot_say_is_refused_by_path(model: type[Model], message: str) -> None:
    with pytest.raises(UnstructuralError, match=message):
        structural(model, defaults=True)
