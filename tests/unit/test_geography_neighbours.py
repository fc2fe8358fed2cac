"""Neighbours of squares whose common borders can be counted by hand."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import pytest
from shapely import MultiPolygon, box
from shapely.geometry.base import BaseGeometry

from orchestration.geography.neighbours import GAP_M, MINIMUM_BORDER_M, neighbours, neighbours_over_time

EARLY, LATE = dt.date(2015, 1, 1), dt.date(2019, 1, 1)


def areas(**shapes: BaseGeometry) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"sozialraum_id": list(shapes)}, geometry=list(shapes.values()), crs="EPSG:25832")


def pairs(frame: gpd.GeoDataFrame) -> dict[tuple[str, str | None], float]:
    rows = neighbours(frame)
    return {(a, b): border for a, b, border in rows.itertuples(index=False)}


def test_squares_in_a_row_share_their_sides() -> None:
    found = pairs(areas(c=box(2000, 0, 3000, 1000), a=box(0, 0, 1000, 1000), b=box(1000, 0, 2000, 1000)))
    assert found == {("a", "b"): 1000, ("b", "a"): 1000, ("b", "c"): 1000, ("c", "b"): 1000}
    assert list(found) == sorted(found), "ordered, whatever the order of the areas"


def test_a_corner_is_no_border_and_an_area_without_neighbours_stays_in_the_list() -> None:
    rows = neighbours(areas(a=box(0, 0, 1000, 1000), b=box(1000, 1000, 2000, 2000)))
    assert rows["area_id"].tolist() == ["a", "b"]
    assert rows["neighbour_area_id"].tolist() == [None, None]
    assert rows["border_m"].isna().all()


def test_a_border_shorter_than_ten_metres_is_a_corner() -> None:
    short, long = MINIMUM_BORDER_M - 1, MINIMUM_BORDER_M + 1
    frame = areas(a=box(0, 0, 1000, 1000), b=box(1000, 1000 - short, 2000, 2000), c=box(1000, -500, 2000, long))
    assert pairs(frame) == {("a", "c"): long, ("c", "a"): long, ("b", None): pytest.approx(float("nan"), nan_ok=True)}


def test_a_side_that_meets_two_areas_is_divided_between_them() -> None:
    found = pairs(areas(a=box(0, 0, 1000, 1000), b=box(1000, 0, 2000, 300), c=box(1000, 300, 2000, 1000)))
    assert found["a", "b"] == 300
    assert found["a", "c"] == 700
    assert found["b", "c"] == 1000


def test_a_line_that_two_kommunen_drew_half_a_metre_apart_is_one_border() -> None:
    found = pairs(areas(a=box(0, 0, 1000, 1000), b=box(1000.5, 0, 2000, 1000)))
    assert found["a", "b"] == pytest.approx(1000, abs=1)


def test_an_overlap_and_an_enclosed_gap_do_not_part_neighbours() -> None:
    wide = GAP_M - 5
    ring = box(-100, -100, 2100, 1100).difference(box(0, 0, 2000, 1000))
    frame = areas(a=box(0, 0, 1000 - wide, 1000), b=box(1000, 0, 1910, 1000), c=box(1900, 0, 2000, 1000), ring=ring)
    found = pairs(frame)
    assert found["a", "b"] == pytest.approx(1000, abs=1)
    assert ("b", "c") in found


def test_an_area_of_two_pieces_is_neighbour_of_both_sides_and_of_the_piece_between() -> None:
    outer = MultiPolygon([box(0, 0, 1000, 1000), box(2000, 0, 3000, 1000)])
    assert pairs(areas(a=outer, b=box(1000, 0, 2000, 1000))) == {("a", "b"): 2000, ("b", "a"): 2000}


def test_one_area_alone_and_none_at_all() -> None:
    assert neighbours(areas(a=box(0, 0, 1, 1)))["area_id"].tolist() == ["a"]
    assert neighbours(areas()).empty


def test_every_move_of_a_border_begins_a_period_and_the_last_one_has_no_end() -> None:
    versions = gpd.GeoDataFrame(
        {
            "sozialraum_id": ["a", "b", "c"],
            "valid_from": [EARLY, EARLY, LATE],
            "valid_to": [None, LATE - dt.timedelta(days=1), None],
        },
        geometry=[box(0, 0, 1000, 1000), box(1000, 0, 2000, 1000), box(1000, 0, 2000, 400)],
        crs="EPSG:25832",
    )
    rows = neighbours_over_time(versions)
    assert rows.to_records(index=False).tolist() == [
        (EARLY, dt.date(2018, 12, 31), "a", "b", 1000),
        (EARLY, dt.date(2018, 12, 31), "b", "a", 1000),
        (LATE, None, "a", "c", 400),
        (LATE, None, "c", "a", 400),
    ]
