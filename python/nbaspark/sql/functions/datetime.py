# SPDX-License-Identifier: Apache-2.0
"""Dates, times and intervals. Each function builds a call that the engine resolves by name."""

from __future__ import annotations

from nbaspark.errors.raising import check
from nbaspark.sql.column import Column
from nbaspark.sql.functions.base import (
    given,
    invoke,
    lit,
    lits,
    moment_parts,
    numbers,
    or_lit,
    zero_decimal,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from nbaspark.sql.functions.base import ColumnOrName


def add_months(start: ColumnOrName, months: ColumnOrName | int) -> Column:
    """Add months to a date."""
    return invoke("add_months", start, *numbers(months))


def convert_timezone(sourceTz: Column | None, targetTz: Column, sourceTs: ColumnOrName) -> Column:
    """Convert a timestamp without zone from one time zone to another."""
    return invoke("convert_timezone", *given(sourceTz), targetTz, sourceTs)


def curdate() -> Column:
    """Return the date at the start of the query."""
    return invoke("curdate")


def current_date() -> Column:
    """Return the date at the start of the query."""
    return invoke("current_date")


def current_time(precision: int | None = None) -> Column:
    """Return the time of day at the start of the query."""
    return invoke("current_time", *lits(precision))


def current_timestamp() -> Column:
    """Return the timestamp at the start of the query."""
    return invoke("current_timestamp")


def current_timezone() -> Column:
    """Return the time zone of the session."""
    return invoke("current_timezone")


def date_add(start: ColumnOrName, days: ColumnOrName | int) -> Column:
    """Add days to a date."""
    return invoke("date_add", start, *numbers(days))


def date_diff(end: ColumnOrName, start: ColumnOrName) -> Column:
    """Return the days from `start` to `end`."""
    return invoke("date_diff", end, start)


def date_format(date: ColumnOrName, format: str) -> Column:
    """Return a date as text in a format."""
    return invoke("date_format", date, lit(format))


def date_from_unix_date(days: ColumnOrName) -> Column:
    """Return the date a number of days after 1970-01-01."""
    return invoke("date_from_unix_date", days)


def date_part(field: Column, source: ColumnOrName) -> Column:
    """Return a part of a date, time or interval, named by `field`."""
    return invoke("date_part", field, source)


def date_sub(start: ColumnOrName, days: ColumnOrName | int) -> Column:
    """Subtract days from a date."""
    return invoke("date_sub", start, *numbers(days))


def date_trunc(format: str, timestamp: ColumnOrName) -> Column:
    """Cut a timestamp off to a unit."""
    return invoke("date_trunc", lit(format), timestamp)


def dateadd(start: ColumnOrName, days: ColumnOrName | int) -> Column:
    """Add days to a date."""
    return invoke("dateadd", start, *numbers(days))


def datediff(end: ColumnOrName, start: ColumnOrName) -> Column:
    """Return the days from `start` to `end`."""
    return invoke("datediff", end, start)


def datepart(field: Column, source: ColumnOrName) -> Column:
    """Return a part of a date, time or interval, named by `field`."""
    return invoke("datepart", field, source)


def day(col: ColumnOrName) -> Column:
    """Return the day of the month."""
    return invoke("day", col)


def dayname(col: ColumnOrName) -> Column:
    """Return the abbreviated name of the day of the week."""
    return invoke("dayname", col)


def dayofmonth(col: ColumnOrName) -> Column:
    """Return the day of the month."""
    return invoke("dayofmonth", col)


def dayofweek(col: ColumnOrName) -> Column:
    """Return the day of the week, 1 for Sunday to 7 for Saturday."""
    return invoke("dayofweek", col)


def dayofyear(col: ColumnOrName) -> Column:
    """Return the day of the year."""
    return invoke("dayofyear", col)


def extract(field: Column, source: ColumnOrName) -> Column:
    """Return a part of a date, time or interval, named by `field`."""
    return invoke("extract", field, source)


def from_unixtime(timestamp: ColumnOrName, format: str = "yyyy-MM-dd HH:mm:ss") -> Column:
    """Return seconds since 1970-01-01 00:00:00 UTC as text in a format."""
    return invoke("from_unixtime", timestamp, lit(format))


def from_utc_timestamp(timestamp: ColumnOrName, tz: Column | str) -> Column:
    """Return a timestamp of UTC as the local time of a zone."""
    return invoke("from_utc_timestamp", timestamp, lit(tz))


def hour(col: ColumnOrName) -> Column:
    """Return the hour."""
    return invoke("hour", col)


def last_day(date: ColumnOrName) -> Column:
    """Return the last day of the month."""
    return invoke("last_day", date)


def localtimestamp() -> Column:
    """Return the timestamp without zone at the start of the query."""
    return invoke("localtimestamp")


def make_date(year: ColumnOrName, month: ColumnOrName, day: ColumnOrName) -> Column:
    """Return the date of a year, month and day."""
    return invoke("make_date", year, month, day)


def make_dt_interval(
    days: ColumnOrName | None = None,
    hours: ColumnOrName | None = None,
    mins: ColumnOrName | None = None,
    secs: ColumnOrName | None = None,
) -> Column:
    """Return an interval of days to seconds."""
    parts = (or_lit(part, 0) for part in (days, hours, mins))
    return invoke("make_dt_interval", *parts, or_lit(secs, zero_decimal()))


def make_interval(
    years: ColumnOrName | None = None,
    months: ColumnOrName | None = None,
    weeks: ColumnOrName | None = None,
    days: ColumnOrName | None = None,
    hours: ColumnOrName | None = None,
    mins: ColumnOrName | None = None,
    secs: ColumnOrName | None = None,
) -> Column:
    """Return an interval of its parts."""
    parts = (or_lit(part, 0) for part in (years, months, weeks, days, hours, mins))
    return invoke("make_interval", *parts, or_lit(secs, zero_decimal()))


def make_time(hour: ColumnOrName, minute: ColumnOrName, second: ColumnOrName) -> Column:
    """Return the time of day of its parts."""
    return invoke("make_time", hour, minute, second)


def make_timestamp(
    years: ColumnOrName | None = None,
    months: ColumnOrName | None = None,
    days: ColumnOrName | None = None,
    hours: ColumnOrName | None = None,
    mins: ColumnOrName | None = None,
    secs: ColumnOrName | None = None,
    timezone: ColumnOrName | None = None,
    date: ColumnOrName | None = None,
    time: ColumnOrName | None = None,
) -> Column:
    """Return the timestamp of its parts, or of a date and a time."""
    parts = moment_parts([years, months, days, hours, mins, secs], [date, time])
    return invoke("make_timestamp", *parts, *given(timezone))


def make_timestamp_ltz(
    years: ColumnOrName,
    months: ColumnOrName,
    days: ColumnOrName,
    hours: ColumnOrName,
    mins: ColumnOrName,
    secs: ColumnOrName,
    timezone: ColumnOrName | None = None,
) -> Column:
    """Return the timestamp with local time zone of its parts."""
    return invoke("make_timestamp_ltz", years, months, days, hours, mins, secs, *given(timezone))


def make_timestamp_ntz(
    years: ColumnOrName | None = None,
    months: ColumnOrName | None = None,
    days: ColumnOrName | None = None,
    hours: ColumnOrName | None = None,
    mins: ColumnOrName | None = None,
    secs: ColumnOrName | None = None,
    date: ColumnOrName | None = None,
    time: ColumnOrName | None = None,
) -> Column:
    """Return the timestamp without zone of its parts, or of a date and a time."""
    parts = moment_parts([years, months, days, hours, mins, secs], [date, time])
    return invoke("make_timestamp_ntz", *parts)


def make_ym_interval(
    years: ColumnOrName | None = None, months: ColumnOrName | None = None
) -> Column:
    """Return an interval of years and months."""
    return invoke("make_ym_interval", or_lit(years, 0), or_lit(months, 0))


def minute(col: ColumnOrName) -> Column:
    """Return the minute."""
    return invoke("minute", col)


def month(col: ColumnOrName) -> Column:
    """Return the month."""
    return invoke("month", col)


def monthname(col: ColumnOrName) -> Column:
    """Return the abbreviated name of the month."""
    return invoke("monthname", col)


def months_between(date1: ColumnOrName, date2: ColumnOrName, roundOff: bool = True) -> Column:
    """Return the months from `date2` to `date1`, with a fraction."""
    return invoke("months_between", date1, date2, lit(roundOff))


def next_day(date: ColumnOrName, dayOfWeek: str) -> Column:
    """Return the first date after `date` that is a given day of the week."""
    return invoke("next_day", date, lit(dayOfWeek))


def now() -> Column:
    """Return the timestamp at the start of the query."""
    return invoke("now")


def quarter(col: ColumnOrName) -> Column:
    """Return the quarter of the year."""
    return invoke("quarter", col)


def second(col: ColumnOrName) -> Column:
    """Return the second."""
    return invoke("second", col)


def session_window(timeColumn: ColumnOrName, gapDuration: Column | str) -> Column:
    """Group times into sessions that end after a gap."""
    check("gapDuration", gapDuration, (Column, str), "Column or str")
    return invoke("session_window", timeColumn, lit(gapDuration))


def time_bucket(bucket_size: Column, ts: ColumnOrName, origin: Column | None = None) -> Column:
    """Return the start of the interval of fixed size that a time falls in."""
    return invoke("time_bucket", bucket_size, ts, *given(origin))


def time_diff(unit: ColumnOrName, start: ColumnOrName, end: ColumnOrName) -> Column:
    """Return how many whole units lie between two times of day."""
    return invoke("time_diff", unit, start, end)


def time_from_micros(col: ColumnOrName) -> Column:
    """Return the time of day of microseconds since midnight."""
    return invoke("time_from_micros", col)


def time_from_millis(col: ColumnOrName) -> Column:
    """Return the time of day of milliseconds since midnight."""
    return invoke("time_from_millis", col)


def time_from_seconds(col: ColumnOrName) -> Column:
    """Return the time of day of seconds since midnight."""
    return invoke("time_from_seconds", col)


def time_to_micros(col: ColumnOrName) -> Column:
    """Return the microseconds since midnight."""
    return invoke("time_to_micros", col)


def time_to_millis(col: ColumnOrName) -> Column:
    """Return the milliseconds since midnight."""
    return invoke("time_to_millis", col)


def time_to_seconds(col: ColumnOrName) -> Column:
    """Return the seconds since midnight."""
    return invoke("time_to_seconds", col)


def time_trunc(unit: ColumnOrName, time: ColumnOrName) -> Column:
    """Cut a time of day off to a unit."""
    return invoke("time_trunc", unit, time)


def timestamp_add(unit: str, quantity: ColumnOrName, ts: ColumnOrName) -> Column:
    """Add a number of units to a timestamp."""
    return invoke("timestampadd", lit(unit), quantity, ts)


def timestamp_diff(unit: str, start: ColumnOrName, end: ColumnOrName) -> Column:
    """Return how many whole units lie between two timestamps."""
    return invoke("timestampdiff", lit(unit), start, end)


def timestamp_micros(col: ColumnOrName) -> Column:
    """Return the timestamp of microseconds since 1970-01-01 00:00:00 UTC."""
    return invoke("timestamp_micros", col)


def timestamp_millis(col: ColumnOrName) -> Column:
    """Return the timestamp of milliseconds since 1970-01-01 00:00:00 UTC."""
    return invoke("timestamp_millis", col)


def timestamp_seconds(col: ColumnOrName) -> Column:
    """Return the timestamp of seconds since 1970-01-01 00:00:00 UTC."""
    return invoke("timestamp_seconds", col)


def to_date(col: ColumnOrName, format: str | None = None) -> Column:
    """Read a date from text, in a format."""
    return invoke("to_date", col, *lits(format))


def to_time(str: ColumnOrName, format: ColumnOrName | None = None) -> Column:
    """Read a time of day from text, in a format."""
    return invoke("to_time", str, *given(format))


def to_timestamp(col: ColumnOrName, format: str | None = None) -> Column:
    """Read a timestamp from text, in a format."""
    return invoke("to_timestamp", col, *lits(format))


def to_timestamp_ltz(timestamp: ColumnOrName, format: ColumnOrName | None = None) -> Column:
    """Read a timestamp with local time zone from text, in a format."""
    return invoke("to_timestamp_ltz", timestamp, *given(format))


def to_timestamp_ntz(timestamp: ColumnOrName, format: ColumnOrName | None = None) -> Column:
    """Read a timestamp without zone from text, in a format."""
    return invoke("to_timestamp_ntz", timestamp, *given(format))


def to_unix_timestamp(timestamp: ColumnOrName, format: ColumnOrName | None = None) -> Column:
    """Read text, in a format, as seconds since 1970-01-01 00:00:00 UTC."""
    return invoke("to_unix_timestamp", timestamp, *given(format))


def to_utc_timestamp(timestamp: ColumnOrName, tz: Column | str) -> Column:
    """Return the local time of a zone as a timestamp of UTC."""
    return invoke("to_utc_timestamp", timestamp, lit(tz))


def trunc(date: ColumnOrName, format: str) -> Column:
    """Cut a date off to a unit."""
    return invoke("trunc", date, lit(format))


def try_make_interval(
    years: ColumnOrName | None = None,
    months: ColumnOrName | None = None,
    weeks: ColumnOrName | None = None,
    days: ColumnOrName | None = None,
    hours: ColumnOrName | None = None,
    mins: ColumnOrName | None = None,
    secs: ColumnOrName | None = None,
) -> Column:
    """Return an interval as `make_interval` does, or null where it fails."""
    parts = (or_lit(part, 0) for part in (years, months, weeks, days, hours, mins))
    return invoke("try_make_interval", *parts, or_lit(secs, zero_decimal()))


def try_make_timestamp(
    years: ColumnOrName | None = None,
    months: ColumnOrName | None = None,
    days: ColumnOrName | None = None,
    hours: ColumnOrName | None = None,
    mins: ColumnOrName | None = None,
    secs: ColumnOrName | None = None,
    timezone: ColumnOrName | None = None,
    date: ColumnOrName | None = None,
    time: ColumnOrName | None = None,
) -> Column:
    """Return a timestamp as `make_timestamp` does, or null where it fails."""
    parts = moment_parts([years, months, days, hours, mins, secs], [date, time])
    return invoke("try_make_timestamp", *parts, *given(timezone))


def try_make_timestamp_ltz(
    years: ColumnOrName,
    months: ColumnOrName,
    days: ColumnOrName,
    hours: ColumnOrName,
    mins: ColumnOrName,
    secs: ColumnOrName,
    timezone: ColumnOrName | None = None,
) -> Column:
    """Return a timestamp as `make_timestamp_ltz` does, or null where it fails."""
    return invoke(
        "try_make_timestamp_ltz", years, months, days, hours, mins, secs, *given(timezone)
    )


def try_make_timestamp_ntz(
    years: ColumnOrName | None = None,
    months: ColumnOrName | None = None,
    days: ColumnOrName | None = None,
    hours: ColumnOrName | None = None,
    mins: ColumnOrName | None = None,
    secs: ColumnOrName | None = None,
    date: ColumnOrName | None = None,
    time: ColumnOrName | None = None,
) -> Column:
    """Return a timestamp as `make_timestamp_ntz` does, or null where it fails."""
    parts = moment_parts([years, months, days, hours, mins, secs], [date, time])
    return invoke("try_make_timestamp_ntz", *parts)


def try_to_date(col: ColumnOrName, format: str | None = None) -> Column:
    """Read a date as `to_date` does, or null where it fails."""
    return invoke("try_to_date", col, *lits(format))


def try_to_time(str: ColumnOrName, format: ColumnOrName | None = None) -> Column:
    """Read a time of day as `to_time` does, or null where it fails."""
    return invoke("try_to_time", str, *given(format))


def try_to_timestamp(col: ColumnOrName, format: ColumnOrName | None = None) -> Column:
    """Read a timestamp as `to_timestamp` does, or null where it fails."""
    return invoke("try_to_timestamp", col, *given(format))


def unix_date(col: ColumnOrName) -> Column:
    """Return the days since 1970-01-01."""
    return invoke("unix_date", col)


def unix_micros(col: ColumnOrName) -> Column:
    """Return the microseconds since 1970-01-01 00:00:00 UTC."""
    return invoke("unix_micros", col)


def unix_millis(col: ColumnOrName) -> Column:
    """Return the milliseconds since 1970-01-01 00:00:00 UTC."""
    return invoke("unix_millis", col)


def unix_seconds(col: ColumnOrName) -> Column:
    """Return the seconds since 1970-01-01 00:00:00 UTC."""
    return invoke("unix_seconds", col)


def unix_timestamp(
    timestamp: ColumnOrName | None = None, format: str = "yyyy-MM-dd HH:mm:ss"
) -> Column:
    """Return a time, read in a format if it is text, as seconds since 1970; now without
    argument.
    """
    if timestamp is None:
        return invoke("unix_timestamp")
    return invoke("unix_timestamp", timestamp, lit(format))


def weekday(col: ColumnOrName) -> Column:
    """Return the day of the week, 0 for Monday to 6 for Sunday."""
    return invoke("weekday", col)


def weekofyear(col: ColumnOrName) -> Column:
    """Return the ISO week of the year."""
    return invoke("weekofyear", col)


def window(
    timeColumn: ColumnOrName,
    windowDuration: str,
    slideDuration: str | None = None,
    startTime: str | None = None,
) -> Column:
    """Group times into windows of fixed length, which slide or tumble."""
    check("windowDuration", windowDuration, str, "str")
    for name, value in (("slideDuration", slideDuration), ("startTime", startTime)):
        if value is not None:
            check(name, value, str, "str")
    if startTime is not None and slideDuration is None:
        slideDuration = windowDuration
    return invoke("window", timeColumn, lit(windowDuration), *lits(slideDuration, startTime))


def window_time(windowColumn: ColumnOrName) -> Column:
    """Return the time that a window column stands for."""
    return invoke("window_time", windowColumn)


def year(col: ColumnOrName) -> Column:
    """Return the year."""
    return invoke("year", col)
