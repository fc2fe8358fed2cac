"""One delivery's bytes → a typed reading, whatever the format; and a reading → the rows of raw Parquet.

Which module reads which format is decided here and nowhere else.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pyarrow as pa

from orchestration.feeds import guards
from orchestration.feeds.cells import FUND, PLACES, SPELLED, SYMBOL, Cells, Reading, type_cells
from orchestration.feeds.declaration import Deliverer, Feed
from orchestration.feeds.finding import Finding, structural
from orchestration.feeds.formats import (
    archive,
    delimited,
    faults,
    ffcsv,
    gebref,
    genesis,
    gv100ad,
    parquet,
    spreadsheet,
    vector,
    votemanager,
)
from orchestration.feeds.formats.kinds import TITLES, area_format, expected_kind, kind_of, wrong_kind
from orchestration.sql import single_threaded

READERS = {
    "delimited": delimited.read,
    "xlsx": spreadsheet.read,
    "xls": spreadsheet.read,
    "ods": spreadsheet.read,
    "genesis": genesis.read,
    "ffcsv": ffcsv.read,
    "votemanager": votemanager.read,
    "gebref": gebref.read,
    "gv100ad": gv100ad.read,
    "geopackage": vector.read_geopackage,
    "geojson": vector.read_geojson,
    "shapefile": vector.read_shapefile,
    "parquet": parquet.read,
}
DELIVERED = "geliefert"
"""`geometry_source` of areas that came as such; others are derived (orchestration/geography/street_areas.py)."""
AGGREGATE_SCHEMA = pa.schema(
    [
        ("delivery_id", pa.string()),
        ("deliverer", pa.string()),
        ("delivery_year", pa.int32()),
        ("zeile", pa.int32()),
        ("gebiet", pa.string()),
        ("gebiet_name", pa.string()),
        ("merkmal", pa.string()),
        ("stichtag", pa.date32()),
        ("wert", pa.float64()),
        ("zeichen", pa.string()),
        ("spalte", pa.string()),
    ]
)


def read_delivery(data: bytes, feed: Feed, deliverer: Deliverer) -> Reading:
    """Unpack, read and type. Structural faults are findings of the reading, not exceptions."""
    told = guards.suspicious(data, deliverer.format)
    if feed.grain == "geography" and not _has_errors(told):
        # Whoever draws areas may send them in any form that has a reference system.
        deliverer = replace(deliverer, format=area_format(data) or deliverer.format)
    unpacked = data
    if not _has_errors(told):
        unpacked, findings = _agreed_kind(data, deliverer.format)
        told += findings
        if not findings and unpacked is not data:
            told += guards.suspicious(unpacked, deliverer.format)
    if _has_errors(told):
        return Reading(None, {}, told)
    cells: Cells = READERS[deliverer.format](unpacked, feed, deliverer)
    cells.findings = [*told, *cells.findings, *guards.unfit_headers(cells.headers)]
    reading = type_cells(cells, feed, deliverer)
    if feed.grain == "geography" and reading.table is not None and reading.table.num_rows:
        # Shapely is imported where there are areas only.
        from orchestration.geography.coverage import examined_columns

        reading.table = examined_columns(reading.table, feed.key[0])
    return reading


def _has_errors(findings: list[Finding]) -> bool:
    return any(finding.is_error for finding in findings)


def _agreed_kind(data: bytes, format_name: str) -> tuple[bytes, list[Finding]]:
    """The bytes of a file of the agreed kind, taken out of a ZIP archive where they came in one."""
    actual, wanted = kind_of(data), expected_kind(format_name)
    if actual == "zip":
        data, findings = archive.unpacked(data, format_name)
        if findings:
            return b"", findings
        actual = kind_of(data)
        if actual in ("zip", "archive", "shapefile"):
            return b"", [archive.nested()]
    if not data or data.isspace():
        return b"", [_empty(len(data))]
    if actual == "encrypted" and READERS[format_name] is spreadsheet.read:
        return b"", [faults.locked(TITLES[wanted])]
    return (data, []) if actual == wanted else (b"", [wrong_kind(format_name, actual)])


def _empty(size: int) -> Finding:
    return structural(
        "file_is_not_empty",
        "Die Datei ist leer" if size == 0 else "Die Datei ist leer (sie enthält nur Leerzeichen)",
        "eine Datei mit Kopfzeile und Daten",
        "Bitte den Export wiederholen und die Datei vor dem Versand öffnen",
    )


def raw_schema(feed: Feed) -> pa.Schema:
    """Columns and types of the feed's raw Parquet: aggregates in one long form, all others as declared."""
    if feed.grain == "aggregate":
        return AGGREGATE_SCHEMA
    types = {"date": pa.date32(), "number": pa.float64()}
    own = [(c.name, types.get(c.type, pa.string())) for c in feed.columns]
    if feed.grain == "geography":
        own = [(name, pa.bool_() if name == "is_synthetic" else kind) for name, kind in own]
        own += [("area_sqm", pa.float64()), ("geometry_wkb", pa.binary()), ("geometry_source", pa.string())]
    return pa.schema([*list(AGGREGATE_SCHEMA)[:4], *own])


