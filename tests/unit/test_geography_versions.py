"""What becomes of areas between two versions, on squares of 100 m."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from orchestration.geography.areas import CRS
from orchestration.geography.versions import correspondence, correspondences, same_since

AGS = "05378004"
NOBODY = pd.DataFrame({"old_area_id": [], "new_area_id": [], "persons": []})
Box = tuple[float, float, float, float]


def areas(boxes: dict[str, Box], day: dt.date = dt.date(2015, 1, 1)) -> gpd.GeoDataFrame:
    shapes = [shapely.box(*(100 * side for side in box)) for box in boxes.values()]
    ids = [f"{AGS}-{name}" for name in boxes]
    return gpd.GeoDataFrame({"sozialraum_id": ids, "ags": AGS, "valid_from": day}, geometry=shapes, crs=CRS)


def kinds(old: dict[str, Box], new: dict[str, Box]) -> dict[tuple[str | None, str | None], str]:
    table = correspondence(areas(old), areas(new), NOBODY)
    pairs = zip(table["old_area_id"], table["new_area_id"], strict=True)
    short = [tuple(i[-2:] if isinstance(i, str) else None for i in pair) for pair in pairs]
    return dict(zip(short, table["kind"], strict=True))


LEFT, RIGHT, BOTH = (0, 0, 1, 1), (1, 0, 2, 1), (0, 0, 2, 1)
CASES = {
    "unchanged": ({"01": LEFT}, {"01": LEFT}, {("01", "01"): "unveraendert"}),
    "drawn more exactly": ({"01": LEFT}, {"01": (0, 0, 1.004, 1)}, {("01", "01"): "unveraendert"}),
    "merged": (
        {"01": LEFT, "02": RIGHT}, {"03": BOTH}, {("01", "03"): "zusammengelegt", ("02", "03"): "zusammengelegt"},
    ),
    "one takes the other in": (
        {"01": LEFT, "02": RIGHT}, {"01": BOTH}, {("01", "01"): "verschoben", ("02", "01"): "zusammengelegt"},
    ),
    "split": ({"01": BOTH}, {"02": LEFT, "03": RIGHT}, {("01", "02"): "geteilt", ("01", "03"): "geteilt"}),
    "split off": ({"01": BOTH}, {"01": LEFT, "02": RIGHT}, {("01", "01"): "verschoben", ("01", "02"): "geteilt"}),
    "moved": (
        {"01": LEFT, "02": RIGHT},
        {"01": (0, 0, 0.7, 1), "02": (0.7, 0, 2, 1)},
        {("01", "01"): "verschoben", ("01", "02"): "verschoben", ("02", "02"): "verschoben"},
    ),
    "another id": ({"01": LEFT}, {"07": LEFT}, {("01", "07"): "umbenannt"}),
    "vanished and appeared": ({"01": LEFT}, {"02": (5, 5, 6, 6)}, {("01", None): "entfallen", (None, "02"): "neu"}),
    "another cut altogether": (
        {"01": LEFT, "02": RIGHT},
        {"03": (0, 0, 2, 0.5), "04": (0, 0.5, 2, 1)},
        {(a, b): "neu_zugeschnitten" for a in ("01", "02") for b in ("03", "04")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_kinds_of_change(name: str) -> None:
    old, new, expected = CASES[name]
    assert kinds(old, new) == expected


def test_shares_of_area_and_population_in_both_directions() -> None:
    old = areas({"01": LEFT, "02": RIGHT})
    new = areas({"01": (0, 0, 0.75, 1), "02": (0.75, 0, 2, 1)})
    persons = pd.DataFrame(
        [(f"{AGS}-01", f"{AGS}-01", 10), (f"{AGS}-01", f"{AGS}-02", 30), (f"{AGS}-02", f"{AGS}-02", 60)],
        columns=["old_area_id", "new_area_id", "persons"],
    )
    table = correspondence(old, new, persons)
    assert table["area_share"].tolist() == pytest.approx([0.75, 0.25, 1])
    assert table["area_share_back"].tolist() == pytest.approx([1, 0.2, 0.8])
    assert table["population_share"].tolist() == pytest.approx([0.25, 0.75, 1])
    assert table["population_share_back"].tolist() == pytest.approx([1, 1 / 3, 2 / 3])
    assert correspondence(old, new, NOBODY)["population_share"].isna().all()


def test_shapes_are_followed_over_several_versions_to_the_newest() -> None:
    days = [dt.date(year, 1, 1) for year in (2015, 2017, 2019)]
    versions = gpd.GeoDataFrame(
        pd.concat(
            [
                areas({"01": LEFT, "02": RIGHT}, days[0]),
                areas({"01": LEFT, "03": RIGHT}, days[1]),
                areas({"01": LEFT, "04": RIGHT}, days[2]),
            ],
            ignore_index=True,
        ),
        crs=CRS,
    )
    since = same_since(versions)
    assert since["same_since"].tolist() == [days[0], days[0], days[0], days[1], days[0], days[2]]
    persons = NOBODY.assign(ags=[], old_valid_from=[], new_valid_from=[])
    table = correspondences(versions, persons)
    renamed = table[table["kind"] == "umbenannt"]
    assert renamed[["old_area_id", "new_area_id", "is_next", "is_newest"]].to_numpy().tolist() == [
        [f"{AGS}-02", f"{AGS}-03", True, False],
        [f"{AGS}-02", f"{AGS}-04", False, True],
        [f"{AGS}-03", f"{AGS}-04", True, True],
    ]
    assert correspondences(versions[versions["valid_from"] == days[0]], persons).empty
    assert np.isclose(table.groupby(["old_valid_from", "new_valid_from", "old_area_id"])["area_share"].sum(), 1).all()
