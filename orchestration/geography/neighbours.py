"""Which Sozialräume lie beside each other, and how long their common border is, in every state of the borders.

Pure functions on polygons; across the borders of Kommunen too. Neighbours share a line (rook contiguity), not only a
corner: whether four areas meet in one point or in two points a metre apart is chance of drawing, a common line is not.
"""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import shapely

from orchestration.geography.areas import areas_on

MINIMUM_BORDER_M = 10.0
"""A shorter common border is a corner."""
SNAP_M = 1.0
"""Lines that lie closer together are one line that was drawn twice."""
GAP_M = 30.0
"""Enclosed gaps up to this width lie between neighbours: Kommunen draw their common border each for itself."""
SCHEMA = pa.schema(
    [
        ("valid_from", pa.date32()),
        ("valid_to", pa.date32()),
        ("area_id", pa.string()),
        ("neighbour_area_id", pa.string()),
        ("border_m", pa.float64()),
    ]
)


def neighbours(areas: gpd.GeoDataFrame) -> pd.DataFrame:
    """Sozialräume of one day (sozialraum_id, geometry; metres) → area_id, neighbour_area_id, border_m (whole metres).

    Both directions of every pair, ordered. An area without neighbours has one row in which the other two are NULL, so
    no area is lost. The tolerances above serve the comparison alone; nobody's polygon is changed.
    """
    # Takes seconds to import, and the job's other steps do without it.
    from libpysal.graph import Graph

    ordered = areas.sort_values("sozialraum_id", ignore_index=True)
    if len(ordered) < 2:
        return _as_rows(ordered["sozialraum_id"], pd.Series([], dtype=float))
    cleaned = shapely.coverage_clean(ordered.geometry.to_numpy(), gap_width=GAP_M, snapping_distance=SNAP_M)
    coverage = gpd.GeoSeries(cleaned, index=ordered["sozialraum_id"].astype(str).to_numpy(), crs=areas.crs)
    graph = Graph.build_contiguity(coverage, rook=True, by_perimeter=True)
    return _as_rows(ordered["sozialraum_id"], graph.adjacency)


def neighbours_over_time(versions: gpd.GeoDataFrame) -> pd.DataFrame:
    """`neighbours` of every period in which no border moves: valid_from, valid_to (None: today) and its columns.

    versions: as `areas.load_versions` gives them.
    """
    days: list[dt.date] = sorted(versions["valid_from"].unique())
    ends = [*(day - dt.timedelta(days=1) for day in days[1:]), None]
    parts = [
        neighbours(areas_on(versions, day)).assign(valid_from=day, valid_to=end)
        for day, end in zip(days, ends, strict=True)
    ]
    if not parts:
        return SCHEMA.empty_table().to_pandas()
    return pd.concat([part.astype({"valid_to": object}) for part in parts], ignore_index=True)[SCHEMA.names]


def _as_rows(area_ids: pd.Series, adjacency: pd.Series) -> pd.DataFrame:
    """Weights by (focal, neighbour) → rows; what is shorter than a border, and the graph's own mark for islands, go."""
    long_enough = adjacency[adjacency >= MINIMUM_BORDER_M].round().rename("border_m")
    rows = long_enough.rename_axis(["area_id", "neighbour_area_id"]).reset_index() if len(long_enough) else None
    every = pd.DataFrame({"area_id": area_ids.astype(object)})
    if rows is None:
        return every.assign(neighbour_area_id=None, border_m=float("nan"))
    joined = every.merge(rows.astype({"area_id": object}), on="area_id", how="left")
    joined["neighbour_area_id"] = joined["neighbour_area_id"].astype(object).where(joined["border_m"].notna(), None)
    return joined.sort_values(["area_id", "neighbour_area_id"], ignore_index=True)
