"""The geometry of a release: `areas.gpkg` for GIS, `areas.geojson` for the page, `areas_25832.geojson` for both.

Names, versions and figures come from the release's own Parquet files, so nothing is in a map that is not in a mart.
The GeoPackage has the same bytes every time: OGR takes its time stamp from the release (OGR_CURRENT_DATE), and SQLite
writes the same pages for the same statements.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyogrio
import shapely

from orchestration.geography import publish
from orchestration.geography.areas import CRS
from orchestration.release import qgis_style
from orchestration.sql import literal, single_threaded

WEB_CRS = "EPSG:4326"
GEOPACKAGE = "areas.gpkg"
GEOJSON = {"areas.geojson": WEB_CRS, "areas_25832.geojson": CRS}
GEOPACKAGE_VERSION = "1.3"
"""What QGIS 3.22 (Debian 12) knows without a warning."""
GEOMETRY_FILES = (GEOPACKAGE, *GEOJSON)
LARGEST_GEOJSON_BYTES = 300_000
"""The whole county on a page."""
ATTRIBUTION = "© GeoBasis-DE / BKG; Sozialräume: siehe Lieferung"
LAYERS = ("kreis", "kommunen", "sozialraeume", "kommunen_werte", "sozialraeume_werte", "mittelpunkte")
VERSION_COLUMNS = ["area_id", "level", "name", "parent_area_id", "valid_from"]
SHOWN_FIRST = "sgb2_under_15_share"

DIMENSION = """
    select area_key, area_id, level, name, short_name, parent_area_id, valid_from, valid_to, area_sqkm, is_synthetic
    from read_parquet($path)
    where level != 'nicht_verortbar'
    order by area_id, valid_from
"""
LATEST = """
    with facts as (
        select f.area_id, f.year, f.indicator_id, f.value, f.value_status, f.boundary
        from read_parquet($facts) as f
        join read_parquet($areas) as a on f.area_id = a.area_id and a.valid_to is null
        where a.level in ('kommune', 'sozialraum')
    ),
    newest as (
        select indicator_id, max(year) as year from facts where value is not null group by indicator_id
    )
    select area_id, indicator_id, year, value, value_status
    from facts
    join newest using (indicator_id, year)
    qualify row_number() over (partition by area_id, indicator_id order by boundary = 'current' desc, boundary) = 1
    order by area_id, indicator_id
