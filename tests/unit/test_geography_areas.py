"""Versions of areas: a Kommune's set is complete and holds until its next one."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import pandas as pd
import shapely

from orchestration.geography.areas import CRS, areas_on, versions_of
from orchestration.geography.locate import locate_in_versions

FIRST, SECOND = dt.date(2015, 1, 1), dt.date(2019, 1, 1)


def delivery(day: dt.date, *entries: tuple[str, tuple[float, float, float, float]]) -> gpd.GeoDataFrame:
    ids = [entry[0] for entry in entries]
    frame = pd.DataFrame(
        {"sozialraum_id": ids, "name": ids, "ags": [i[:8] for i in ids], "valid_from": day, "is_synthetic": True}
    )
    shapes = [shapely.box(*box) for _, box in entries]
    return gpd.GeoDataFrame(frame.assign(area_sqm=shapely.area(shapes)), geometry=shapes, crs=CRS)


TWO_KOMMUNEN = delivery(
    FIRST, ("05378004-01", (0, 0, 1, 1)), ("05378004-02", (1, 0, 2, 1)), ("05378008-01", (5, 0, 6, 1))
)
MERGED = delivery(SECOND, ("05378004-03", (0, 0, 2, 1)))


def test_a_new_set_ends_the_old_one_of_its_kommune_only() -> None:
    versions = versions_of([TWO_KOMMUNEN, MERGED])
    ends = dict(zip(versions["sozialraum_id"], versions["valid_to"], strict=True))
    assert ends == {
        "05378004-01": dt.date(2018, 12, 31),
        "05378004-02": dt.date(2018, 12, 31),
        "05378004-03": None,
        "05378008-01": None,
    }
    assert list(areas_on(versions)["sozialraum_id"]) == ["05378004-03", "05378008-01"]
    assert list(areas_on(versions, dt.date(2018, 12, 31))["sozialraum_id"]) == [
        "05378004-01", "05378004-02", "05378008-01",
    ]  # fmt: skip
    assert areas_on(versions, dt.date(2014, 12, 31)).empty


def test_of_two_deliveries_of_one_version_the_last_counts() -> None:
    moved = delivery(FIRST, ("05378004-01", (0, 0, 1.5, 1)), ("05378004-02", (1.5, 0, 2, 1)))
    versions = versions_of([TWO_KOMMUNEN, moved])
    assert list(versions["area_sqm"]) == [1.5, 0.5, 1.0]


def test_a_point_is_located_once_in_every_version_of_its_kommune() -> None:
    points = pd.DataFrame({"ags": ["05378004", "05378008"], "ostwert": [1.5, 1.5], "nordwert": [0.5, 0.5]})
    located = locate_in_versions(points, versions_of([TWO_KOMMUNEN, MERGED]))
    assert located[["ags", "valid_from", "sozialraum_id"]].to_numpy().tolist() == [
        ["05378004", FIRST, "05378004-02"],
        ["05378004", SECOND, "05378004-03"],
        ["05378008", FIRST, None],
    ]


def test_without_areas_there_is_nothing() -> None:
    assert versions_of([]).empty
    assert areas_on(versions_of([])).empty
    assert locate_in_versions(pd.DataFrame({"ags": [], "ostwert": [], "nordwert": []}), versions_of([])).empty
