"""Parquet: bytes → cells as text in the agreed notation, so that one typing serves all formats.

Set-based in DuckDB: person-level files are large. Nested columns are refused.
"""

from __future__ import annotations

import io

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from orchestration.feeds.cells import Cells
from orchestration.feeds.declaration import Deliverer, Feed
from orchestration.feeds.finding import Finding, structural
from orchestration.feeds.formats import faults
from orchestration.feeds.formats.kinds import TITLES
from orchestration.feeds.formats.notation import sql_text
from orchestration.sql import single_threaded

MAX_CELLS = 1_000_000_000


def read(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells of the file's columns; rows are numbered from 1."""
    try:
        file = pq.ParquetFile(io.BytesIO(data))
        shape = file.metadata
        if shape.num_rows * max(shape.num_columns, 1) > MAX_CELLS:
            return Cells(findings=[faults.too_large("nicht mehr Zeilen und Spalten als vereinbart")])
        if any(pa.types.is_nested(column.type) for column in file.schema_arrow):
            return Cells(findings=[_not_plain()])
        table = file.read()
        # Arrow takes a text's bytes on trust; DuckDB ends with an internal error where they are no UTF-8.
        table.validate(full=True)
        table = pa.table([_known_to_duckdb(column) for column in table.columns], names=table.column_names)
    except (pa.ArrowException, OSError):
        return Cells(findings=[faults.broken(TITLES["parquet"])])
    headers = table.column_names
    places = [f"c{i}" for i in range(len(headers))]
    fields = [_text(place, column.type, feed, deliverer) for place, column in zip(places, table.columns, strict=True)]
    try:
        with single_threaded() as connection:
            connection.register("delivered", table.rename_columns(places))
            texts = connection.execute(f"select {', '.join(fields)} from delivered").to_arrow_table().combine_chunks()
    except duckdb.NotImplementedException:
        return Cells(findings=[_not_plain()])
    return Cells(
        headers=headers,
        columns=[pa.concat_arrays(column.chunks or [pa.array([], pa.string())]) for column in texts.columns],
        zeile=pa.array(range(1, table.num_rows + 1), pa.int32()),
    )


def _known_to_duckdb(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Moments in the time of the zone that they name; half floats as floats."""
    if pa.types.is_timestamp(column.type) and column.type.tz:
        return pc.local_timestamp(column)
    return column.cast(pa.float32()) if pa.types.is_float16(column.type) else column


def _text(place: str, kind: pa.DataType, feed: Feed, deliverer: Deliverer) -> str:
    is_date = pa.types.is_date(kind) or pa.types.is_timestamp(kind)
    is_fraction = pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    return sql_text(place, feed, deliverer, is_date=is_date, is_fraction=is_fraction) + f" as {place}"


def _not_plain() -> Finding:
    return structural(
        "columns_are_plain",
        "Die Datei enthält Listen, verschachtelte oder sonst unübliche Spalten",
        "Spalten mit Texten, Zahlen und Daten",
        "Bitte ohne solche Spalten ausgeben",
    )
