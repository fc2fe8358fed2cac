"""What the release gate looks at in the maps of a release: same areas as the tables, glued, right CRS, small enough.

Reads the release folder only, as any reader would.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import pandas as pd
import pyogrio
import shapely

from orchestration.geography.areas import CRS
from orchestration.release.geometry import GEOJSON, GEOPACKAGE, LARGEST_GEOJSON_BYTES, WEB_CRS

LEVELS = {"kreis": "kreis", "kommunen": "kommune", "sozialraeume": "sozialraum"}
"""Layer of the GeoPackage → level of its areas."""
VALUES = {"kommunen_werte": "kommune", "sozialraeume_werte": "sozialraum"}
PART_OF_KREIS = 1e-6
"""Rounding to a decimetre may change the area of a level by this part of the Kreis."""
MOST_NAMED = 5
RULES = ("has_crs", "ids_match", "is_coverage", "fills_kreis")


def geometry_frame(release: Path) -> pd.DataFrame:
    """One row per file and layer with a yes or no per rule of the suite `freigabe_geometrie`."""
    areas = pd.read_parquet(
        release / "parquet" / "dim_area.parquet", columns=["area_id", "level", "valid_from", "valid_to"]
    )
    rows = []
    for name, crs in GEOJSON.items():
        whole = _read(release / name)
        for layer, level in LEVELS.items():
            own, kreis = _of(whole, level), _of(whole, "kreis")
            rows.append(_row(name, layer, own, areas[areas["level"] == level], crs, is_today=True, kreis=kreis))
    kreis = _read(release / GEOPACKAGE, "kreis")
    for layer, level in (LEVELS | VALUES).items():
        own = _read(release / GEOPACKAGE, layer)
        is_today = layer != "sozialraeume"
        rows.append(_row(GEOPACKAGE, layer, own, areas[areas["level"] == level], CRS, is_today=is_today, kreis=kreis))
    frame = pd.DataFrame(rows)
    sizes = {name: (release / name).stat().st_size if (release / name).exists() else 0 for name in frame["file"]}
    frame["size_bytes"] = frame["file"].map(sizes)
    on_page = frame["file"].map(GEOJSON).eq(WEB_CRS)
    return frame.assign(is_small=~on_page | (frame["size_bytes"] <= LARGEST_GEOJSON_BYTES))


def _read(path: Path, layer: str | None = None) -> gpd.GeoDataFrame | None:
    try:
        return pyogrio.read_dataframe(path, layer=layer)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError):
        return None


def _of(whole: gpd.GeoDataFrame | None, level: str) -> gpd.GeoDataFrame | None:
    """The areas of a level; a file without features has no columns either."""
    if whole is None or "level" not in whole:
        return whole if whole is None else whole.assign(valid_from=None, area_id=None)
    return whole[whole["level"] == level]


def _row(
    file: str,
    layer: str,
    own: gpd.GeoDataFrame | None,
    areas: pd.DataFrame,
    crs: str,
    *,
    is_today: bool,
    kreis: gpd.GeoDataFrame | None,
) -> dict[str, Any]:
    row: dict[str, Any] = {"file": file, "layer": layer, "wanted_crs": crs, "different_ids": ""}
    if own is None or kreis is None:
        # Said once; the other rules are about what can be read.
        return (
            row | dict.fromkeys(("has_crs", "ids_match", "is_coverage", "fills_kreis"), True) | {"is_readable": False}
        )
    wanted = areas[areas["valid_to"].isna()] if is_today else areas
    different = sorted(_keys(own) ^ _keys(wanted))
    if not layer.startswith("sozialraeume"):
        # A Kommune that has delivered no Sozialräume has no shape.
        different = sorted(_keys(own) - _keys(wanted))
    states = [own] if is_today else [_on(own, day) for day in sorted(own["valid_from"].unique())]
    today = own if is_today else own[own["valid_to"].isna()]
    size = shapely.area(kreis.geometry.to_numpy()).sum()
    return row | {
        "is_readable": True,
        "has_crs": own.crs == crs,
        "ids_match": not different,
        "different_ids": ", ".join(f"{area} ({day})" for area, day in different[:MOST_NAMED]),
        "is_coverage": all(_is_coverage(state) for state in states),
        "fills_kreis": bool(abs(shapely.area(today.geometry.to_numpy()).sum() - size) <= PART_OF_KREIS * size),
    }


def _keys(areas: pd.DataFrame) -> set[tuple[str, str]]:
    days = pd.to_datetime(areas["valid_from"]).dt.strftime("%Y-%m-%d")
    return set(zip(areas["area_id"], days, strict=True))


def _on(areas: gpd.GeoDataFrame, day: object) -> gpd.GeoDataFrame:
    return areas[(areas["valid_from"] <= day) & (areas["valid_to"].isna() | (areas["valid_to"] >= day))]


def _is_coverage(areas: gpd.GeoDataFrame) -> bool:
    shapes = areas.geometry.to_numpy()
    return bool(shapely.is_valid(shapes).all() and shapely.coverage_is_valid(shapes))
