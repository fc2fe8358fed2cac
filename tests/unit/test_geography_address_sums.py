"""Lists of addresses are summed per area: every count arrives once, in the areas of its day, and nothing is divided."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration.feeds.declaration import kommunen, load_feed, load_feeds
from orchestration.feeds.reader import AGGREGATE_SCHEMA, raw_schema
from orchestration.geography import address_match, locate
from orchestration.geography.address_sums import AREA_SCHEMA, sums

FEED = load_feeds()["sozialwohnungen_anschriften"]
GL, BURSCHEID = "05378004", "05378008"
OLD, NEW = dt.date(2015, 1, 1), dt.date(2022, 1, 1)
# Bergisch Gladbach has other areas from 2022 on
AREAS = [
    (f"{GL}-01", GL, OLD, dt.date(2021, 12, 31)),
    (f"{GL}-02", GL, OLD, dt.date(2021, 12, 31)),
    (f"{GL}-03", GL, NEW, None),
    (f"{BURSCHEID}-01", BURSCHEID, OLD, None),
]
PLACES = {("Weg", "1"): 1.0, ("Weg", "2"): 2.0, ("Weg", "3"): 9.0, ("Weg", "4"): None}
LOCATED = {(1.0, OLD): f"{GL}-01", (2.0, OLD): f"{GL}-02", (1.0, NEW): f"{GL}-03", (2.0, NEW): f"{GL}-03"}


@pytest.fixture
def summed(tmp_path: Path):
    """Sums of a list of Bergisch Gladbach with 5, 7, 11 and 13 flats at Weg 1 to 4, of two years."""

    def write(name: str, rows: list[dict], schema: pa.Schema) -> Path:
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), tmp_path / name)
        return tmp_path / name

    lists = [
        write(
            f"{year}.parquet",
            [
                {
                    "delivery_id": f"d{year}", "deliverer": "kreis", "delivery_year": year, "ags": GL,
                    "stichtag": dt.date(year, 12, 31), "strasse": street, "hausnummer": number, "bestand": flats,
                    "seniorenwohnungen": 1.0, "auslaufend_10_jahre": 0.0,
                }
                for (street, number), flats in zip(PLACES, (5.0, 7.0, 11.0, 13.0), strict=True)
            ],
            raw_schema(FEED),
        )
        for year in (2021, 2023)
    ]  # fmt: skip
    addresses = [
        {"ags": GL, "strasse": street, "hausnummer": number, "ostwert": east, "nordwert": east}
        for (street, number), east in PLACES.items()
    ]
    # a resident's address of the same house with a suffix of its own
    addresses.append({**addresses[0], "hausnummer_zusatz": "a"})
    anschrift = write("anschrift.parquet", addresses, address_match.SCHEMA)
    coordinates = [
        {"ags": GL, "ostwert": east, "nordwert": east, "valid_from": day, "sozialraum_id": LOCATED.get((east, day))}
        for east in (1.0, 2.0, 9.0)
        for day in (OLD, NEW)
    ]
    verortung = write("verortung.parquet", coordinates, locate.SCHEMA)
    areas = pa.Table.from_pylist([dict(zip(AREA_SCHEMA.names, row, strict=True)) for row in AREAS], AREA_SCHEMA)
    return sums(FEED, lists, anschrift, verortung, areas)


def flats(table: pa.Table, year: int, merkmal: str = "bestand") -> dict[str, float]:
    rows = [r for r in table.to_pylist() if (r["delivery_year"], r["merkmal"]) == (year, merkmal)]
    assert len({r["gebiet"] for r in rows}) == len(rows)
    return {r["gebiet"]: r["wert"] for r in rows}


def test_every_flat_is_counted_once_in_the_areas_of_its_day(summed: pa.Table) -> None:
    assert summed.schema == AGGREGATE_SCHEMA
    before, after = flats(summed, 2021), flats(summed, 2023)
    assert {k: v for k, v in before.items() if k.startswith(GL)} == {
        GL: 36, f"{GL}-00": 24, f"{GL}-01": 5, f"{GL}-02": 7,
    }  # fmt: skip
    assert {k: v for k, v in after.items() if k.startswith(GL)} == {GL: 36, f"{GL}-00": 24, f"{GL}-03": 12}
    assert before["05378"] == after["05378"] == 36
    assert flats(summed, 2021, "seniorenwohnungen")[f"{GL}-00"] == 2


def test_an_area_without_an_address_of_the_list_has_none_which_is_zero(summed: pa.Table) -> None:
    counted = flats(summed, 2023)
    assert counted[BURSCHEID] == counted[f"{BURSCHEID}-01"] == counted[f"{BURSCHEID}-00"] == 0
    assert {area for area in counted if len(area) == 8} == {ags for ags, _ in kommunen().values()}


def test_without_a_list_there_is_no_sum(tmp_path: Path) -> None:
    nothing = tmp_path / "none.parquet"
    assert sums(FEED, [], nothing, nothing, AREA_SCHEMA.empty_table()).num_rows == 0


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("sums: [bestand,", "sums: [strasse,", "sums of strasse"),
        ("  stichtag: {type: date, headers: [Stichtag, Stand]}\n", "", "sums without stichtag"),
        ("grain: record", "grain: aggregate", "sums of a aggregate"),
    ],
)
def test_a_list_that_cannot_be_summed_is_refused(tmp_path: Path, old: str, new: str, told: str) -> None:
    from orchestration.feeds.declaration import DECLARATIONS

    text = (DECLARATIONS / f"{FEED.name}.yml").read_text(encoding="utf-8")
    path = tmp_path / f"{FEED.name}.yml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(ValueError, match=told):
        load_feed(path)


def test_the_demo_list_adds_up_to_what_the_kommunen_are_told() -> None:
    from demo.themes.wohnen import flats_by_address, subsidised_flats

    buildings = flats_by_address(2023)
    assert len(buildings) > 300
    told = subsidised_flats(2023)
    columns = list(told.columns)
    totals = duckdb.sql(
        f"select ags, {', '.join(f'sum({c})::int' for c in columns)} from buildings group by 1"
    ).fetchall()
    assert {ags: tuple(values) for ags, *values in totals} == {
        ags: tuple(told.loc[ags, columns]) for ags, _ in kommunen().values()
    }
