"""Is there anything in a release that the audit does not know: a file, a column, a copy that says something else?

What the audit reads are the Parquet files. This module answers for all that lies beside them: CSV, DuckDB file and
the layers of the GeoPackage are the same figures, and every column is declared in `audit_columns.yml`.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow.parquet as pq
import yaml

from orchestration.sql import identifier, literal, single_threaded

DECLARED = Path(__file__).with_name("audit_columns.yml")
ROLES = ("read", "follows", "silent")
DATABASE, GEOPACKAGE, CHECKSUMS = "ipso.duckdb", "areas.gpkg", "SHA256SUMS"
GEOJSON = ("areas.geojson", "areas_25832.geojson")
LAYERS = {"kreis": "dim_area", "kommunen": "dim_area", "sozialraeume": "dim_area", "mittelpunkte": "fct_area_centre"}
"""Layers of the GeoPackage that repeat a table, row by row."""
VALUE_LAYERS = ("kommunen_werte", "sozialraeume_werte")
"""Layers with `<indicator>`, `<indicator>_status`, `<indicator>_year` of fct_indicator beside columns of dim_area."""
WRITTEN_BY_GIS = {"fid", "geom"}
STYLES = "layer_styles"
"""Colours and class limits, worked out from the values of these layers."""


def declared_columns(path: Path = DECLARED) -> dict[str, dict[str, str]]:
    """table -> column -> role."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {
        table: {column: role for role in ROLES for column in roles.get(role, [])} for table, roles in content.items()
    }


def undeclared(release: Path) -> list[str]:
    """`Tabelle.Spalte`, file or layer of the release that nobody has looked at, in order."""
    known = declared_columns()
    found = [
        f"{file.stem}.{column}"
        for file in sorted((release / "parquet").glob("*.parquet"))
        for column in pq.read_schema(file).names
        if column not in known.get(file.stem, {})
    ]
    tables = {file.stem for file in (release / "parquet").glob("*.parquet")}
    expected = {f"{kind}/{table}.{kind}" for kind in ("parquet", "csv") for table in tables}
    expected |= {DATABASE, GEOPACKAGE, CHECKSUMS, *GEOJSON}
    names = (file.relative_to(release).as_posix() for file in sorted(release.rglob("*")) if file.is_file())
    return [*found, *(name for name in names if name not in expected), *_undeclared_in_maps(release)]


def _undeclared_in_maps(release: Path) -> list[str]:
    known = declared_columns()
    found = []
    for name in GEOJSON:
        if (release / name).exists():
            features = json.loads((release / name).read_text(encoding="utf-8"))["features"]
            properties = {key for feature in features for key in feature["properties"]}
            found += [f"{name}: {key}" for key in sorted(properties - known["dim_area"].keys())]
    if (release / GEOPACKAGE).exists():
        for layer, columns in _layers(release / GEOPACKAGE).items():
            if layer in LAYERS:
                expected = set(known[LAYERS[layer]])
            elif layer in VALUE_LAYERS:
                expected = {*known["dim_area"], *_value_columns(release)}
            else:
                expected = set(columns) if layer == STYLES else set()
            found += [f"{GEOPACKAGE}/{layer}.{c}" for c in columns if c not in expected | WRITTEN_BY_GIS]
    return found


def unequal_copies(release: Path) -> list[str]:
    """Names of the files (and layers) that do not repeat the release's Parquet files."""
    found = []
    with single_threaded() as connection:
        for file in sorted((release / "parquet").glob("*.parquet")):
            csv = release / "csv" / f"{file.stem}.csv"
            if csv.exists() and (
                _header(csv) != pq.read_schema(file).names or _differ(connection, *_csv_queries(connection, file, csv))
            ):
                found.append(f"csv/{csv.name}")
        if (release / DATABASE).exists():
            found += _unequal_tables(connection, release)
    return found + _unequal_layers(release)


