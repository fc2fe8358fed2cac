"""Simplified areas stay glued: wavy borders between squares, versions that move one border and keep the others."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import Polygon, box

from orchestration.geography.publish import in_crs, merged, simplified

EARLY, LATE = dt.date(2015, 1, 1), dt.date(2019, 1, 1)
EAST, NORTH = 366_000.0, 5_650_000.0
"""Near Bergisch Gladbach, so that reprojection is that of the county."""


def wavy(east: float, width: float = 3.0) -> list[tuple[float, float]]:
    """A border from south to north, 1 km long, with a corner every 10 m."""
    return [(EAST + east + width * (number % 2), NORTH + 10.0 * number) for number in range(101)]


def strip(left: list[tuple[float, float]], right: list[tuple[float, float]]) -> Polygon:
    return Polygon([*left, *reversed(right)])


def versions(*rows: tuple[str, dt.date, dt.date | None, Polygon]) -> gpd.GeoDataFrame:
    frame = pd.DataFrame(rows, columns=["sozialraum_id", "valid_from", "valid_to", "geometry"])
    frame["ags"] = frame["sozialraum_id"].str[:8]
    return gpd.GeoDataFrame(frame, crs="EPSG:25832")


@pytest.fixture
def recut() -> gpd.GeoDataFrame:
    """Three strips; in 2019 the border between the second and the third moves east, the first border does not."""
    lines = [wavy(0), wavy(1000), wavy(2000), wavy(2400), wavy(3000)]
    end = LATE - dt.timedelta(days=1)
    return versions(
        ("05378004-01", EARLY, end, strip(lines[0], lines[1])),
        ("05378004-02", EARLY, end, strip(lines[1], lines[2])),
        ("05378004-03", EARLY, end, strip(lines[2], lines[4])),
        ("05378004-01", LATE, None, strip(lines[0], lines[1])),
        ("05378004-02", LATE, None, strip(lines[1], lines[3])),
        ("05378004-03", LATE, None, strip(lines[3], lines[4])),
    )


def glued(areas: gpd.GeoDataFrame) -> bool:
    shapes = areas.geometry.to_numpy()
    return bool(shapely.is_valid(shapes).all() and shapely.coverage_is_valid(shapes))


@pytest.mark.parametrize("tolerance", [0, 15, 60])
def test_neighbours_stay_glued_in_every_version_and_in_both_systems(recut: gpd.GeoDataFrame, tolerance: float) -> None:
    small = simplified(recut, tolerance)
    assert small["sozialraum_id"].tolist() == recut["sozialraum_id"].tolist()
    for day in (EARLY, LATE):
        state = small[small["valid_from"] == day]
        for areas in (state, in_crs(state, "EPSG:25832"), in_crs(state, "EPSG:4326")):
            assert glued(areas)
            whole = shapely.union_all(areas.geometry.to_numpy())
            assert whole.geom_type == "Polygon" and not whole.interiors, "no gaps"
            assert shapely.area(areas.geometry.to_numpy()).sum() == pytest.approx(whole.area, rel=1e-9), "no overlaps"


def test_simplification_leaves_out_corners_and_moves_little(recut: gpd.GeoDataFrame) -> None:
    small = simplified(recut, 15)
    before, after = (shapely.get_num_coordinates(areas.geometry.to_numpy()).sum() for areas in (recut, small))
    assert after < before / 5
    assert (small.area / recut.area - 1).abs().max() < 0.01


def test_a_border_that_did_not_move_looks_the_same_in_both_versions(recut: gpd.GeoDataFrame) -> None:
    small = simplified(recut, 15)
    first = small[small["sozialraum_id"] == "05378004-01"].geometry.to_numpy()
    assert shapely.equals_identical(shapely.normalize(first[0]), shapely.normalize(first[1]))


def test_the_same_areas_give_the_same_coordinates_in_any_order(recut: gpd.GeoDataFrame) -> None:
    shuffled = simplified(recut.sample(frac=1, random_state=3), 15).sort_index()
    assert shapely.equals(shuffled.geometry.to_numpy(), simplified(recut, 15).geometry.to_numpy()).all()


def test_coordinates_are_rounded_to_a_decimetre(recut: gpd.GeoDataFrame) -> None:
    points = shapely.get_coordinates(simplified(recut, 15).geometry.to_numpy())
    assert np.allclose(points, points.round(1), atol=1e-9)
    degrees = shapely.get_coordinates(in_crs(simplified(recut, 15), "EPSG:4326").geometry.to_numpy())
    assert np.array_equal(degrees, degrees.round(6))


def test_what_two_areas_of_a_day_claim_goes_to_one() -> None:
    both = versions(
        ("05378004-01", EARLY, None, box(EAST, NORTH, EAST + 1010, NORTH + 1000)),
        ("05378008-01", EARLY, None, box(EAST + 1000, NORTH, EAST + 2000, NORTH + 1000)),
    )
    small = simplified(both, 0)
    assert glued(small)
    assert small.area.tolist() == [1_010_000, 990_000]


def test_kommunen_and_kreis_are_put_together_from_their_areas(recut: gpd.GeoDataFrame) -> None:
    today = simplified(recut, 15)[3:]
    whole = merged(today, today["ags"])
    assert whole.index.tolist() == ["05378004"]
    assert whole.geom_type.tolist() == ["Polygon"]
    assert whole.area.sum() == pytest.approx(today.area.sum())


def test_no_areas_give_none() -> None:
    assert simplified(versions(), 15).empty
