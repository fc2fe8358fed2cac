"""Which Sozialraum a delivered coordinate lies in: of the population registers and of the list of services.

Set-based point-in-polygon on the distinct coordinates, never on persons. A point that lies in no Sozialraum of its own
Kommune stays without one ("nicht verortbar") and is never dropped.
"""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely

from orchestration.geography.areas import load_versions
from orchestration.home import Home
from orchestration.sql import single_threaded

LOCATED_FEEDS = ("einwohner", "angebote")
"""Feeds whose raw rows have ags, ostwert, nordwert."""
SCHEMA = pa.schema(
    [
        ("ags", pa.string()),
        ("ostwert", pa.float64()),
        ("nordwert", pa.float64()),
        ("valid_from", pa.date32()),
        ("sozialraum_id", pa.string()),
    ]
)


def locate(points: pd.DataFrame, areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Add `sozialraum_id` to distinct points (ags, ostwert, nordwert; EPSG:25832 metres), in their order.

    Only a Sozialraum of the point's own Kommune counts. A point on a common border goes to the lowest id. None where
    it lies in no area. Raises ValueError when the areas are in another coordinate system.
    """
    if areas.crs is not None and areas.crs.to_epsg() != 25832:
        raise ValueError(f"areas must be in EPSG:25832, not {areas.crs}")
    found = np.full(len(points), len(areas), dtype=np.int64)
    ordered = areas.sort_values("sozialraum_id", ignore_index=True)
    if len(points) and len(ordered):
        shapes = shapely.points(points["ostwert"].to_numpy(float), points["nordwert"].to_numpy(float))
        tree = shapely.STRtree(ordered.geometry.to_numpy())
        point, area = tree.query(shapes, predicate="intersects")
        own = points["ags"].to_numpy()[point] == ordered["ags"].to_numpy()[area]
        np.minimum.at(found, point[own], area[own])
    ids = np.array([*ordered["sozialraum_id"], None], dtype=object)
    return points.assign(sozialraum_id=ids[found])


def locate_in_versions(points: pd.DataFrame, versions: gpd.GeoDataFrame) -> pd.DataFrame:
    """Every point once per version of its Kommune's areas: ags, ostwert, nordwert, valid_from, sozialraum_id.

    Ordered by ags, ostwert, nordwert, valid_from. A Kommune without areas has no rows.
    """
    parts = []
    for ags, areas in versions.groupby("ags", sort=True):
        own = points[points["ags"] == ags]
        days: list[dt.date] = sorted(areas["valid_from"].unique())
        parts += [locate(own, areas[areas["valid_from"] == day]).assign(valid_from=day) for day in days]
    if not parts:
        return SCHEMA.empty_table().to_pandas()
    located = pd.concat(parts, ignore_index=True)[SCHEMA.names]
    return located.sort_values(SCHEMA.names[:4], ignore_index=True)


def write_verortung(home: Home) -> int:
    """Locate every distinct coordinate of the deliveries in force; returns the number of rows.

    Writes `raw/verortung/verortung.parquet` (ags, ostwert, nordwert, valid_from, sozialraum_id), ordered, so that the
    same deliveries give the same bytes.
    """
    from orchestration.gates.directory import accepted_raw, write_parquet

    paths = [str(path) for feed in LOCATED_FEEDS for path in accepted_raw(home, feed).values()]
    located = locate_in_versions(distinct_coordinates(paths), load_versions(home))
    table = pa.Table.from_pandas(located, schema=SCHEMA, preserve_index=False).replace_schema_metadata()
    write_parquet(table, home.raw / "verortung" / "verortung.parquet")
    return len(located)


def distinct_coordinates(paths: list[str]) -> pd.DataFrame:
    """ags, ostwert, nordwert of every place in the raw files, ordered."""
    if not paths:
        return pd.DataFrame({"ags": [], "ostwert": [], "nordwert": []})
    with single_threaded() as connection:
        return connection.execute(
            """
            select distinct ags, ostwert, nordwert
            from read_parquet(?, union_by_name = true)
            where ostwert is not null and nordwert is not null
            order by ags, ostwert, nordwert
            """,
            [paths],
        ).df()
