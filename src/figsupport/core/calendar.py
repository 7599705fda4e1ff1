"""Business days in France, and when a letter that a date makes due may leave. Pure."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache

_DAY = timedelta(days=1)
_FIXED = ((1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25))
_AFTER_EASTER = (1, 39, 50)  # Monday, Ascension, Whit Monday


@cache
def holidays(year: int) -> frozenset[date]:
    """Return the eleven public holidays of a year (Code du travail, article L3133-1)."""
    easter = easter_sunday(year)
    return frozenset(
        (
            *(date(year, month, day) for month, day in _FIXED),
            *(easter + days * _DAY for days in _AFTER_EASTER),
        )
    )


def easter_sunday(year: int) -> date:
    """Return Easter in the Gregorian calendar.

    Source: the anonymous algorithm of 1876, in J. Meeus, « Astronomical Algorithms », chapter 8.
    """
    golden = year % 19
    century, rest = divmod(year, 100)
    leaps, over = divmod(century, 4)
    lunar = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * golden + century - leaps - lunar + 15) % 30
    fours, ones = divmod(rest, 4)
    weekday = (32 + 2 * over + 2 * fours - epact - ones) % 7
    late = (golden + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


@dataclass(frozen=True)
class Delays:
    """After how long we write again, and when such letters may leave.

    `quote` and `info` count business days, each from our letter before it: to every reminder,
    at last to the expiry. `weekdays` are ISO numbers (Monday is 1); a letter leaves from
    `opens` on, before `closes`, in the time of `zone`; `digest` is the administrator's hour.
    """

    quote: tuple[int, ...]
    info: tuple[int, ...]
    weekdays: frozenset[int]
    opens: time
    closes: time
    digest: time
    zone: tzinfo

    def day(self, moment: datetime) -> date:
        """Return the day of a moment, where we work."""
        return moment.astimezone(self.zone).date()

    def is_business(self, day: date) -> bool:
        """Tell whether we work on a day."""
        return day.isoweekday() in self.weekdays and day not in holidays(day.year)

    def opening(self, moment: datetime) -> datetime:
        """Return the first moment, from this one on, at which letters may leave."""
        local = moment.astimezone(self.zone)
        if not self.is_business(local.date()) or local.time() >= self.closes:
            return self.next_opening(moment)
        return moment if local.time() >= self.opens else self._at(local.date(), self.opens)

    def next_opening(self, moment: datetime) -> datetime:
        """Return when letters may leave again on the next business day."""
        return self._at(self._after(self.day(moment)), self.opens)

    def after(self, moment: datetime, days: int) -> datetime:
        """Return the opening so many business days later, at the same time of day or after."""
        local = moment.astimezone(self.zone)
        day = local.date()
        for _ in range(days):
            day = self._after(day)
        return self.opening(self._at(day, local.time()))

    def digest_day(self, moment: datetime) -> date | None:
        """Return the business day whose digest is due at a moment, None before its hour."""
        local = moment.astimezone(self.zone)
        due = self.is_business(local.date()) and local.time() >= self.digest
        return local.date() if due else None

    def _after(self, day: date) -> date:
        day += _DAY
        while not self.is_business(day):
            day += _DAY
        return day

    def _at(self, day: date, at: time) -> datetime:
        return datetime.combine(day, at, self.zone).astimezone(UTC)
