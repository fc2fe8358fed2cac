"""Typed values → text in the notation that a declaration agrees upon, so that one typing serves all formats.

For formats that know numbers and dates themselves (spreadsheets, vector files, Parquet).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from orchestration.feeds.cells import DATE_PATTERNS
from orchestration.feeds.declaration import Deliverer, Feed


def date_format(feed: Feed) -> str:
    """The strftime pattern of the first agreed date format; whole dates go before years."""
    agreed = sorted(feed.date_formats, key=lambda name: name == "JJJJ")
    return DATE_PATTERNS[agreed[0]][1]


def text(value: object, feed: Feed, deliverer: Deliverer) -> str | None:
    """None for missing values (also NaN and NaT); whole numbers without decimals, never with an exponent."""
    if value is None or isinstance(value, str):
        return value
    if value != value:
        return None
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "true" if value else "false"
    if isinstance(value, (dt.datetime, dt.date)):
        return value.strftime(date_format(feed))
    if isinstance(value, float):
        plain = str(int(value)) if value.is_integer() else format(Decimal(repr(float(value))), "f")
        return plain.replace(".", ",") if deliverer.numbers == "1.234,5" else plain
    return str(value)


def sql_text(column: str, feed: Feed, deliverer: Deliverer, *, is_date: bool, is_fraction: bool) -> str:
    """SQL for the same, set-based in DuckDB. `column` is a name of ours."""
    if is_date:
        # A date beyond the calendar is no missing one: its text is left for the typing to name.
        return f"coalesce(strftime(try_cast({column} as timestamp), '{date_format(feed)}'), cast({column} as varchar))"
    if not is_fraction:
        return f"cast({column} as varchar)"
    value = f"cast({column} as double)"
    plain = (
        f"case when isnan({value}) then null "
        f"when {value} = trunc({value}) and abs({value}) < 1e37 then cast(cast({value} as hugeint) as varchar) "
        f"when abs({value}) < 1e-3 then cast(cast({value} as decimal(38, 20)) as varchar) "
        f"else cast({column} as varchar) end"
    )
    return f"replace({plain}, '.', ',')" if deliverer.numbers == "1.234,5" else plain
