"""The four ways to measure an objective. All queries are plain PromQL, without a word about canaries or pods."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from feem.api.base import Decimal, Model, Number, PromQL, Rule, Share, validations


class RatioIndicator(Model):
    """Bad or good events among all events, all as counters.

    `sum`, `rate` and `increase` around a selector are understood, and `+` or `or` between several: FEEM reads the raw
    counters.
    """

    bad: PromQL | None = None
    """Counters of bad events, e.g. `http_requests_total{code=~"5.."}`. Give this or `good`."""
    good: PromQL | None = None
    """Counters of good events, e.g. `http_requests_total{code!~"5.."}`. Give this or `bad`."""
    total: PromQL
    """Counters of all events, e.g. `http_requests_total`."""


BAD_OR_GOOD = Rule("has(self.bad) != has(self.good)", "give exactly one of bad and good")


class LatencyIndicator(Model):
    """Events slower than a threshold, from a classic histogram."""

    histogram: PromQL
    """The histogram, e.g. `http_request_duration_seconds` or `http_request_duration_seconds_bucket{path="/decision"}`."""
    threshold: Decimal
    """Events above it are bad, in the histogram's unit, as a decimal. It must be the edge of a bucket, e.g. "0.3"."""


class OnShift(StrEnum):
    """What a certain change of mix means."""

    ROLLBACK = "Rollback"
    HOLD = "Hold"


class MixIndicator(Model):
    """How events divide into categories: the values of a counter's label, or the buckets of a histogram."""

    counter: PromQL | None = None
    """A counter with a label for the category, e.g. `credit_decisions_total`. Give this, with `label`, or `histogram`."""
    label: Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")] | None = None
    """The label whose values are the categories, e.g. `decision`. At most 40 of them."""
    histogram: PromQL | None = None
    """A classic histogram whose buckets are the categories, e.g. `credit_score`."""
    tolerated_shift: Annotated[
        Share, Field(json_schema_extra=validations(Rule("double(self) < 1.0", "must be below 1")))
    ] = "0.02"
    """The part of all events that may fall into other categories than on stable before that counts as a shift (the total
    variation), e.g. "0.02" for two of a hundred. A smaller shift never rolls back, however much traffic proves it."""
    on_shift: OnShift = OnShift.ROLLBACK
    """What a larger shift means: `Rollback`, or `Hold` where it may be intended and a person decides."""


COUNTER_OR_HISTOGRAM = Rule(
    "has(self.counter) != has(self.histogram) && has(self.counter) == has(self.label)",
    "give counter with label, or histogram",
)


class GaugeIndicator(Model):
    """A value with a bound. It is a fixed rule, not a test: it spends nothing of alpha."""

    query: PromQL
    """Any PromQL that gives one value, e.g. `max(review_queue_depth)`. FEEM adds the track's pods to every selector."""
    min: Number | None = None
    """The smallest good value, as a decimal."""
    max: Number | None = None
    """The largest good value, as a decimal."""
    breach_seconds: Annotated[int, Field(ge=5, le=3600)] = 60
    """How long the canary's value must be out of bounds without a break, while stable's is within, to count as worse."""


HAS_BOUND = Rule("has(self.min) || has(self.max)", "give min, max or both")
BOUNDS_IN_ORDER = Rule(
    "!has(self.min) || !has(self.max) || double(self.min) <= double(self.max)", "min must not be above max"
)
