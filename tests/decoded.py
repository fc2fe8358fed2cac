"""Everything that can be read out of a folder: each file's bytes, and what lies in its containers, as text."""

from __future__ import annotations

import gzip
import io
import sqlite3
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

ENCODINGS = ("utf-8", "cp1252", "utf-16-le")


def contents(folder: Path, without: set[Path]) -> Iterator[tuple[str, bytes]]:
    """(where, bytes) of every file under `folder`, and of every member, table and stream inside it."""
    for path in sorted(folder.rglob("*")):
        if any(path == left or left in path.parents for left in without) or not path.is_file() or path.is_symlink():
            continue
        yield from _file(str(path.relative_to(folder)), path)


def finds(markers: list[str], folder: Path, without: set[Path]) -> list[str]:
    """`marker in place` for every marker found, in any of the encodings and any case."""
    wanted = [(marker, variant.encode(e)) for marker in markers for variant in (marker.lower(),) for e in ENCODINGS]
    found = set()
    for where, data in contents(folder, without):
        lower = data.lower()
        found |= {f"{marker} in {where}" for marker, sought in wanted if sought in lower}
    return sorted(found)


def _file(where: str, path: Path) -> Iterator[tuple[str, bytes]]:
    data = path.read_bytes()
    yield where, data
    if path.suffix == ".parquet":
        yield f"{where} (Tabelle)", _as_text(pq.read_table(path))
    elif path.suffix == ".duckdb":
        yield from _duckdb(where, path)
    elif data[:15] == b"SQLite format 3":
        yield from _sqlite(where, path)
    elif data[:4] == b"PK\x03\x04":
        yield from _zip(where, data)
    elif data[:2] == b"\x1f\x8b":
        yield f"{where} (entpackt)", gzip.decompress(data)
    elif path.suffix == ".arrow":
        yield f"{where} (Tabelle)", _as_text(pyarrow.ipc.open_stream(io.BytesIO(data)).read_all())


def _as_text(table: pa.Table) -> bytes:
    return "\n".join("|".join(map(str, row.values())) for row in table.to_pylist()).encode()


def _duckdb(where: str, path: Path) -> Iterator[tuple[str, bytes]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        for schema, name in connection.execute(
            "select table_schema, table_name from information_schema.tables"
        ).fetchall():
            table = connection.execute(f'from "{schema}"."{name}"').to_arrow_table()
            yield f"{where} ({schema}.{name})", _as_text(table)


def _sqlite(where: str, path: Path) -> Iterator[tuple[str, bytes]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        connection.text_factory = lambda value: value.decode("utf-8", "replace")
        for (name,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            rows = connection.execute(f'select * from "{name}"').fetchall()
            yield f"{where} ({name})", "\n".join("|".join(map(str, row)) for row in rows).encode()
    connection.close()


def _zip(where: str, data: bytes) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        for name in archive.namelist():
            member = archive.read(name)
            yield f"{where}!{name}", member
            if member[:4] == b"PK\x03\x04":
                yield from _zip(f"{where}!{name}", member)
