"""Working days, weekends and public holidays.

Holidays, their substitutes and make-up working days come from `holidays`, as far ahead as states have announced them: China
publishes each year's in the November before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any

from holidays import country_holidays

from feem.core.windows.interval import FOREVER
from feem.core.windows.local import DAY, similar_zone, start_of_day, zone_named

SATURDAY, SUNDAY = 5, 6
SOME_YEAR = 2026
"""For asking whether a country is known at all."""


@dataclass(frozen=True)
class Year:
    """The days of one year on which a country does not work. A make-up working day is in neither set."""

    holidays: frozenset[date]
    weekends: frozenset[date]


@lru_cache(maxsize=256)
def year_of(country: str, year: int) -> Year:
    """Look a country's year up; an empty country, or one that nobody knows, has Saturdays and Sundays and no holidays."""
    count = (date(year + 1, 1, 1) - date(year, 1, 1)).days if year < date.max.year else 365
    days = [date(year, 1, 1) + timedelta(days=index) for index in range(count)]
    known = _calendar(country, year) if country else None
    if known is None:
        return Year(frozenset(), frozenset(day for day in days if day.weekday() in (SATURDAY, SUNDAY)))
    made_up = frozenset(known.weekend_workdays)
    # A few countries are listed with Sunday alone; their banks do not do business as usual on Saturdays either.
    rest = (SATURDAY,) if set(known.weekend) == {SUNDAY} else ()
    weekends = frozenset(day for day in days if known.is_weekend(day) or day.weekday() in rest)
    return Year(frozenset(day for day in known if day.year == year) - made_up, weekends - made_up)


def _calendar(country: str, year: int) -> Any:
    code, _, subdivision = country.partition("-")
    try:
        return country_holidays(code, subdiv=subdivision or None, years=year, expand=False)
    except NotImplementedError:
        return None


def is_holiday(day: date, country: str) -> bool:
    """Whether a day is a public holiday."""
    return day in year_of(country, day.year).holidays


def is_weekend(day: date, country: str) -> bool:
    """Whether a day is in a country's weekend and no make-up working day; without a country: Saturday or Sunday."""
    return day in year_of(country, day.year).weekends


def is_working(day: date, country: str) -> bool:
    """Whether people work on a day."""
    year = year_of(country, day.year)
    return day not in year.holidays and day not in year.weekends


def working_days_after(start: datetime, count: int, zone: str, country: str) -> datetime:
    """Return when (UTC) a lead time is over: the first moment of the day after `count` whole working days.

    The first that counts is after the local day of `start`. Where the zone or the country is not known (see `problem_with_days`) the
    lead time is never over: FOREVER.
    """
    known = zone_named(zone)
    if known is None or problem_with_country(country) is not None:
        return FOREVER
    day = start.astimezone(known).date()
    while count > 0:
        day += DAY
        count -= is_working(day, country)
    return start_of_day(day + DAY, known)


def problem_with_days(zone: str, country: str) -> tuple[str, str] | None:
    """Say why working days cannot be counted: UnknownTimeZone or UnknownCountry, and a sentence."""
    return problem_with_zone(zone) or problem_with_country(country)


def problem_with_zone(zone: str) -> tuple[str, str] | None:
    """Say that a time zone is not known."""
    if zone_named(zone) is not None:
        return None
    return "UnknownTimeZone", f"{zone} is not an IANA time zone: write e.g. {similar_zone(zone)}"


@lru_cache(maxsize=1024)
def problem_with_country(country: str) -> tuple[str, str] | None:
    """Say that a country, or its subdivision, has no known holidays; empty is no problem."""
    if not country or _calendar(country, SOME_YEAR) is not None:
        return None
    code, _, subdivision = country.partition("-")
    whole = _calendar(code, SOME_YEAR) if subdivision else None
    if whole is None:
        return (
            "UnknownCountry",
            f"the public holidays of {country} are not known: write an ISO 3166 code, e.g. CN or DE-HE",
        )
    parts = ", ".join(f"{code}-{part}" for part in whole.subdivisions if len(part) <= 3)
    advice = f"write {code}, or one of {parts}" if parts else f"write {code}"
    return "UnknownCountry", f"{code} has no subdivision {subdivision} whose public holidays are known: {advice}"