"""
CENTRES = "select * from read_parquet($path) order by area_id, valid_from"
INDICATORS = "select indicator_id, title, unit from read_parquet($path) order by indicator_id"
UNITS = {
    "percent": "%",
    "per_1000": "je 1.000",
    "sqm_per_person": "m² je Person",
    "years": "Jahre",
    "eur_per_sqm": "€ je m²",
}


@dataclass(frozen=True)
class Maps:
    """Areas of every level with the columns of dim_area, in EPSG:25832, simplified with `tolerance_m`."""

    kreis: gpd.GeoDataFrame
    kommunen: gpd.GeoDataFrame
    sozialraeume: gpd.GeoDataFrame
    tolerance_m: float

    @property
    def today(self) -> gpd.GeoDataFrame:
        """What is valid now, larger areas first."""
        now = self.sozialraeume[self.sozialraeume["valid_to"].isna()]
        return gpd.GeoDataFrame(pd.concat([self.kreis, self.kommunen, now], ignore_index=True), crs=CRS)


def write_geometry(versions: gpd.GeoDataFrame, building: Path) -> None:
    """Write the three files into a release folder that has its `parquet/`.

    versions: as `areas.load_versions` gives them. The simplification is doubled until the page's file is small enough.
    """
    parquet = building / "parquet"
    dimension = _query(DIMENSION, path=parquet / "dim_area.parquet")
    tolerance = publish.FIRST_TOLERANCE_M
    maps = _maps(versions, dimension, tolerance)
    while len(content := _geojson(maps.today, WEB_CRS)) > LARGEST_GEOJSON_BYTES:
        tolerance *= 2
        maps = _maps(versions, dimension, tolerance)
    (building / "areas.geojson").write_bytes(content)
    (building / "areas_25832.geojson").write_bytes(_geojson(maps.today, CRS))
    _write_geopackage(maps, parquet, building / GEOPACKAGE)


def _query(sql: str, **paths: Path) -> pd.DataFrame:
    with single_threaded() as connection:
        for name, path in paths.items():
            sql = sql.replace(f"${name}", literal(path))
        return connection.execute(sql).df()


def _maps(versions: gpd.GeoDataFrame, dimension: pd.DataFrame, tolerance_m: float) -> Maps:
    shapes = publish.simplified(versions, tolerance_m)
    shapes = shapes.assign(valid_from=pd.to_datetime(shapes["valid_from"]))
    dimension = dimension.assign(valid_from=pd.to_datetime(dimension["valid_from"]))
    keyed = shapes.rename(columns={"sozialraum_id": "area_id"})[["area_id", "valid_from", "geometry"]]
    sozialraeume = keyed.merge(dimension, on=["area_id", "valid_from"]).sort_values(["area_id", "valid_from"])
    today = shapes[shapes["valid_to"].isna()]
    kommunen = publish.merged(today, today["ags"]).rename_axis("area_id").rename("geometry").reset_index()
    kreis = publish.merged(today, today["ags"].str[:5]).rename_axis("area_id").rename("geometry").reset_index()
    return Maps(
        kreis=_columns(kreis.merge(dimension, on="area_id"), dimension),
        kommunen=_columns(kommunen.merge(dimension, on="area_id"), dimension),
        sozialraeume=_columns(sozialraeume, dimension),
        tolerance_m=tolerance_m,
    )


def _columns(areas: pd.DataFrame, dimension: pd.DataFrame) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(areas[[*dimension.columns, "geometry"]].reset_index(drop=True), crs=CRS)


# --- GeoJSON ---------------------------------------------------------------------------------------------------------


def _geojson(areas: gpd.GeoDataFrame, crs: str) -> bytes:
    """RFC 7946; another CRS than WGS 84 is named as GeoJSON 2008 did, which QGIS and GDAL read."""
    placed = publish.in_crs(areas, crs)
    days = placed["valid_from"].dt.strftime("%Y-%m-%d")
    records = placed[VERSION_COLUMNS].assign(valid_from=days).astype(object)
    records = records.where(records.notna(), None).to_dict("records")
    features = [
        {"type": "Feature", "properties": properties, "geometry": json.loads(shape)}
        for properties, shape in zip(records, shapely.to_geojson(placed.geometry.to_numpy()), strict=True)
    ]
    name = {"name": f"urn:ogc:def:crs:{crs.replace(':', '::')}"}
    declared = {} if crs == WEB_CRS else {"crs": {"type": "name", "properties": name}}
    collection = {"type": "FeatureCollection", **declared, "attribution": ATTRIBUTION, "features": features}
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":")).encode()


# --- GeoPackage ------------------------------------------------------------------------------------------------------


def _write_geopackage(maps: Maps, parquet: Path, target: Path) -> None:
    indicators = _query(INDICATORS, path=parquet / "dim_indicator.parquet")
    latest = _query(LATEST, facts=parquet / "fct_indicator.parquet", areas=parquet / "dim_area.parquet")
    now = maps.sozialraeume[maps.sozialraeume["valid_to"].isna()]
    layers = {
        "kreis": maps.kreis,
        "kommunen": maps.kommunen,
        "sozialraeume": maps.sozialraeume,
        "kommunen_werte": with_values(maps.kommunen, latest, indicators),
        "sozialraeume_werte": with_values(now, latest, indicators),
        "mittelpunkte": _centres(parquet / "fct_area_centre.parquet"),
    }
    release = _query("select created from read_parquet($path)", path=parquet / "meta_release.parquet")
    stamp = release["created"].dt.strftime("%Y-%m-%dT%H:%M:%S.000Z")[0]
    with _ogr_time(stamp):
        for name, frame in layers.items():
            _write_layer(frame, name, target)
    styles = {"kreis": [("Kreis", qgis_style.outline(0.8))], "kommunen": [("Kommunen", qgis_style.outline(0.5))]}
    styles["sozialraeume"] = [("Sozialräume", qgis_style.versions())]
    for layer in ("kommunen_werte", "sozialraeume_werte"):
        styles[layer] = _value_styles(layers[layer], indicators)
    _write_styles(styles, stamp, target)


def with_values(areas: gpd.GeoDataFrame, latest: pd.DataFrame, indicators: pd.DataFrame) -> gpd.GeoDataFrame:
    """Areas with three columns per indicator: `<id>`, `<id>_status`, `<id>_year`; NULL where there is no value.

    latest: area_id, indicator_id, year, value, value_status; one row per area and indicator.
    """
    wide = {}
    for indicator in indicators["indicator_id"]:
        rows = latest[latest["indicator_id"] == indicator].set_index("area_id").reindex(areas["area_id"])
        wide[indicator] = rows["value"].to_numpy(float)
        wide[f"{indicator}_status"] = rows["value_status"].astype(object).fillna("missing").to_numpy()
        wide[f"{indicator}_year"] = pd.array(rows["year"].to_numpy(), dtype="Int32")
    shown = areas[["area_id", "valid_from", "name", "short_name", "parent_area_id"]]
    values = pd.DataFrame(wide, index=areas.index)
    return gpd.GeoDataFrame(pd.concat([shown, values], axis=1), geometry=areas.geometry, crs=areas.crs)


def _centres(path: Path) -> gpd.GeoDataFrame:
    table = _query(CENTRES, path=path)
    return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table["east_m"], table["north_m"]), crs=CRS)


def _write_layer(frame: gpd.GeoDataFrame, name: str, target: Path) -> None:
    kind = "Point" if name == "mittelpunkte" else "MultiPolygon"
    shapes = frame.geometry.to_numpy()
    if kind == "MultiPolygon":
        shapes = np.array([shapely.multipolygons(shapely.get_parts(shape)) for shape in shapes], dtype=object)
    table = pa.Table.from_pandas(pd.DataFrame(frame.drop(columns="geometry")), preserve_index=False)
    for number, field in enumerate(table.schema):
        if field.name.startswith("valid_"):
            table = table.set_column(number, field.name, table[field.name].cast(pa.timestamp("s")).cast(pa.date32()))
        elif field.type == pa.null():
            table = table.set_column(number, field.name, table[field.name].cast(pa.string()))
    table = table.append_column("geom", pa.array(shapely.to_wkb(shapes), type=pa.binary())).replace_schema_metadata()
    pyogrio.write_arrow(
        table, target, layer=name, driver="GPKG", geometry_name="geom", geometry_type=kind, crs=CRS,
        append=target.exists(), dataset_options={} if target.exists() else {"VERSION": GEOPACKAGE_VERSION},
    )  # fmt: skip


@contextmanager
def _ogr_time(stamp: str) -> Iterator[None]:
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": stamp})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


LAYER_STYLES = """
    create table layer_styles (
        id integer primary key autoincrement not null,
        f_table_catalog text(256), f_table_schema text(256), f_table_name text(256), f_geometry_column text(256),
        styleName text(30), styleQML text, styleSLD text, useAsDefault boolean,
        description text, owner text(30), ui text(30), update_time datetime default current_timestamp
    )
