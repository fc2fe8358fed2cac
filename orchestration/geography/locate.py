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

from orchestration.geography.address_match import anschrift_path
from orchestration.geography.areas import load_versions
from orchestration.home import Home
from orchestration.sql import single_threaded

CHUNK = 1_000_000
"""Points at once: what bounds the memory."""
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
    ordered = areas.sort_values("sozialraum_id", ignore_index=True)
    shapes = ordered.geometry.to_numpy()
    east, north = points["ostwert"].to_numpy(float), points["nordwert"].to_numpy(float)
    kommunen = pd.concat([points["ags"], ordered["ags"]]).factorize()[0]
    own, owner = kommunen[: len(points)], kommunen[len(points) :]
    found = np.full(len(points), len(ordered), dtype=np.int64)
    for start in range(0, len(points), CHUNK):
        part = slice(start, start + CHUNK)
        found[part] = _lowest_area(east[part], north[part], own[part], shapes, owner)
    ids = np.array([*ordered["sozialraum_id"], None], dtype=object)
    return points.assign(sozialraum_id=ids[found])


def _lowest_area(
    east: np.ndarray, north: np.ndarray, own: np.ndarray, shapes: np.ndarray, owner: np.ndarray
) -> np.ndarray:
    """Per point the first of the areas of its own Kommune that it lies in; `len(shapes)` where there is none.

    The tree finds which boxes a point is in; then one prepared area after the other is asked about all its points.
    """
    found = np.full(len(east), len(shapes), dtype=np.int64)
    point, area = shapely.STRtree(shapes).query(shapely.points(east, north))
    near = own[point] == owner[area]
    point, area = point[near], area[near]
    order = np.argsort(area, kind="stable")
    point, area = point[order], area[order]
    asked, first = np.unique(area, return_index=True)
    for index, candidates in zip(asked, np.split(point, first)[1:], strict=True):
        candidates = candidates[found[candidates] == len(shapes)]
        shape = shapes[index]
        shapely.prepare(shape)
        found[candidates[shapely.intersects_xy(shape, east[candidates], north[candidates])]] = index
    return found


def locate_in_versions(points: pd.DataFrame, versions: gpd.GeoDataFrame) -> pd.DataFrame:
    """Every point once per version of its Kommune's areas: ags, ostwert, nordwert, valid_from, sozialraum_id.

    Ordered by Kommune, then as `points` are, then by version. A Kommune without areas has no rows.
    """
    of = points.groupby("ags", sort=False).indices
    parts = []
    for ags, areas in versions.groupby("ags", sort=True):
        own = points.iloc[of.get(ags, np.zeros(0, int))]
        days: list[dt.date] = sorted(areas["valid_from"].unique())
        located = [locate(own, areas[areas["valid_from"] == day]).assign(valid_from=day) for day in days]
        by_point = np.arange(len(days) * len(own)).reshape(len(days), len(own)).T.ravel()
        parts.append(pd.concat(located).iloc[by_point])
    if not parts:
        return SCHEMA.empty_table().to_pandas()
    return pd.concat(parts, ignore_index=True)[SCHEMA.names]


def write_verortung(home: Home) -> int:
    """Locate every distinct coordinate of the deliveries in force; returns the number of rows.

    Writes `raw/verortung/verortung.parquet` (ags, ostwert, nordwert, valid_from, sozialraum_id), ordered, so that the
    same deliveries give the same bytes.
    """
    from orchestration.gates.directory import accepted_raw, write_parquet

    paths = [str(path) for feed in LOCATED_FEEDS for path in accepted_raw(home, feed).values()]
    if anschrift_path(home).exists():
        paths.append(str(anschrift_path(home)))
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
