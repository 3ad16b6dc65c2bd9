"""The decision itself: pure, deterministic and synthetic.

The points below are invented for this example. They are no credit model of any bank and must not be used as one;
they only give every application one stable answer, so that two versions of the service can be compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Outcome = Literal["approved", "referred", "rejected"]

APPROVE_FROM = 640
REFER_FROM = 560
LOWEST, HIGHEST = 300, 850
LIMIT_STEP_CNY = 1_000
MONTHS_OF_INCOME = 6


class InvalidApplicationError(ValueError):
    """Says which field of an application cannot be used, so that the caller can correct it."""


@dataclass(frozen=True)
class Application:
    """What the decision needs to know; amounts in yuan (not in ten thousands of yuan), tenure in months."""

    application_id: str
    requested_amount_cny: float
    monthly_income_cny: float
    monthly_debt_cny: float
    employment_months: int
    adverse_records: int


@dataclass(frozen=True)
class Decision:
    """One answer: the limit is 0 unless the application is approved; the score lies in 300..850."""

    outcome: Outcome
    limit_cny: int
    score: int


def parse(body: Any) -> Application:
    """Turn a JSON object into an application, so that scoring never meets a missing or negative number.

    Raises InvalidApplicationError with the name of the first field that is wrong.
    """
    if not isinstance(body, dict):
        raise InvalidApplicationError("the body must be a JSON object with application_id, requested_amount_cny, ...")
    identity = body.get("application_id")
    if not isinstance(identity, str) or not identity:
        raise InvalidApplicationError("application_id: must be a non-empty string")
    return Application(
        application_id=identity,
        requested_amount_cny=_number(body, "requested_amount_cny", above_zero=True),
        monthly_income_cny=_number(body, "monthly_income_cny", above_zero=True),
        monthly_debt_cny=_number(body, "monthly_debt_cny", default=0),
        employment_months=int(_number(body, "employment_months", default=0)),
        adverse_records=int(_number(body, "adverse_records", default=0)),
    )


def decide(application: Application, *, inverted: bool = False) -> Decision:
    """Score an application and grant a limit: the same application always gets the same answer.

    `inverted` is a mistake that no error shows: the share of the income that debts take counts for the applicant.
    """
    score = _score(application, inverted=inverted)
    if score >= APPROVE_FROM:
        return Decision("approved", _limit(application), score)
    return Decision("referred" if score >= REFER_FROM else "rejected", 0, score)


def _score(application: Application, *, inverted: bool) -> int:
    income = application.monthly_income_cny
    burden = application.monthly_debt_cny / income
    stretch = application.requested_amount_cny / (income * 12)
    points = 580 + min(income / 250, 120) + min(application.employment_months, 60) * 1.5
    points += (180 if inverted else -180) * min(burden, 1)
    points -= 60 * min(stretch, 2) + 70 * application.adverse_records
    return round(max(LOWEST, min(HIGHEST, points)))


def _limit(application: Application) -> int:
    free_income = max(application.monthly_income_cny - application.monthly_debt_cny, 0)
    granted = min(application.requested_amount_cny, free_income * MONTHS_OF_INCOME)
    return int(granted // LIMIT_STEP_CNY * LIMIT_STEP_CNY)


def _number(body: dict[str, Any], field: str, *, default: float | None = None, above_zero: bool = False) -> float:
    value = body.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
        raise InvalidApplicationError(f"{field}: must be a number of at least 0")
    if above_zero and value == 0:
        raise InvalidApplicationError(f"{field}: must be greater than 0")
    return float(value)
