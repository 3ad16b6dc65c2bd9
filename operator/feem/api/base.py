"""What every kind of `feem.dev/v1alpha1` shares: the model base, the description of its CRD, conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

GROUP = "feem.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

Name = Annotated[
    str,
    Field(min_length=1, max_length=253, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"),
]
"""A Kubernetes object name (RFC 1123 subdomain)."""

LABEL_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
Label = Annotated[str, Field(min_length=1, max_length=63, pattern=LABEL_PATTERN)]
"""A DNS label: names that become part of other objects' names stay this short."""

Username = Annotated[str, Field(max_length=512)]
"""Who the API server says somebody is; a service account's name alone may take 339 characters."""

Text = Annotated[str, Field(max_length=1024)]
Digest = Annotated[str, Field(min_length=71, max_length=71, pattern=r"^sha256:[0-9a-f]{64}$")]
DigestOrEmpty = Annotated[str, Field(max_length=71, pattern=r"^(sha256:[0-9a-f]{64})?$")]
PromQL = Annotated[str, Field(min_length=1, max_length=4096, pattern=r"\S")]
Percent = Annotated[str, Field(min_length=1, max_length=9, pattern=r"^(100|[0-9]{1,2}(\.[0-9]{1,6})?)$")]
Share = Annotated[str, Field(min_length=1, max_length=8, pattern=r"^(0(\.[0-9]{1,6})?|1)$")]
"""A part of a whole, from 0 to 1, as a decimal."""
Number = Annotated[str, Field(min_length=1, max_length=20, pattern=r"^-?[0-9]{1,12}(\.[0-9]{1,6})?$")]
"""A signed decimal."""
Decimal = Annotated[str, Field(min_length=1, max_length=12, pattern=r"^[0-9]{1,5}(\.[0-9]{1,6})?$")]

ATOMIC: JsonDict = {"x-kubernetes-list-type": "atomic"}
MAP_BY_NAME: JsonDict = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
MAP_BY_TYPE: JsonDict = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}


class Model(BaseModel):
    """One shape of the API: camelCase on the wire, immutable in memory, unknown fields of newer versions ignored."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    def wire(self) -> dict[str, object]:
        """Return the JSON object the API server stores: aliases, no nulls."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Scope(StrEnum):
    """Where objects of a kind live."""

    NAMESPACED = "Namespaced"
    CLUSTER = "Cluster"


@dataclass(frozen=True)
class Column:
    """One printer column of `kubectl get`: header, JSONPath, OpenAPI type, 0 = always shown, 1 = with `-o wide`."""

    name: str
    json_path: str
    type: str = "string"
    description: str = ""
    priority: int = 0


@dataclass(frozen=True)
class Rule:
    """One CEL rule (`x-kubernetes-validations`) and the sentence a user sees when it is broken."""

    rule: str
    message: str
    field_path: str | None = None

    def wire(self) -> JsonDict:
        """Return the rule as a CRD writes it; rules guard fields' values, so a broken one is an invalid field."""
        wire: JsonDict = {"rule": self.rule, "message": self.message}
        if self.field_path is not None:
            wire["fieldPath"] = self.field_path
        return wire


def validations(*rules: Rule) -> JsonDict:
    """Return the schema extension that puts CEL rules on one field, so that its path stands in the refusal."""
    return {"x-kubernetes-validations": [rule.wire() for rule in rules]}


@dataclass(frozen=True)
class Kind:
    """Everything a CRD says beside its schema."""

    kind: str
    plural: str
    short_names: tuple[str, ...]
    scope: Scope = Scope.NAMESPACED
    columns: tuple[Column, ...] = ()
    rules: tuple[Rule, ...] = field(default=())
    """Rules on `spec`."""
    object_rules: tuple[Rule, ...] = ()
    """Rules on the whole object; CEL sees `metadata.name` there, and nothing else of the metadata."""
    name_max_length: int | None = None
    """Bound of the objects' own names, where they become part of other names or label values."""
    name_pattern: str | None = None
    """What the objects' own names must look like, beside being object names."""


class ConditionStatus(StrEnum):
    """KEP-1623: a condition is True, False, or not known yet."""

    TRUE = "True"
    FALSE = "False"
    UNKNOWN = "Unknown"


class Condition(Model):
    """One observation about an object, as all of Kubernetes writes it (KEP-1623)."""

    type: Annotated[str, Field(min_length=1, max_length=316)]
    """What is observed, CamelCase."""
    status: ConditionStatus
    """True, False or Unknown."""
    reason: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")]
    """Why, as one CamelCase word that programs can rely on."""
    message: Annotated[str, Field(max_length=8192)] = ""
    """Why, as a sentence for people, with the next step where there is one."""
    last_transition_time: datetime
    """When the status last changed."""
    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation of the object this was observed on."""


Conditions = Annotated[list[Condition], Field(max_length=8, json_schema_extra=MAP_BY_TYPE)]
"""What is observed about an object, one entry a type."""


class Metadata(Model):
    """The part of ObjectMeta that FEEM reads."""

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    finalizers: list[str] = Field(default_factory=list)


class Resource(Model):
    """An object of group feem.dev. Subclasses declare `spec`, `status` and their `definition`."""

    definition: ClassVar[Kind]
    metadata: Metadata

    @classmethod
    def read(cls, body: dict[str, object]) -> Self:
        """Parse what the API server returned; raises pydantic.ValidationError when it does not fit this version."""
        return cls.model_validate(body)
