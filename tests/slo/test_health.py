"""What an objective's status says for every standing of its budget, and when a change is worth a write."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from feem.api.base import ConditionStatus
from feem.api.objective import Budget, BurnRate, ObjectiveStatus, ServiceLevelObjective
from feem.core.conditions import condition, find
from feem.core.slo.health import (
    HEALTHY,
    MEASURED,
    Findings,
    alarm,
    checked,
    measured,
    standing,
    windows,
    worth_writing,
)

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
Counts = dict[str, tuple[float, float]]


def objective(target: str = "99.9", days: int = 30, status: ObjectiveStatus | None = None) -> ServiceLevelObjective:
    indicator = {"ratio": {"bad": 'answers_total{code=~"5.."}', "total": "answers_total"}}
    spec = {"objective": target, "windowDays": days, "indicator": indicator}
    metadata = {"name": "answers", "namespace": "lending", "generation": 3}
    read = ServiceLevelObjective.read({"metadata": metadata, "spec": spec})
    return read.model_copy(update={"status": status})


def counts(**rates: float) -> Counts:
    """Counts that burn a 99.9% budget at these rates (`w5m` is the window `5m`); 0.5 where none is given."""
    names = dict.fromkeys(windows(objective()), 0.5) | {name.removeprefix("w"): rate for name, rate in rates.items()}
    return {name: (rate * 100.0, 100_000.0) for name, rate in names.items()}


FAST = {"w5m": 20.0, "w1h": 15.0}

TABLE: dict[str, tuple[Findings, str, str, str]] = {
    "at rest": (
        Findings(counts=counts()),
        "True",
        "BudgetHealthy",
        "50.0% of the error budget of 30 days is left, and",
    ),
    "an hour hot": (
        Findings(counts=counts(**FAST)),
        "False",
        "BurnsFast",
        "it was spent 15 times as fast as it may be in the last 1h",
    ),
    "gone in": (Findings(counts=counts(**FAST)), "False", "BurnsFast", "at this speed it is gone in 24 hours"),
    "six hours hot": (Findings(counts=counts(w30m=7, w6h=7)), "False", "BurnsFast", "in the last 6h"),
    "only the hour": (Findings(counts=counts(w1h=15)), "True", "BudgetHealthy", "and it lasts"),
    "only five minutes": (Findings(counts=counts(w5m=300)), "True", "BudgetHealthy", "and it lasts"),
    "a day warm": (
        Findings(counts=counts(w2h=4, w1d=4)),
        "False",
        "BurnsSlowly",
        "spent 4 times as fast as it may be in the last 1d",
    ),
    "three days warm": (Findings(counts=counts(w6h=2, w3d=2)), "False", "BurnsSlowly", "gone in 8 days"),
    "fast before slow": (
        Findings(counts=counts(**FAST, w2h=4, w1d=4)),
        "False",
        "BurnsFast",
        "and 20 times in the last 5m",
    ),
    "fast before spent": (Findings(counts=counts(**FAST, w30d=2)), "False", "BurnsFast", "is spent, and 100.0% more"),
    "spent": (Findings(counts=counts(w30d=1.5)), "False", "BudgetSpent", "is spent, and 50.0% more; mend"),
    "spent before slow": (Findings(counts=counts(w2h=4, w1d=4, w30d=1.5)), "False", "BudgetSpent", "in the last 1d"),
    "no events": (Findings(counts={"30d": (0.0, 0.0)}), "Unknown", "NoEvents", "no events were counted in the last 30"),
    "no windows": (Findings(), "Unknown", "NoEvents", "30 days"),
    "silence": (Findings(problem="Prometheus is away"), "Unknown", "MetricsUnavailable", "Prometheus is away"),
}


@pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)
def test_how_the_budget_stands(row: tuple[Findings, str, str, str]) -> None:
    findings, status, reason, words = row
    found = find(measured(objective(), findings, NOW).conditions, HEALTHY)
    assert found is not None
    assert (found.status, found.reason, found.observed_generation) == (status, reason, 3)
    assert words in found.message


@pytest.mark.parametrize(
    ("missing", "status", "reason"),
    [
        (None, "True", "SeriesFound"),
        (("NoSeries", "`answers_total` returns nothing"), "False", "NoSeries"),
        (("MetricsUnavailable", "Prometheus is away"), "Unknown", "MetricsUnavailable"),
    ],
)
def test_whether_it_is_measured(missing: tuple[str, str] | None, status: str, reason: str) -> None:
    found = find(measured(objective(), Findings(missing), NOW).conditions, MEASURED)
    assert found is not None
    assert (found.status, found.reason) == (status, reason)


def test_a_window_without_events_has_no_rate() -> None:
    found = standing(objective(), Findings(counts={"5m": (0.0, 0.0), "1h": (1.0, 1000.0), "30d": (1.0, 4000.0)}))
    assert found.left == pytest.approx(0.75)
    assert set(found.rates) == {"1h", "30d"}


def test_a_target_of_everything_has_no_budget_to_lose_but_breaks_nothing() -> None:
    for bad in (0.0, 3.0):
        one = objective("100")
        findings = Findings(counts=dict.fromkeys(windows(one), (bad, 1000.0)))
        status = measured(one, findings, NOW)
        found = find(status.conditions, HEALTHY)
        assert found is not None
        assert (found.status is ConditionStatus.TRUE) == (bad == 0)
        ServiceLevelObjective.read({"metadata": {"name": "a"}, "spec": one.spec.wire(), "status": {**status.wire()}})
        assert status.budget is not None
        assert all(len(item.rate) <= 24 for item in status.budget.burn)
        assert len(status.budget.left) <= 24


@pytest.mark.parametrize("days", [1, 3, 7, 30, 90])
def test_every_window_has_a_name_of_its_own_and_fits_the_status(days: int) -> None:
    names = windows(objective(days=days))
    assert f"{days}d" in names
    assert len(set(names)) == len(names) <= 12
    status = measured(objective(days=days), Findings(counts=dict.fromkeys(names, (1.0, 10_000.0))), NOW)
    ObjectiveStatus.model_validate(status.wire())


def test_a_refused_query_drops_what_was_measured() -> None:
    status = measured(objective(), Findings(counts=counts()), NOW)
    after = checked(objective(status=status), ("NotParseable", "spec.indicator.ratio.bad: …"), NOW)
    assert [item.type for item in after.conditions] == ["Accepted"]
    assert after.budget is None


def test_an_accepted_one_keeps_it() -> None:
    status = measured(objective(), Findings(counts=counts()), NOW)
    after = checked(objective(status=status), None, NOW)
    assert {item.type for item in after.conditions} == {"Accepted", "Measured", "BudgetHealthy"}
    assert after.budget == status.budget
    assert after.observed_generation == 3


# -- is it worth a write? ------------------------------------------------------------------------------------------------


def status(left: str = "83.1%", rate: str = "1.00", minutes: int = 0, reason: str = "BudgetHealthy") -> ObjectiveStatus:
    said = condition(HEALTHY, ConditionStatus.TRUE, reason, f"words about {left}", NOW, 3)
    at = NOW + timedelta(minutes=minutes)
    return ObjectiveStatus(
        conditions=[said], budget=Budget(left=left, burn=[BurnRate(name="1h", rate=rate)], updated_at=at)
    )


@pytest.mark.parametrize(
    ("new", "minutes", "worth"),
    [
        (status(), 60, False),
        (status(left="83.2%"), 4, False),
        (status(left="83.2%"), 5, True),
        (status(left="83.0%"), 5, True),
        (status(left=""), 5, True),
        (status(rate="1.09"), 5, False),
        (status(rate="1.10"), 5, True),
        (status(rate="0.80"), 5, True),
        (status(rate="5.00"), 4, False),
        (status(rate="∞"), 5, True),
        (status(rate="<0.001"), 5, True),
        (status(left="-∞%"), 5, True),
        (status(reason="NoEvents"), 0, True),
    ],
)
def test_figures_wait_and_conditions_do_not(new: ObjectiveStatus, minutes: int, *, worth: bool) -> None:
    assert worth_writing(status(), new, NOW + timedelta(minutes=minutes)) is worth


@pytest.mark.parametrize(("old", "new", "worth"), [("20.00", "21.00", False), ("20.00", "22.00", True)])
def test_a_large_rate_must_move_by_a_tenth(old: str, new: str, *, worth: bool) -> None:
    assert worth_writing(status(rate=old), status(rate=new), NOW + timedelta(hours=1)) is worth


@pytest.mark.parametrize(("new", "worth"), [("0.09", False), ("0.10", True)])
def test_a_small_rate_must_move_by_one_decimal(new: str, *, worth: bool) -> None:
    assert worth_writing(status(rate="0.00"), status(rate=new), NOW + timedelta(hours=1)) is worth


def test_people_hear_of_a_budget_when_it_turns_and_not_again() -> None:
    good = measured(objective(), Findings(counts=counts()), NOW)
    bad = measured(objective(), Findings(counts=counts(**FAST)), NOW)
    worse = measured(objective(), Findings(counts=counts(w30d=2)), NOW)
    news = alarm(good, bad)
    assert news is not None
    assert news.reason == "BurnsFast"
    assert alarm(ObjectiveStatus(), bad) is not None
    assert alarm(bad, worse) is None
    assert alarm(bad, good) is None
