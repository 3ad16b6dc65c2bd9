"""Windows of whole days that banks know: ends of periods, weekends, public holidays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from feem.api.window import Preset, PresetKind
from feem.core.windows.days import is_holiday, is_weekend
from feem.core.windows.interval import Interval
from feem.core.windows.local import DAY, start_of_day

PERIOD_MONTHS = {PresetKind.MONTH_END: 1, PresetKind.QUARTER_END: 3, PresetKind.YEAR_END: 12}


@dataclass(frozen=True)
class PresetDays:
    """Whole local days around days of a known kind.

    `whole_breaks` is set for a Freeze: a weekend that lies between two public holidays is part of the break too, as for the
    Chinese Spring Festival, of which only the days that would be working days are listed.
    """

    preset: Preset
    zone: ZoneInfo
    whole_breaks: bool

    @property
    def reach(self) -> timedelta:
        """All its days, and one on which clocks are put back."""
        return timedelta(days=self.preset.days_before + self.preset.days_after + 2)

    def begin_on(self, day: date) -> tuple[Interval, ...]:
        """Return the time that begins on a day, if one does."""
        chosen = day + timedelta(days=self.preset.days_before)
        if not self._is_chosen(chosen):
            return ()
        last = chosen + timedelta(days=self.preset.days_after)
        return (Interval(start_of_day(day, self.zone), start_of_day(last + DAY, self.zone)),)

    def _is_chosen(self, day: date) -> bool:
        kind, country = self.preset.kind, self.preset.country
        if kind is PresetKind.WEEKENDS:
            return is_weekend(day, country)
        if kind is PresetKind.PUBLIC_HOLIDAYS:
            return is_holiday(day, country) or (self.whole_breaks and _within_break(day, country))
        return (day + DAY).day == 1 and day.month % PERIOD_MONTHS[kind] == 0


def _within_break(day: date, country: str) -> bool:
    """Whether a day of a weekend has nothing but days of weekends between it and a public holiday, on either side."""
    return is_weekend(day, country) and all(_leads_to_holiday(day, country, step) for step in (-DAY, DAY))


def _leads_to_holiday(day: date, country: str, step: timedelta) -> bool:
    while is_weekend(day, country) and not is_holiday(day, country):
        day += step
    return is_holiday(day, country)
