"""What lies around the Sozialräume, as tables for dbt: neighbours, centres of their population, access to services.

Reads areas, and of the warehouse the located residents and services (staging); writes `control/neighbour.parquet`,
`area_centre.parquet` and `access.parquet`, all safe to publish. How each is worked out is in `neighbours`, `centre` and
`reach`.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import duckdb
import geopandas as gpd
import pandas as pd
import pyarrow as pa

from orchestration.geography import centre, neighbours, reach
from orchestration.geography.areas import areas_on, load_versions
from orchestration.home import Home

TABLES = {"neighbour": neighbours.SCHEMA, "area_centre": centre.SCHEMA, "access": reach.SCHEMA}
NOT_LOCATABLE = "-00"

YEARS = "select distinct year from staging.stg_control__delivery where state = 'accepted' and feed = ? order by year"
PLACES = f"""
    select area_id, year, east_m, north_m, count(*) as residents
    from staging.stg_kommunen__einwohner
    where year = ? and not ends_with(area_id, '{NOT_LOCATABLE}')
    group by all
    order by area_id, east_m, north_m
"""
KINDS = "select distinct theme_id, target_group from staging.stg_kreis__angebote order by all"
SERVICES = f"""
    select service_id, theme_id, target_group,
        case when not ends_with(area_id, '{NOT_LOCATABLE}') then east_m end as east_m,
        case when not ends_with(area_id, '{NOT_LOCATABLE}') then north_m end as north_m
    from staging.stg_kreis__angebote
    where year = $1 and valid_from <= make_date($1, 12, 31)
        and (valid_to is null or valid_to >= make_date($1, 12, 31))
    order by service_id
"""


def write_surroundings(home: Home) -> dict[str, int]:
    """Write the three tables; rows per table. Empty where no areas, registers or services are in force."""
    versions = load_versions(home)
    with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
        middle = centre.centres(versions, _places_that_count(warehouse, versions))
        tables = {
            "neighbour": neighbours.neighbours_over_time(versions),
            "area_centre": middle,
            "access": _access_over_time(warehouse, versions, middle),
        }
    for name, frame in tables.items():
        _write(frame, TABLES[name], home.control / f"{name}.parquet")
    return {name: len(frame) for name, frame in tables.items()}


def _years(warehouse: duckdb.DuckDBPyConnection, feed: str) -> list[int]:
    return [row[0] for row in warehouse.execute(YEARS, [feed]).fetchall()]


def _places_that_count(warehouse: duckdb.DuckDBPyConnection, versions: gpd.GeoDataFrame) -> pd.DataFrame:
    """Residents per place, of each Kommune's version in the newest year whose end lies in it; one year at a time."""
    years = _years(warehouse, "einwohner")
    kept = [warehouse.execute(PLACES, [0]).df()]
    served: set[tuple[str, dt.date]] = set()
    for year in reversed(years):
        valid = areas_on(versions, dt.date(year, 12, 31))
        open_versions = {(area, day) for area, day in zip(valid["sozialraum_id"], valid["valid_from"], strict=True)}
        if open_versions <= served:
            continue
        places = warehouse.execute(PLACES, [year]).df()
        wanted = {area for area, day in open_versions - served}
        places = places[places["area_id"].isin(wanted)]
        kept.append(places)
        delivered = set(places["area_id"])
        served |= {(area, day) for area, day in open_versions if area in delivered}
    return pd.concat(kept, ignore_index=True)


def _access_over_time(
    warehouse: duckdb.DuckDBPyConnection, versions: gpd.GeoDataFrame, middle: pd.DataFrame
) -> pd.DataFrame:
    """Every year from the first to the last list of services."""
    listed = _years(warehouse, "angebote")
    kinds = warehouse.execute(KINDS).df()
    parts = []
    for year in range(min(listed), max(listed) + 1) if listed else ():
        valid = areas_on(versions, dt.date(year, 12, 31))
        areas = valid[["sozialraum_id", "valid_from"]].rename(columns={"sozialraum_id": "area_id"})
        services = warehouse.execute(SERVICES, [year]).df() if year in listed else None
        places = warehouse.execute(PLACES, [year]).df()
        rows = reach.access(areas.merge(middle, on=["area_id", "valid_from"]), places, services, kinds)
        parts.append(rows.assign(year=year))
    return pd.concat(parts, ignore_index=True) if parts else reach.SCHEMA.empty_table().to_pandas()


def _write(frame: pd.DataFrame, schema: pa.Schema, target: Path) -> None:
    from orchestration.gates.directory import write_parquet

    table = pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)
    write_parquet(table.replace_schema_metadata(), target)
