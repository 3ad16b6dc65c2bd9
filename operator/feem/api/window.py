"""ChangeWindow: when changes may go forward, and when nothing may."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from feem.api.base import (
    ATOMIC,
    Column,
    Conditions,
    Kind,
    Label,
    Model,
    Resource,
    Rule,
    Scope,
    Text,
    validations,
)

TimeZone = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9_+/-]+$")]
"""An IANA time zone, e.g. `Asia/Shanghai`."""


class WindowType(StrEnum):
    """What a window means."""

    ALLOW = "Allow"
    FREEZE = "Freeze"


class Recurrence(Model):
    """A window that comes again and again."""

    cron: Annotated[str, Field(min_length=9, max_length=128)]
    """When it begins: minute, hour, day of month, month, day of week, in the window's time zone, e.g. `0 22 * * 1-4`."""
    duration_seconds: Annotated[int, Field(ge=60, le=2678400)]
    """How long it lasts, in seconds that pass, also where clocks are changed meanwhile."""


class Range(Model):
    """A window that comes once. Local times in the window's time zone."""

    start: Annotated[str, Field(min_length=16, max_length=19, pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$")]
    """Its first moment, e.g. `2026-12-31T18:00`."""
    end: Annotated[str, Field(min_length=16, max_length=19, pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$")]
    """The moment it is over."""


class PresetKind(StrEnum):
    """Days that banks know."""

    MONTH_END = "MonthEnd"
    QUARTER_END = "QuarterEnd"
    YEAR_END = "YearEnd"
    WEEKENDS = "Weekends"
    PUBLIC_HOLIDAYS = "PublicHolidays"


class Preset(Model):
    """Whole days of a known kind, from midnight to midnight in the window's time zone."""

    kind: PresetKind
    """`MonthEnd`, `QuarterEnd` and `YearEnd` are the last day of the period, `Weekends` Saturdays and Sundays that are no
    working days, `PublicHolidays` those of `country`."""
    days_before: Annotated[int, Field(ge=0, le=31)] = 0
    """How many days earlier it begins."""
    days_after: Annotated[int, Field(ge=0, le=31)] = 0
    """How many days later it ends."""
    country: Annotated[str, Field(max_length=6, pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,3})?)?$")] = ""
    """ISO 3166 code of the country, or of one of its subdivisions, whose holidays count, e.g. `CN` or `DE-HE`."""


class WindowScope(Model):
    """Which services a window is for; not given: all."""

    match_labels: Annotated[dict[str, Annotated[str, Field(max_length=63)]], Field(max_length=16)] = Field(
        default_factory=dict
    )
    """Labels that a ManagedService must have, all of them."""
    namespaces: Annotated[list[Label], Field(max_length=200, json_schema_extra=ATOMIC)] = Field(default_factory=list)
    """The namespaces it counts in; empty: all."""


ONE_TIME = Rule(
    "(has(self.recurrence) ? 1 : 0) + (has(self.range) ? 1 : 0) + (has(self.preset) ? 1 : 0) == 1",
    "give exactly one of recurrence, range and preset",
)
START_BEFORE_END = Rule("self.start < self.end", "end must be later than start", ".end")
COUNTRY_OF_HOLIDAYS = Rule(
    "self.kind != 'PublicHolidays' || (has(self.country) && self.country != '')",
    "PublicHolidays need a country, e.g. CN",
    ".country",
)


class WindowSpec(Model):
    """What, when, for whom, and why."""

    type: WindowType
    """`Allow`: changes may go forward in it. `Freeze`: nothing goes forward in it, whatever other windows say. Rolling back is
    never blocked."""
    reason: Annotated[Text, Field(min_length=1, pattern=r"\S")]
    """Why, as people whose change is held will read it, e.g. `Year-end close`."""
    time_zone: TimeZone
    """In which time zone it is written, e.g. `Asia/Shanghai`."""
    recurrence: Recurrence | None = None
    """It comes again and again. Give this, `range` or `preset`."""
    range: Annotated[Range, Field(json_schema_extra=validations(START_BEFORE_END))] | None = None
    """It comes once."""
    preset: Annotated[Preset, Field(json_schema_extra=validations(COUNTRY_OF_HOLIDAYS))] | None = None
    """It comes on days of a known kind."""
    scope: WindowScope | None = None
    """Which services it is for; not given: all that FEEM governs."""


class WindowStatus(Model):
    """Where the window is now."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    """The generation the status was computed for."""
    conditions: Conditions = Field(default_factory=list)
    """`Accepted`: whether it can be used. `Open`: whether it is now."""
    opens_at: datetime | None = None
    """When it opens next (UTC); none while it is open, and when it never opens again."""
    closes_at: datetime | None = None
    """When it closes (UTC), while it is open."""
    summary: Annotated[str, Field(max_length=256)] = ""
    """The next change for people, in its own time zone, e.g. `opens Fri 22:00 Asia/Shanghai`."""


class ChangeWindow(Resource):
    """A time in which changes may go forward, or in which none may."""

    definition: ClassVar[Kind] = Kind(
        kind="ChangeWindow",
        plural="changewindows",
        short_names=("cwin",),
        scope=Scope.CLUSTER,
        columns=(
            Column("Type", ".spec.type"),
            Column("Open", '.status.conditions[?(@.type=="Open")].status'),
            Column("Next", ".status.summary", description="when it opens or closes next"),
            Column("Reason", ".spec.reason"),
            Column("Accepted", '.status.conditions[?(@.type=="Accepted")].reason', priority=1),
            Column("Age", ".metadata.creationTimestamp", "date"),
        ),
        rules=(ONE_TIME,),
    )
    spec: WindowSpec
    status: WindowStatus | None = None
