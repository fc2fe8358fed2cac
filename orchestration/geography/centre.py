"""The population-weighted centre of every Sozialraum and version: where its people live, not where its forest lies.

Pure functions on places (coordinates with the number of residents). A centre never leads to an address: it is rounded
to a grid, and an area with few addresses or residents gets a point of its polygon instead.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa

GRID_M = 100.0
"""Centres lie on this grid, as small-area statistics do. Between two centres of an area lies then the weight of its
residents: from 100 residents on, the grid moves a single person's place by kilometres."""
MINIMUM_ADDRESSES = 30
MINIMUM_RESIDENTS = 100
"""Fewer make no centre of a population."""
WEIGHTED, GEOMETRIC = "bevoelkerungsgewichtet", "geometrisch"
SCHEMA = pa.schema(
    [
        ("area_id", pa.string()),
        ("valid_from", pa.date32()),
        ("east_m", pa.float64()),
        ("north_m", pa.float64()),
        ("centre_method", pa.string()),
        ("population_year", pa.int32()),
    ]
)


def centres(versions: gpd.GeoDataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """One row per area and version, ordered; columns of SCHEMA, coordinates in metres (EPSG:25832).

    versions: as `areas.load_versions` gives them. places: area_id, year, east_m, north_m, residents, of the area in
    which the people lived then; the newest year counts whose end falls into the version.
    Weighted: Σ(coordinate · residents) ÷ Σ residents. Geometric: shapely's representative point, which lies inside.
    """
    areas = versions.rename(columns={"sozialraum_id": "area_id"}).sort_values(["area_id", "valid_from"])
    areas = areas.reset_index(drop=True)
    inside = areas.geometry.representative_point()
    result = pd.DataFrame(
        {
            "area_id": areas["area_id"].astype(object),
            "valid_from": areas["valid_from"],
            "east_m": inside.x.round(),
            "north_m": inside.y.round(),
            "centre_method": GEOMETRIC,
            "population_year": pd.array([pd.NA] * len(areas), dtype="Int32"),
        }
    )
    weighted = _weighted(areas, places)
    rows = weighted["row"].to_numpy()
    result.loc[rows, ["east_m", "north_m"]] = weighted[["east_m", "north_m"]].to_numpy()
    result.loc[rows, "centre_method"] = WEIGHTED
    result.loc[rows, "population_year"] = weighted["year"].astype("int32").to_numpy()
    return result


def _weighted(areas: pd.DataFrame, places: pd.DataFrame) -> pd.DataFrame:
    """row (of `areas`), year, east_m, north_m where enough people live at enough addresses."""
    weights = places["residents"].to_numpy(float)
    moments = places[["area_id", "year", "residents"]].assign(
        east=places["east_m"].to_numpy(float) * weights, north=places["north_m"].to_numpy(float) * weights, addresses=1
    )
    per_year = moments.groupby(["area_id", "year"], as_index=False).sum()
    ends = pd.to_datetime(areas["valid_to"]).fillna(pd.Timestamp.max.normalize())
    spans = pd.DataFrame(
        {
            "area_id": areas["area_id"],
            "row": np.arange(len(areas)),
            "begin": pd.to_datetime(areas["valid_from"]),
            "end": ends,
        }
    )
    fitting = spans.merge(per_year, on="area_id")
    last_day = pd.to_datetime(fitting["year"].astype(str) + "-12-31")
    fitting = fitting[(fitting["begin"] <= last_day) & (last_day <= fitting["end"])]
    newest = fitting.sort_values(["row", "year"]).drop_duplicates("row", keep="last")
    enough = (newest["addresses"] >= MINIMUM_ADDRESSES) & (newest["residents"] >= MINIMUM_RESIDENTS)
    newest = newest[enough]
    return pd.DataFrame(
        {
            "row": newest["row"],
            "year": newest["year"],
            "east_m": _on_grid(newest["east"] / newest["residents"]),
            "north_m": _on_grid(newest["north"] / newest["residents"]),
        }
    )


def _on_grid(metres: pd.Series) -> pd.Series:
    return (metres / GRID_M).round() * GRID_M
