"""Areas as they are published: every version simplified in one piece, so that neighbours stay glued at any time.

Pure functions on polygons. Which files they go to is `release/geometry.py`; figures are joined by `area_id`.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

FIRST_TOLERANCE_M = 15.0
"""Finest simplification that is tried; a building is as wide."""
NODE_M = 0.01
"""Grid on which the borders of all versions are brought together: centimetres, as surveyed."""
DECIMALS = {"EPSG:25832": 1, "EPSG:4326": 6}
"""Of a metre and of a degree: a decimetre each."""


def simplified(versions: gpd.GeoDataFrame, tolerance_m: float) -> gpd.GeoDataFrame:
    """Versions (`areas.load_versions`) with simplified geometry in decimetres, same rows, EPSG:25832.

    The borders of all versions together cut the county into faces. These are simplified as one coverage
    (Visvalingam-Whyatt, `shapely.coverage_simplify`), and every area is put together from its faces: so areas fit each
    other in every state of the borders, and a border that did not move between two versions looks the same in both.
    Where two areas of one day overlap, the face goes to the lower id.
    """
    if versions.empty:
        return versions
    # Which corner is left out may depend on the order, so there is only one.
    ordered = versions.sort_values(["sozialraum_id", "valid_from"])
    faces = _faces(ordered.geometry.to_numpy())
    parts = _membership(faces, ordered)
    pieces = _rounded(shapely.coverage_simplify(faces, tolerance_m), "EPSG:25832")
    shapes = [shapely.coverage_union_all(pieces[own]) for own in _faces_per_row(parts, len(ordered))]
    return versions.set_geometry(gpd.GeoSeries(shapes, index=ordered.index, crs=versions.crs))


def merged(areas: gpd.GeoDataFrame, by: pd.Series) -> gpd.GeoSeries:
    """Union of (glued) areas per key, indexed by the key, ordered: Kommunen and the Kreis from their Sozialräume."""
    keys = sorted(by.unique())
    shapes = areas.geometry.to_numpy()
    return gpd.GeoSeries(
        [shapely.coverage_union_all(shapes[(by == key).to_numpy()]) for key in keys], index=keys, crs=areas.crs
    )


def in_crs(areas: gpd.GeoDataFrame, crs: str) -> gpd.GeoDataFrame:
    """Reprojected and rounded point by point: common corners stay common corners."""
    other = areas.to_crs(crs)
    return other.set_geometry(gpd.GeoSeries(_rounded(other.geometry.to_numpy(), crs), index=other.index, crs=crs))


def _rounded(shapes: np.ndarray, crs: str) -> np.ndarray:
    return np.asarray(shapely.transform(shapes, lambda points: np.round(points, DECIMALS[crs])))


def _faces(shapes: np.ndarray) -> np.ndarray:
    lines = shapely.union_all(shapely.boundary(shapes), grid_size=NODE_M)
    return np.array(shapely.get_parts(shapely.polygonize(shapely.get_parts(lines))))


def _membership(faces: np.ndarray, versions: gpd.GeoDataFrame) -> pd.DataFrame:
    """face, row (of versions), ordered: each face once per moment."""
    tree = shapely.STRtree(versions.geometry.to_numpy())
    face, row = tree.query(shapely.point_on_surface(faces), predicate="within")
    begin = pd.to_datetime(versions["valid_from"]).to_numpy()
    end = pd.to_datetime(versions["valid_to"]).fillna(pd.Timestamp.max.normalize()).to_numpy()
    pairs = pd.DataFrame({"face": face, "row": row, "id": versions["sozialraum_id"].to_numpy()[row]})
    pairs["begin"], pairs["end"] = begin[row], end[row]
    both = pairs.merge(pairs, on="face", suffixes=("", "_other"))
    lost = both[
        (both["id_other"] < both["id"]) & (both["begin_other"] <= both["end"]) & (both["begin"] <= both["end_other"])
    ]
    kept = pairs.merge(lost[["face", "row"]].drop_duplicates(), on=["face", "row"], how="left", indicator=True)
    return kept[kept["_merge"] == "left_only"][["face", "row"]].sort_values(["row", "face"], ignore_index=True)


def _faces_per_row(parts: pd.DataFrame, rows: int) -> list[np.ndarray]:
    starts = np.searchsorted(parts["row"].to_numpy(), np.arange(1, rows))
    return np.split(parts["face"].to_numpy(), starts)
