"""Business days in France, and the hours at which letters leave, across changes of the clock."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from figsupport.core.calendar import easter_sunday, holidays

from .values import DELAYS

PARIS = DELAYS.zone


def paris(day: str, at: str = "10:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{at}").replace(tzinfo=PARIS)


@pytest.mark.parametrize(
    "day",
    [
        "1818-03-22", "1943-04-25", "1954-04-18", "1981-04-19", "2000-04-23", "2024-03-31",
        "2025-04-20", "2026-04-05", "2027-03-28", "2028-04-16", "2029-04-01", "2030-04-21",
        "2038-04-25", "2285-03-22",
    ],
)  # fmt: skip
def test_easter(day: str) -> None:
    """The earliest and the latest there can be, the algorithm's two exceptions, our years."""
    assert easter_sunday(int(day[:4])) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2026, "01-01 04-06 05-01 05-08 05-14 05-25 07-14 08-15 11-01 11-11 12-25"),
        (2027, "01-01 03-29 05-01 05-06 05-08 05-17 07-14 08-15 11-01 11-11 12-25"),
        (2028, "01-01 04-17 05-01 05-08 05-25 06-05 07-14 08-15 11-01 11-11 12-25"),
        (2008, "01-01 03-24 05-01 05-08 05-12 07-14 08-15 11-01 11-11 12-25"),  # two on one day
    ],
)
def test_the_public_holidays(year: int, days: str) -> None:
    assert sorted(holidays(year)) == [date.fromisoformat(f"{year}-{day}") for day in days.split()]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (paris("2026-03-03", "08:59"), paris("2026-03-03", "09:00")),
        (paris("2026-03-03", "09:00"), paris("2026-03-03", "09:00")),
        (paris("2026-03-03", "17:59"), paris("2026-03-03", "17:59")),
        (paris("2026-03-03", "18:00"), paris("2026-03-04", "09:00")),
        (paris("2026-03-06", "23:00"), paris("2026-03-09", "09:00")),  # Friday night
        (paris("2026-03-07"), paris("2026-03-09", "09:00")),  # Saturday
        (paris("2026-05-07", "19:00"), paris("2026-05-11", "09:00")),  # before the 8th, a Friday
        (paris("2026-12-24", "18:00"), paris("2026-12-28", "09:00")),
        (paris("2026-10-24"), paris("2026-10-26", "09:00")),  # the night the clock goes back
        (paris("2027-03-26", "20:00"), paris("2027-03-30", "09:00")),  # goes forward; Easter
    ],
)
def test_letters_leave_in_working_hours(moment: datetime, expected: datetime) -> None:
    assert DELAYS.opening(moment) == expected
    assert DELAYS.opening(expected) == expected


@pytest.mark.parametrize(
    ("moment", "days", "expected"),
    [
        (paris("2026-03-02", "10:30"), 3, paris("2026-03-05", "10:30")),
        (paris("2026-03-05", "10:30"), 3, paris("2026-03-10", "10:30")),  # over a weekend
        (paris("2026-03-07", "10:30"), 1, paris("2026-03-09", "10:30")),  # from a Saturday
        (paris("2026-03-02", "22:00"), 1, paris("2026-03-04", "09:00")),  # after the last hour
        (paris("2026-03-02", "06:00"), 1, paris("2026-03-03", "09:00")),
        (paris("2026-04-02"), 3, paris("2026-04-08")),  # Easter Monday is none
        (paris("2026-12-23"), 3, paris("2026-12-29")),
        (paris("2026-10-23"), 1, paris("2026-10-26")),  # the same hour on the clock
        (paris("2027-03-25"), 2, paris("2027-03-30")),
        (paris("2026-03-02"), 0, paris("2026-03-02")),
    ],
)
def test_delays_count_business_days(moment: datetime, days: int, expected: datetime) -> None:
    assert DELAYS.after(moment, days) == expected


def test_the_day_is_the_one_where_we_work() -> None:
    evening = datetime(2026, 7, 13, 22, 30, tzinfo=UTC)
    assert DELAYS.day(evening) == date(2026, 7, 14)
    assert DELAYS.next_opening(evening) == paris("2026-07-15", "09:00")


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (paris("2026-03-03", "08:29"), None),
        (paris("2026-03-03", "08:30"), date(2026, 3, 3)),
        (paris("2026-03-03", "23:59"), date(2026, 3, 3)),
        (paris("2026-03-07"), None),
        (paris("2026-05-01"), None),
    ],
)
def test_the_digest_has_its_hour(moment: datetime, expected: date | None) -> None:
    assert DELAYS.digest_day(moment) == expected


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)),  # noqa: DTZ001 — the zone is added
    st.integers(0, 30),
    st.sets(st.integers(1, 7), min_size=1),
)
def test_nothing_leaves_at_night_on_a_weekend_or_on_a_holiday(
    naive: datetime, days: int, weekdays: set[int]
) -> None:
    delays = replace(DELAYS, weekdays=frozenset(weekdays))
    moment = naive.replace(tzinfo=UTC)
    at = delays.after(moment, days).astimezone(PARIS)
    assert at.isoweekday() in weekdays
    assert at.date() not in holidays(at.year)
    assert time(9) <= at.time() < time(18)
    passed = [delays.day(moment) + timedelta(days=n) for n in range(1, (at - moment).days + 3)]
    business = [day for day in passed if day <= at.date() and delays.is_business(day)]
    assert days <= len(business) <= days + 1  # one more after the last hour