def raw_rows(reading: Reading, feed: Feed, delivery_id: str, deliverer: str, year: int) -> pa.Table:
    """The rows of raw Parquet; aggregates one row per area and measure, empty optional cells left out."""
    table = reading.table
    if table is None:
        raise ValueError("a reading without a table has no raw rows")
    lead = [
        pa.array([delivery_id] * len(table), pa.string()),
        pa.array([deliverer] * len(table), pa.string()),
        pa.array([year] * len(table), pa.int32()),
        table.column("zeile"),
    ]
    schema = raw_schema(feed)
    if feed.grain == "aggregate":
        return _long(reading, feed, lead).cast(schema)
    own = [_own(table, name) for name in schema.names[4:]]
    return pa.Table.from_arrays(lead + own, names=schema.names).cast(schema)


def _own(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name == "is_synthetic":
        # Without the column the areas are real.
        return pa.chunked_array([pa.array([value == "true" for value in table.column(name).to_pylist()])])
    if name == "geometry_source":
        return pa.chunked_array([pa.array([DELIVERED] * len(table), pa.string())])
    return table.column(name)


def _long(reading: Reading, feed: Feed, lead: list[pa.Array]) -> pa.Table:
    table = reading.table
    assert table is not None
    wide = table
    for name, values in zip(("delivery_id", "deliverer", "delivery_year"), lead[:3], strict=True):
        wide = wide.append_column(name, values)
    parts = []
    parameters: list[str] = []
    for order, column in enumerate(feed.measures):
        name = column.name
        parts.append(
            f"select {order} as sort_order, delivery_id, deliverer, delivery_year, zeile, gebiet, gebiet_name, "
            f"'{name}' as merkmal, {column.reference_date} as stichtag, {name} as wert, {name}{SYMBOL} as zeichen, "
            f"? as spalte from wide where {name} is not null or {name}{SYMBOL} is not null"
        )
        parameters.append(reading.headers.get(name, column.title))
    statement = f"select * exclude (sort_order) from ({' union all '.join(parts)}) order by zeile, stichtag, sort_order"
    connection = single_threaded()
    try:
        connection.register("wide", wide)
        return connection.execute(statement, parameters).to_arrow_table()
    finally:
        connection.close()


def gate_frame(reading: Reading, feed: Feed, official_population: int | None = None) -> pd.DataFrame:
    """What the suite sees: a pandas frame indexed by `zeile`, with the derived columns, and without any value of a
    personal column (only their value classes `<c>__fund`).

    Derived columns may use `getvariable('amtlich')`, the official population of deliverer and year.
    """
    table = reading.table
    assert table is not None
    personal = {column.name for column in feed.columns if column.personal}
    # Columns that read well throughout need not go through SQL: all their value classes are null.
    clean = [name for name in table.column_names if name.endswith(FUND) and table[name].null_count == len(table)]
    unneeded = [name for name in table.column_names if name.endswith(SPELLED) and table[name].null_count == len(table)]
    left_out = {"zeile", "geometry_wkb", PLACES, *personal, *clean, *unneeded}
    kept = [name for name in table.column_names if name not in left_out]
    derived = [f"{expression} as {name}" for name, expression in feed.derived.items()]
    with single_threaded() as connection:
        connection.execute("set variable amtlich = ?", [official_population])
        connection.register("source", table)
        frame = connection.execute(f"select {', '.join(['zeile', *kept, *derived])} from source").df()
    nothing = pd.Series(None, index=frame.index, dtype=object)
    frame = frame.assign(**dict.fromkeys(clean, nothing))
    return frame.set_index("zeile").sort_index()
