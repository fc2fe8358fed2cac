"""The map of a release: Sozialräume and Kommunen in force, light enough for a web page.

Reads area polygons only; figures are joined by `area_id` in the reader's tool.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import geopandas as gpd
import pandas as pd
import shapely

from orchestration.home import REPOSITORY, Home
from orchestration.sql import literal

SIMPLIFY_METRES = 15.0
"""Neighbours are simplified together, so they stay glued."""
DECIMALS = 5
"""Of a degree; about one metre."""
ATTRIBUTION = "© GeoBasis-DE / BKG; Sozialräume: siehe Lieferung"


def accepted_areas(home: Home) -> gpd.GeoDataFrame:
    """One row per Sozialraum in force: sozialraum_id, name, ags, valid_from, is_synthetic, geometry (EPSG:25832)."""
    rows = duckdb.execute(
        f"""
        select a.sozialraum_id, a.name, a.ags, a.valid_from, a.is_synthetic, a.geometry_wkb
        from read_parquet({literal(home.raw / "sozialraeume/**/*.parquet")}, union_by_name = true) as a
        join read_parquet({literal(home.control / "delivery.parquet")}) as d using (delivery_id)
        where d.state = 'accepted'
        qualify row_number() over (partition by a.sozialraum_id order by a.valid_from desc) = 1
        order by a.sozialraum_id
        """
    ).df()
    geometry = shapely.from_wkb(rows.pop("geometry_wkb").map(bytes).to_numpy())
    return gpd.GeoDataFrame(rows, geometry=geometry, crs="EPSG:25832")


def write_areas_geojson(home: Home, target: Path) -> None:
    """GeoJSON in EPSG:4326 with area_id, level, name, parent_area_id; Kommunen are the union of their Sozialräume."""
    areas = accepted_areas(home)
    names = pd.read_csv(REPOSITORY / "seeds" / "kommunen.csv", dtype=str)
    areas["geometry"] = shapely.coverage_simplify(areas.geometry.to_numpy(), SIMPLIFY_METRES)
    sozialraeume = areas.rename(columns={"sozialraum_id": "area_id", "ags": "parent_area_id"}).assign(
        level="sozialraum"
    )
    kommunen = areas[["ags", "geometry"]].dissolve("ags", as_index=False).rename(columns={"ags": "area_id"})
    kommunen = kommunen.merge(names[["area_id", "name"]], on="area_id").assign(
        level="kommune", parent_area_id=kommunen["area_id"].str[:5]
    )
    columns = ["area_id", "level", "name", "parent_area_id", "geometry"]
    both = gpd.GeoDataFrame(pd.concat([kommunen[columns], sozialraeume[columns]]), crs=areas.crs).to_crs("EPSG:4326")
    features = [
        {
            "type": "Feature",
            "properties": {
                "area_id": row.area_id,
                "level": row.level,
                "name": row.name_,
                "parent_area_id": row.parent_area_id,
            },
            "geometry": _rounded(row.geometry),
        }
        for row in both.rename(columns={"name": "name_"}).itertuples()
    ]
    collection = {"type": "FeatureCollection", "attribution": ATTRIBUTION, "features": features}
    target.write_text(json.dumps(collection, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def _rounded(geometry: shapely.Geometry) -> dict:
    text = shapely.to_geojson(shapely.set_precision(geometry, 10**-DECIMALS, mode="pointwise"))
    return json.loads(text, parse_float=lambda number: round(float(number), DECIMALS))
