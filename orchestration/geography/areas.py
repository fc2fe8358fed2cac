"""The Sozialräume that are in force: polygons of the accepted GeoPackage delivery, in EPSG:25832.

Reads raw Parquet only. Assigning addresses to areas is `locate`; drawing them for the web is `publish`.
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import pyarrow.parquet as pq
import shapely

from orchestration.home import Home

CRS = "EPSG:25832"


def load_areas(home: Home) -> gpd.GeoDataFrame:
    """One row per Sozialraum in force: sozialraum_id, name, ags, valid_from, area_sqm (m²), is_synthetic, geometry.

    Empty where no delivery of `sozialraeume` is in force. Where several years are in force the latest counts.
    """
    from orchestration.gates.directory import accepted_raw

    paths = accepted_raw(home, "sozialraeume")
    return read_areas(paths[max(paths, key=lambda key: key[1])]) if paths else _no_areas()


def read_areas(path: Path) -> gpd.GeoDataFrame:
    """The areas of one raw Parquet file, ordered by id. Geometry is polygonal and valid, as the gate assures."""
    table = pq.read_table(path).to_pandas().sort_values("sozialraum_id", ignore_index=True)
    shapes = shapely.from_wkb(table["geometry_wkb"].to_numpy())
    columns = ["sozialraum_id", "name", "ags", "valid_from", "area_sqm", "is_synthetic"]
    return gpd.GeoDataFrame(table[columns], geometry=shapes, crs=CRS)


def _no_areas() -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"sozialraum_id": [], "ags": []}, geometry=gpd.GeoSeries([], crs=CRS), crs=CRS)
