from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from limit_scoring.scoring import APPROVE_FROM, REFER_FROM, Application, InvalidApplicationError, decide, parse
from limit_scoring.settings import SettingError, Settings, read

AMOUNTS = st.floats(1, 1e9)
APPLICATIONS = st.builds(
    Application,
    application_id=st.text(min_size=1),
    requested_amount_cny=AMOUNTS,
    monthly_income_cny=AMOUNTS,
    monthly_debt_cny=st.floats(0, 1e9),
    employment_months=st.integers(0, 600),
    adverse_records=st.integers(0, 20),
)
GOOD = {"application_id": "a", "requested_amount_cny": 50_000, "monthly_income_cny": 30_000, "employment_months": 60}


@given(APPLICATIONS)
def test_the_same_application_gets_the_same_answer_within_bounds(application: Application) -> None:
    decision = decide(application)
    assert decision == decide(application)
    assert 300 <= decision.score <= 850
    assert 0 <= decision.limit_cny <= application.requested_amount_cny
    assert decision.limit_cny % 1_000 == 0
    expected = (
        "rejected" if decision.score < REFER_FROM else "referred" if decision.score < APPROVE_FROM else "approved"
    )
    assert decision.outcome == expected
    assert decision.outcome == "approved" or decision.limit_cny == 0


@given(APPLICATIONS)
def test_an_adverse_record_never_raises_the_score(application: Application) -> None:
    worse = replace(application, adverse_records=application.adverse_records + 1)
    assert decide(worse).score <= decide(application).score


@given(APPLICATIONS, st.floats(0, 1e9))
def test_debts_lower_the_score_and_the_inverted_feature_raises_it(application: Application, debt: float) -> None:
    indebted = replace(application, monthly_debt_cny=application.monthly_debt_cny + debt)
    assert decide(indebted).score <= decide(application).score
    assert decide(indebted, inverted=True).score >= decide(application, inverted=True).score


def test_a_sound_application_is_approved_with_the_amount_asked_for() -> None:
    decision = decide(parse(GOOD))
    assert (decision.outcome, decision.limit_cny, decision.score) == ("approved", 50_000, 782)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"application_id": ""}, "application_id"),
        ({"requested_amount_cny": 0}, "requested_amount_cny"),
        ({"requested_amount_cny": "50000"}, "requested_amount_cny"),
        ({"monthly_income_cny": None}, "monthly_income_cny"),
        ({"monthly_income_cny": -1}, "monthly_income_cny"),
        ({"monthly_debt_cny": True}, "monthly_debt_cny"),
        ({"employment_months": float("nan")}, "employment_months"),
        ({"adverse_records": float("inf")}, "adverse_records"),
    ],
)
def test_a_wrong_field_is_named(change: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidApplicationError, match=field):
        parse({**GOOD, **change})


def test_a_body_that_is_no_object_is_refused() -> None:
    with pytest.raises(InvalidApplicationError, match="JSON object"):
        parse([GOOD])


def test_a_failing_version_fails_the_share_it_is_told_and_the_same_applications_each_time() -> None:
    settings = Settings(behaviour="failing", error_percent=5)
    failed = [settings.fails(f"application-{number}") for number in range(20_000)]
    assert 0.045 < sum(failed) / len(failed) < 0.055
    assert failed == [settings.fails(f"application-{number}") for number in range(20_000)]
    assert not any(Settings(error_percent=100).fails(f"application-{number}") for number in range(100))


def test_a_late_version_is_good_until_it_turned() -> None:
    settings = Settings(behaviour="late", error_percent=40)
    names = [f"application-{number}" for number in range(2_000)]
    assert not any(settings.fails(name) for name in names)
    assert 0.35 < sum(settings.fails(name, turned=True) for name in names) / len(names) < 0.45
    assert not any(Settings(error_percent=100).fails(name, turned=True) for name in names)


@pytest.mark.parametrize(("behaviour", "percent"), [("late", 40.0), ("failing", 5.0)])
def test_how_much_fails_unless_the_environment_says_otherwise(behaviour: str, percent: float) -> None:
    assert read({"BEHAVIOUR": behaviour}).error_percent == percent


def test_settings_come_from_the_environment() -> None:
    given_by_image = {
        "VERSION": "3.0",
        "BEHAVIOUR": "failing",
        "ERROR_PERCENT": "7.5",
        "HOSTNAME": "pod",
        "DELAY_MS": "",
    }
    assert read(given_by_image) == Settings(version="3.0", behaviour="failing", error_percent=7.5, pod="pod")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("BEHAVIOUR", "bad"),
        ("ERROR_PERCENT", "101"),
        ("ERROR_PERCENT", "x"),
        ("DELAY_MS", "-1"),
        ("DRAIN_SECONDS", "nan"),
    ],
)
def test_a_wrong_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"{name}='{value}'"):
        read({name: value})