def _unequal_tables(connection: duckdb.DuckDBPyConnection, release: Path) -> list[str]:
    connection.execute(f"attach {literal(release / DATABASE)} as geprueft (read_only)")
    try:
        tables = [
            row[0]
            for row in connection.execute(
                "select table_name from duckdb_tables() where database_name = 'geprueft'"
                " union all select view_name from duckdb_views() where database_name = 'geprueft' and not internal"
                " order by all"
            ).fetchall()
        ]
        originals = {file.stem: file for file in sorted((release / "parquet").glob("*.parquet"))}
        return [
            f"{DATABASE}: {table}"
            for table in sorted({*tables, *originals})
            if table not in originals
            or table not in tables
            or _differ(
                connection,
                f"select * from read_parquet({literal(originals[table])})",
                f"select * from geprueft.{identifier(table)}",
            )
        ]
    finally:
        connection.execute("detach geprueft")


def _differ(connection: duckdb.DuckDBPyConnection, one: str, other: str) -> bool:
    """Do two queries give different columns or rows, whatever their order?"""
    try:
        described = [connection.execute(f"describe {query}").fetchall() for query in (one, other)]
        sums = [
            connection.execute(f"select count(*), sum(hash(t)) from ({query}) as t").fetchone()
            for query in (one, other)
        ]
    except duckdb.Error:
        # A column is missing, or text is no number: not the same table.
        return True
    return described[0] != described[1] or sums[0] != sums[1]


def _csv_queries(connection: duckdb.DuckDBPyConnection, original: Path, csv: Path) -> tuple[str, str]:
    """The Parquet file as far as CSV can tell it (to the second), and the German file read back into its types."""
    described = connection.execute(f"describe select * from read_parquet({literal(original)})").fetchall()
    columns = [(identifier(name), str(kind)) for name, kind, *_ in described]
    exact = ", ".join(f"date_trunc('second', {c}) as {c}" if k.startswith("TIMESTAMP") else c for c, k in columns)
    read_back = ", ".join(f"{_from_german(column, kind)} as {column}" for column, kind in columns)
    options = "delim = ';', header = true, all_varchar = true, quote = '\"', allow_quoted_nulls = false"
    return (
        f"select {exact} from read_parquet({literal(original)})",
        f"select {read_back} from read_csv({literal(csv)}, {options})",
    )


def _header(csv: Path) -> list[str]:
    with csv.open(encoding="utf-8-sig") as lines:
        return lines.readline().rstrip("\n").split(";")


def _from_german(column: str, kind: str) -> str:
    if kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL"):
        return f"replace({column}, ',', '.')::{kind}"
    if kind == "DATE":
        return f"strptime({column}, '%d.%m.%Y')::date"
    if kind.startswith("TIMESTAMP"):
        return f"strptime({column}, '%d.%m.%Y %H:%M:%S')"
    if kind == "BOOLEAN":
        return f"case {column} when 'ja' then true when 'nein' then false end"
    return f"{column}::{kind}"


def _layers(geopackage: Path) -> dict[str, list[str]]:
    with closing(sqlite3.connect(f"file:{geopackage}?mode=ro", uri=True)) as database:
        names = [row[0] for row in database.execute("select table_name from gpkg_contents order by table_name")]
        return {name: [row[1] for row in database.execute(f"pragma table_info({identifier(name)})")] for name in names}


def _value_columns(release: Path) -> list[str]:
    indicators = pq.read_table(release / "parquet" / "dim_indicator.parquet")["indicator_id"].to_pylist()
    return [f"{name}{ending}" for name in sorted(indicators) for ending in ("", "_status", "_year")]


def _unequal_layers(release: Path) -> list[str]:
    """Value layers that show a figure which is not the one of fct_indicator."""
    geopackage = release / GEOPACKAGE
    if not geopackage.exists():
        return []
    facts = pd.read_parquet(release / "parquet" / "fct_indicator.parquet")
    printed = facts.loc[facts["value"].notna(), ["area_id", "year", "indicator_id", "value", "value_status"]]
    known = pd.MultiIndex.from_frame(printed)
    found = []
    with closing(sqlite3.connect(f"file:{geopackage}?mode=ro", uri=True)) as database:
        for layer in sorted(set(VALUE_LAYERS) & _layers(geopackage).keys()):
            table = pd.read_sql(f"select * from {identifier(layer)}", database)
            for name in sorted(set(facts["indicator_id"]) & set(table.columns)):
                shown = table.loc[table[name].notna(), ["area_id", f"{name}_year", name, f"{name}_status"]]
                shown.insert(2, "indicator_id", name)
                if not pd.MultiIndex.from_frame(shown).isin(known).all():
                    found.append(f"{GEOPACKAGE}/{layer}: {name}")
    return found
