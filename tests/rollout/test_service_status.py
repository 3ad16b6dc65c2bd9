"""What a ManagedService says is written anew when it says something else, and only then."""

from __future__ import annotations

from feem.core.rollout.service_plan import ServicePlan
from feem.core.rollout.service_status import differs, next_status
from tests.rollout.snapshots import at_rest


def test_the_same_again_is_no_news() -> None:
    seen = at_rest()
    first = next_status(seen, ServicePlan())
    assert differs(None, first)
    assert not differs(first, next_status(seen, ServicePlan()))


def test_other_words_for_the_same_reason_are_news() -> None:
    """An objective that is first not checked yet and then refused is `ObjectiveNotAccepted` both times."""
    seen = at_rest()
    before = next_status(seen, ServicePlan(ready=(False, "ObjectiveNotAccepted", "it has not been checked yet")))
    after = next_status(
        seen, ServicePlan(ready=(False, "ObjectiveNotAccepted", "it cannot be used: `sum(` is no PromQL"))
    )
    assert differs(before, after)
