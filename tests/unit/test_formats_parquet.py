"""Parquet: typed columns arrive as the agreed notation would have been read, set-based."""

from __future__ import annotations

import datetime as dt
import decimal
import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fixtures.feeds.agreements import GEBIET, NAME, agreement, column, fault, rows

PERSONS = [
    column("digits", "id", "OM", width=4, shortest=1),
    column("date", "geburt", "Geburtsdatum", required=False),
    column("number", "ost", "Ostwert", required=False),
    column("text", "strasse", "Straße", required=False),
]


def parquet(**columns: Any) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize("numbers", ["1.234,5", "1234.5"])
@pytest.mark.parametrize("dates", [("TT.MM.JJJJ",), ("JJJJ-MM-TT",), ("JJJJMMTT",)])
def test_typed_columns_read_whatever_notation_is_agreed(numbers: str, dates: tuple[str, ...]) -> None:
    day = dt.date(1950, 2, 3)
    data = parquet(
        OM=pa.array([17, 18, 19], pa.int32()),
        Geburtsdatum=pa.array([day, None, day], pa.date32()),
        Ostwert=pa.array([365400.5, 365401.0, None], pa.float64()),
        Straße=pa.array(["Grüner Weg", None, "Höhe"]).dictionary_encode(),
    )
    agreed = agreement("parquet", PERSONS, grain="person", key=["id"], numbers=numbers, date_formats=dates)
    assert [(r["zeile"], r["id"], r["geburt"], r["ost"], r["strasse"]) for r in rows(data, agreed)] == [
        (1, "0017", day, 365400.5, "Grüner Weg"),
        (2, "0018", None, 365401, None),
        (3, "0019", day, None, "Höhe"),
    ]


@pytest.mark.parametrize(
    "value",
    [
        pa.array([5378004.0]),
        pa.array([5378004]),
        pa.array(["05378004"]),
        pa.array([decimal.Decimal("5378004.00")]),
        pa.array(["05378004"], pa.large_string()),
    ],
)
def test_area_keys_survive_whatever_type_they_were_given(value: pa.Array) -> None:
    columns = [GEBIET, NAME, column("measure", "n", "Anzahl")]
    data = parquet(AGS=value, Gebiet=pa.array(["Bergisch Gladbach"]), Anzahl=pa.array(["(12)"]))
    [row] = rows(data, agreement("parquet", columns))
    assert (row["gebiet"], row["n"], row["n__zeichen"]) == ("05378004", 12, "()")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_timestamps_are_dates(unit: str) -> None:
    moment = pa.array([dt.datetime(2020, 12, 31)], pa.timestamp(unit))
    data = parquet(OM=pa.array(["1"]), Geburtsdatum=moment, Ostwert=pa.array([1.5]), Straße=pa.array(["x"]))
    assert rows(data, agreement("parquet", PERSONS, grain="person"))[0]["geburt"] == dt.date(2020, 12, 31)


def test_a_moment_belongs_to_the_day_of_the_zone_that_it_names() -> None:
    moment = pa.array([dt.datetime(2020, 12, 30, 23, 30)], pa.timestamp("us", "Europe/Berlin"))
    data = parquet(OM=pa.array(["1"]), Geburtsdatum=moment, Ostwert=pa.array([0.1], pa.float32()), Straße=pa.nulls(1))
    [row] = rows(data, agreement("parquet", PERSONS, grain="person"))
    assert (row["geburt"], row["ost"]) == (dt.date(2020, 12, 31), 0.1)


def test_a_date_beyond_the_calendar_is_unreadable_and_not_missing() -> None:
    day = pa.array([-(2**31)], pa.int32()).view(pa.date32())
    data = parquet(OM=pa.array(["1"]), Geburtsdatum=day, Ostwert=pa.array([1.5], pa.float16()), Straße=pa.nulls(1))
    [row] = rows(data, agreement("parquet", PERSONS, grain="person"))
    assert (row["geburt"], row["ost"]) == (None, 1.5) and "kein Datum" in row["geburt__fund"]


def test_large_and_tiny_numbers_do_not_turn_into_text() -> None:
    data = parquet(
        OM=pa.array(["1", "2", "3"]),
        Geburtsdatum=pa.nulls(3),
        Ostwert=pa.array([1e-7, 2.5e17, float("nan")]),
        Straße=pa.nulls(3, pa.string()),
    )
    found = rows(data, agreement("parquet", PERSONS, grain="person"))
    assert [row["ost"] for row in found] == [1e-7, 2.5e17, None]
    assert [row["ost__fund"] for row in found] == [None, None, None]


def test_nested_columns_and_broken_files_are_findings() -> None:
    agreed = agreement("parquet", PERSONS, grain="person")
    assert fault(parquet(OM=pa.array([["1"]])), agreed)[0] == "columns_are_plain"
    data = parquet(OM=pa.array(["1"] * 100))
    assert fault(data[:-20], agreed)[0] == "file_is_complete"
    assert fault(data[:20] + b"\x00" * 40 + data[60:], agreed)[0] == "file_is_complete"


def test_a_text_that_is_no_utf8_is_a_broken_file_and_no_defect_of_ours() -> None:
    """Found by the fuzzer: Arrow reads it on trust, DuckDB ends with an internal error."""
    table = pa.table({"OM": pa.array(["xxxx"])})
    data = io.BytesIO()
    pq.write_table(table, data, compression="none", use_dictionary=False)
    spoilt = data.getvalue().replace(b"xxxx", b"x\xff\xfex")
    assert fault(spoilt, agreement("parquet", PERSONS, grain="person"))[0] == "file_is_complete"
