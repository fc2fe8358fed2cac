"""The Sozialräume that are in force: polygons of the accepted deliveries in their versions, in EPSG:25832.

Reads raw Parquet only. Assigning addresses to areas is `locate`; what a new version changed is `versions`; drawing
areas for the web is `publish`.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow.parquet as pq
import shapely

from orchestration.home import Home

CRS = "EPSG:25832"
COLUMNS = ["sozialraum_id", "name", "ags", "valid_from", "valid_to", "area_sqm", "is_synthetic"]


def load_versions(home: Home) -> gpd.GeoDataFrame:
    """One row per Sozialraum and version in force, ordered by sozialraum_id, valid_from.

    Columns sozialraum_id, name, ags, valid_from, valid_to (dates; valid_to None: still valid), area_sqm (m²),
    is_synthetic, geometry (EPSG:25832). A version is the set of a Kommune's areas with one valid_from; it ends the day
    before the Kommune's next one. Where several deliveries hold the same version, the one of the latest year counts; of
    one year that of the Kommune before that of the Kreis, delivered areas before those derived from a street list.
    Empty where no delivery of `sozialraeume` is in force.
    """
    from orchestration.gates.directory import accepted_raw
    from orchestration.geography.street_areas import street_area_paths

    found = [(*key, True, path) for key, path in accepted_raw(home, "sozialraeume").items()]
    found += [(*key, False, path) for key, path in street_area_paths(home).items()]
    found.sort(key=lambda one: (one[1], one[0] != "kreis", one[0], one[2]))
    return versions_of([read_areas(path) for *_, path in found])


def load_areas(home: Home, day: dt.date | None = None) -> gpd.GeoDataFrame:
    """The areas that are valid on a day, one row per Sozialraum as in `load_versions`; None: each Kommune's newest."""
    return areas_on(load_versions(home), day)


def areas_on(versions: gpd.GeoDataFrame, day: dt.date | None = None) -> gpd.GeoDataFrame:
    """The versions that are valid on a day (None: the newest of every Kommune)."""
    ends = versions["valid_to"]
    valid = ends.isna() if day is None else (versions["valid_from"] <= day) & (ends.isna() | (ends >= day))
    return versions[valid].reset_index(drop=True)


def versions_of(deliveries: list[gpd.GeoDataFrame]) -> gpd.GeoDataFrame:
    """Deliveries (as `read_areas` gives them, the decisive one last) → versions with `valid_to`."""
    if not deliveries:
        return _no_areas()
    rows = pd.concat([frame.assign(delivery=number) for number, frame in enumerate(deliveries)], ignore_index=True)
    decisive = rows.groupby(["ags", "valid_from"])["delivery"].transform("max")
    rows = rows[rows["delivery"] == decisive]
    starts = rows[["ags", "valid_from"]].drop_duplicates().sort_values(["ags", "valid_from"])
    following = starts.groupby("ags")["valid_from"].shift(-1)
    starts["valid_to"] = [None if pd.isna(day) else day - dt.timedelta(days=1) for day in following]
    rows = rows.merge(starts, on=["ags", "valid_from"]).sort_values(["sozialraum_id", "valid_from"], ignore_index=True)
    return gpd.GeoDataFrame(rows[COLUMNS], geometry=rows["geometry"].to_numpy(), crs=CRS)


def read_areas(path: Path) -> gpd.GeoDataFrame:
    """The areas of one raw Parquet file, ordered by id. Geometry is polygonal and valid, as the gate assures."""
    table = pq.read_table(path).to_pandas().sort_values("sozialraum_id", ignore_index=True)
    shapes = shapely.from_wkb(table["geometry_wkb"].to_numpy())
    return gpd.GeoDataFrame(table[[name for name in COLUMNS if name != "valid_to"]], geometry=shapes, crs=CRS)


def _no_areas() -> gpd.GeoDataFrame:
    empty = {name: pd.Series([], dtype=object) for name in COLUMNS}
    return gpd.GeoDataFrame(empty, geometry=gpd.GeoSeries([], crs=CRS), crs=CRS)