"""
"""As QGIS makes it (its documentation, "GeoPackage" and "Managing symbology")."""


def _value_styles(values: gpd.GeoDataFrame, indicators: pd.DataFrame) -> list[tuple[str, str]]:
    """(title, QML) per indicator that has values here; what is shown first leads."""
    known = indicators[[bool(values[name].notna().any()) for name in indicators["indicator_id"]]]
    first = known["indicator_id"] != SHOWN_FIRST
    ordered = known.assign(later=first).sort_values(["later", "indicator_id"])
    columns = zip(ordered["indicator_id"], ordered["title"], ordered["unit"], strict=True)
    return [
        (str(title), qgis_style.classes(str(name), values[name].to_numpy(), UNITS.get(str(unit), "")))
        for name, title, unit in columns
    ]


def _write_styles(styles: dict[str, list[tuple[str, str]]], stamp: str, target: Path) -> None:
    rows = [
        ("", "", layer, "geom", title, qml, "", number == 0, title, "", None, stamp)
        for layer, own in styles.items()
        for number, (title, qml) in enumerate(own)
    ]
    with sqlite3.connect(target) as database:
        database.execute(LAYER_STYLES)
        database.executemany(
            "insert into layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,"
            " styleQML, styleSLD, useAsDefault, description, owner, ui, update_time)"
            f" values ({', '.join('?' * 12)})",
            rows,
        )
        database.execute(
            "insert into gpkg_contents (table_name, data_type, identifier, last_change)"
            " values ('layer_styles', 'attributes', 'layer_styles', ?)",
            [stamp],
        )
    database.close()
