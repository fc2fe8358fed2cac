"""Centres of population and reach of services, with distances that can be worked out by hand."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from orchestration.geography.centre import GRID_M, MINIMUM_ADDRESSES, centres
from orchestration.geography.reach import MINIMUM_RESIDENTS, access, published_share

A, B = "05378004-01", "05378008-01"
KIND = {"theme_id": "bildung", "target_group": "familien"}
KINDS = pd.DataFrame([KIND])
CENTRES = pd.DataFrame({"area_id": [A, B], "east_m": [0.0, 10_000.0], "north_m": [0.0, 0.0]})


def places(*rows: tuple[str, float, float, int], year: int = 2023) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["area_id", "east_m", "north_m", "residents"])
    return frame.assign(year=year)


def services(*rows: tuple[str, float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["service_id", "east_m", "north_m"])
    return frame.astype({"east_m": float, "north_m": float}).assign(**KIND)


def version(area: str, begin: int, end: int | None) -> dict:
    to = dt.date(end, 12, 31) if end else None
    return {
        "sozialraum_id": area,
        "valid_from": dt.date(begin, 1, 1),
        "valid_to": to,
        "geometry": box(0, 0, 2000, 1000),
    }


def areas(*rows: dict) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(list(rows), crs="EPSG:25832")


def street(area: str, north: float, residents: int, year: int, houses: int = MINIMUM_ADDRESSES) -> pd.DataFrame:
    """Houses along a street from east 0 to 1,000 m, with as many residents each."""
    east = np.linspace(0, 1000, houses)
    return places(*[(area, float(x), north, residents) for x in east], year=year)


def test_the_centre_lies_where_the_people_live_and_on_the_grid() -> None:
    # 300 persons 0 m and 900 persons 1,000 m north: 750 m; rounded to the grid (half to even) 800 m.
    where = pd.concat([street(A, 0, 10, 2023), street(A, 1000, 30, 2023)])
    found = centres(areas(version(A, 2015, None)), where).iloc[0]
    assert (found["east_m"], found["north_m"]) == (500, 800)
    assert (found["centre_method"], found["population_year"]) == ("bevoelkerungsgewichtet", 2023)
    assert found["east_m"] % GRID_M == found["north_m"] % GRID_M == 0


def test_few_addresses_or_residents_give_a_point_of_the_area_that_tells_nothing() -> None:
    one_house_less = centres(areas(version(A, 2015, None)), street(A, 900, 10, 2023, houses=MINIMUM_ADDRESSES - 1))
    few_people = centres(areas(version(A, 2015, None)), street(A, 900, 3, 2023))
    for found in (one_house_less.iloc[0], few_people.iloc[0]):
        assert (found["east_m"], found["north_m"], found["centre_method"]) == (1000, 500, "geometrisch")
        assert pd.isna(found["population_year"])


def test_each_version_has_the_centre_of_its_own_newest_year() -> None:
    versions = areas(version(A, 2010, 2014), version(A, 2015, 2018), version(A, 2019, None))
    where = pd.concat([street(A, 100 * (year - 2010), 10, year) for year in (2016, 2018, 2019, 2023)])
    found = centres(versions, where)
    assert found["population_year"].tolist() == [pd.NA, 2018, 2023]
    assert found["north_m"].tolist() == [500, 800, 1300]


def test_distance_is_straight_and_the_nearest_service_may_lie_in_another_area() -> None:
    # From A: 3-4-5 triangle to S2; from B, S2 is nearer too.
    offered = services(("S1", -9000, 0), ("S2", 3000, 4000))
    found = access(CENTRES, places((A, 0, 0, 200), (B, 10_000, 0, 200)), offered, KINDS).set_index("area_id")
    assert found["distance_m"].to_dict() == {A: 5000, B: pytest.approx(8060)}
    assert found["nearest_service_id"].to_dict() == {A: "S2", B: "S2"}
    assert set(found["method"]) == {"luftlinie"}


def test_reach_counts_residents_at_their_addresses() -> None:
    # 100 at 500 m, 50 at 501 m, 50 at 2,001 m from the service.
    homes = places((A, 500, 0, 100), (A, 0, 501, 50), (A, 0, -2001, 50))
    found = access(CENTRES, homes, services(("S", 0, 0)), KINDS).set_index("area_id").loc[A]
    assert [found[f"share_{r}m_percent"] for r in (500, 1000, 2000)] == [50, 75, 75]
    assert (found["value_status"], found["share_status"]) == ("ok", "ok")


def test_what_is_missing_is_never_zero() -> None:
    homes = places((A, 0, 0, MINIMUM_RESIDENTS - 1))
    nowhere = services(("S", np.nan, np.nan))
    other = services(("S", 0, 0)).assign(target_group="senioren")

    def statuses(offered: pd.DataFrame | None) -> list[tuple]:
        rows = access(CENTRES, homes, offered, KINDS)
        assert rows.loc[rows["share_status"] != "ok", "share_500m_percent"].isna().all()
        assert rows.loc[rows["value_status"] != "ok", "distance_m"].isna().all()
        return list(zip(rows["area_id"], rows["value_status"], rows["share_status"], strict=True))

    assert statuses(None) == [(A, "missing", "missing"), (B, "missing", "missing")], "no list of that year"
    assert statuses(nowhere) == [(A, "missing", "missing"), (B, "missing", "missing")], "nobody knows where it is"
    nothing = [(A, "not_applicable", "not_applicable"), (B, "not_applicable", "not_applicable")]
    assert statuses(other) == nothing, "nothing of the kind on offer"
    # A has 99 residents; of B's Kommune there is no register.
    assert statuses(services(("S", 0, 0))) == [(A, "ok", "suppressed"), (B, "ok", "missing")]


def test_no_share_tells_of_one_or_two_persons() -> None:
    """For every count in areas of many sizes: neither the count, nor the rest, nor a ring between two radii.

    An outsider knows the residents and the published shares. Whatever counts fit them, something other than one or two
    persons (nobody, or three and more) must be among them.
    """
    for residents in [*range(100, 140), 199, 200, 333, 500, 777, 1000, 2501]:
        counts = np.arange(residents + 1)
        share = published_share(counts.astype(float), np.full(residents + 1, residents))
        assert (np.diff(share) >= 0).all()
        fitting = [counts[share == value] for value in np.unique(share)]
        for low, high in ((own.min(), own.max()) for own in fitting):
            assert low == 0 or high >= 3, (residents, low, high)
            assert high == residents or residents - low >= 3, (residents, low, high)
        for inner in fitting:
            for outer in fitting:
                if outer.max() >= inner.max():
                    least, most = max(0, outer.min() - inner.max()), outer.max() - inner.min()
                    assert least == 0 or most >= 3, (residents, least, most)


def test_a_plain_share_would_tell() -> None:
    """What the rounding is for: 41 % less 40 % of a hundred residents is one person."""
    rounded = published_share(np.array([40.0, 41.0]), np.array([100, 100]))
    assert rounded.tolist() == [40, 40]


def test_shares_exist_from_a_hundred_residents_on() -> None:
    assert np.isnan(published_share(np.array([50.0]), np.array([99])))
    assert published_share(np.array([0.0, 98.0, 100.0]), np.array([100, 100, 100])).tolist() == [0, 100, 100]
