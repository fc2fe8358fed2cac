"""Counts of older years on today's areas: on a board of unit squares, whatever was cut, nobody is lost or doubled.

The model itself is run, with what the real comparison of two versions finds.
"""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import jinja2
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from tobler.area_weighted import area_interpolate

from orchestration.geography.areas import CRS
from orchestration.geography.versions import correspondence
from orchestration.home import REPOSITORY
from orchestration.sql import single_threaded

SIDE = 3
WEST, SOUTH = 100.0 * (np.arange(SIDE**2) // SIDE), 100.0 * (np.arange(SIDE**2) % SIDE)
CELLS = shapely.box(WEST, SOUTH, WEST + 100, SOUTH + 100)
MODEL = REPOSITORY / "models" / "protected" / "int_converted_measure.sql"
SQL = jinja2.Template(MODEL.read_text(encoding="utf-8")).render(ref=lambda name: f"temp.{name}")
partitions = st.lists(st.integers(1, 3), min_size=SIDE**2, max_size=SIDE**2)
persons_per_cell = st.lists(st.integers(0, 40), min_size=SIDE**2, max_size=SIDE**2)


def areas(parts: list[int], start: int) -> gpd.GeoDataFrame:
    """Areas made of the cells with the same number; ids begin at `start`."""
    numbers = sorted(set(parts))
    shapes = [shapely.union_all(CELLS[np.array(parts) == number]) for number in numbers]
    return gpd.GeoDataFrame({"sozialraum_id": [f"k-{start + n:02d}" for n in numbers]}, geometry=shapes, crs=CRS)


def convert(old: list[int], new: list[int], persons: list[int], values: dict[str, float | None]) -> pd.DataFrame:
    """int_converted_measure for one measure; a value of None is suppressed."""
    before = np.array([f"k-{n:02d}" for n in old])
    after = np.array([f"k-{10 + n:02d}" for n in new])
    counted = pd.DataFrame({"area_id": before, "current_area_id": after, "units": persons})
    counted = counted[counted["units"] > 0].groupby(["area_id", "current_area_id"], as_index=False)["units"].sum()
    nobody = pd.DataFrame({"old_area_id": [], "new_area_id": [], "persons": []})
    pairs = correspondence(areas(old, 0), areas(new, 10), nobody)
    with single_threaded() as connection:
        measures = pd.DataFrame(
            [(name, value, "ok" if value is not None else "suppressed") for name, value in values.items()],
            columns=["area_id", "value", "value_status"],
        ).astype({"value": float})
        for name, frame in {
            "int_protected_measure": measures.assign(
                boundary="as_counted", level="sozialraum", year=2018, measure_id="m", feed="f", parent_area_id="k",
                reference_date=dt.date(2018, 12, 31),
            ),
            "measures": pd.DataFrame([{"measure_id": "m", "weight_measure": "population"}]),
            "stg_control__disclosure_rule": pd.DataFrame([{"measure_id": "m", "minimum": 0}]),
            "int_area_pair": pairs.rename(columns={"old_area_id": "area_id", "new_area_id": "current_area_id"}).assign(
                year=2018, parent_area_id="k", is_unchanged=False
            ),
            "int_register_count": counted.assign(year=2018, measure_id="population"),
        }.items():  # fmt: skip
            connection.register("frame", frame)
            connection.execute(f"create or replace temporary table {name} as select * from frame")
        return connection.execute(SQL).df()


@settings(max_examples=30, deadline=None)
@given(partitions, partitions, persons_per_cell, st.lists(st.integers(0, 500), min_size=3, max_size=3))
def test_every_total_survives_to_the_person(
    old: list[int], new: list[int], persons: list[int], amounts: list[int]
) -> None:
    values = {f"k-{n:02d}": float(amounts[n - 1]) for n in sorted(set(old))}
    table = convert(old, new, persons, values)
    assert table["value"].sum() == sum(values.values())
    assert (table["value"] == table["value"].round()).all()
    assert (table["value"] >= 0).all()
    assert set(table["value_status"]) <= {"ok", "zero"}
    assert (table.loc[table["conversion_method"] == "gezaehlt", "conversion_error"] == 0).all()


@settings(max_examples=20, deadline=None)
@given(partitions, partitions, persons_per_cell)
def test_what_touches_a_blank_area_is_blank(old: list[int], new: list[int], persons: list[int]) -> None:
    values: dict[str, float | None] = {f"k-{n:02d}": 50.0 for n in sorted(set(old))}
    hidden = min(values)
    values[hidden] = None
    table = convert(old, new, persons, values).set_index("area_id")
    living = pd.Series(persons)[[f"k-{o:02d}" == hidden for o in old]].groupby(np.array(new)[np.array(old) == min(old)])
    # Weights are of persons counted in fives: one or two are nobody.
    for name in (f"k-{10 + n:02d}" for n, persons in living.sum().items() if persons >= 3):
        assert table.loc[name, "value_status"] == "suppressed"
        assert pd.isna(table.loc[name, "value"]) and pd.isna(table.loc[name, "conversion_error"])


def test_people_decide_and_without_people_the_area() -> None:
    old, new = [1] * 9, [1, 1, 1, 2, 2, 2, 2, 2, 2]
    by_people = convert(old, new, [90, 0, 0, 10, 0, 0, 0, 0, 0], {"k-01": 30.0})
    few = convert(old, new, [90, 0, 0, 2, 0, 0, 0, 0, 0], {"k-01": 30.0})
    assert few[["area_id", "value", "conversion_method"]].to_numpy().tolist() == [["k-11", 30, "einwohnergewichtet"]]
    assert by_people[["value", "conversion_method"]].to_numpy().tolist() == [
        [27, "einwohnergewichtet"], [3, "einwohnergewichtet"],
    ]  # fmt: skip
    assert by_people["conversion_error"].tolist() == pytest.approx([np.sqrt(30 * 0.9 * 0.1)] * 2)
    by_area = convert(old, new, [0] * 9, {"k-01": 30.0})
    assert by_area[["value", "conversion_method"]].to_numpy().tolist() == [
        [10, "flaechengewichtet"], [20, "flaechengewichtet"],
    ]  # fmt: skip


def test_area_weights_are_those_of_tobler() -> None:
    """Each source gives by the part of it that lies in a target; ours are whole numbers, so each within one."""
    old, new = [1, 1, 1, 1, 2, 2, 2, 3, 3], [1, 2, 2, 1, 1, 2, 3, 3, 3]
    values = {"k-01": 40.0, "k-02": 90.0, "k-03": 20.0}
    source = areas(old, 0).assign(value=list(values.values()))
    expected = area_interpolate(source, areas(new, 10), extensive_variables=["value"], allocate_total=False)["value"]
    found = convert(old, new, [0] * 9, values)["value"]
    assert (abs(found.to_numpy() - expected.to_numpy()) < 1).all()
    assert found.sum() == pytest.approx(expected.sum()) == 150
