"""Everything that can be read out of a folder: each file's bytes, and what lies in its containers, as text."""

from __future__ import annotations

import gzip
import io
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq

from orchestration.home import Home

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


def blank_counts(home: Home) -> dict[tuple[bytes, bytes, bytes], bytes]:
    """(area, year, measure or indicator) → the count that the release hides.

    Left out: a count that is the number in the area's own name (`Overath 10`), which stands beside it everywhere.
    """
    with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
        rows = warehouse.execute(
            f"""
            select m.area_id, m.year, unnest([m.measure_id, i.indicator_id]) as name, m.value
            from read_parquet('{home.control / "suppression_measure.parquet"}') as s
            join intermediate.int_measure as m using (boundary, area_id, year, measure_id)
            left join seeds.indicators as i on i.numerator_measure = m.measure_id
            where m.value is not null and boundary = 'as_counted'
            order by all
            """
        ).fetchall()
    return {
        (area.encode(), str(year).encode(), name.encode()): f"{value:.0f}".encode()
        for area, year, name, value in rows
        if name and f"{value:02.0f}" != area[-2:]
    }


def leaks(folder: Path, without: set[Path], blank: dict[tuple[bytes, bytes, bytes], bytes]) -> list[str]:
    """Lines and rows that tell a blank count beside its area, year and name."""
    areas, names = ({key[part] for key in blank} for part in (0, 2))
    # A share at full length is one number also with the German comma, which elsewhere parts two.
    word = re.compile(rb"[0-9A-Za-z_-]+(?:\.\d+|,\d{9,})?")
    found = set()
    for where, data in contents(folder, without):
        for line in data.splitlines():
            if len(line) > 2000 or not any(name in line for name in names):
                continue
            words = {one.removesuffix(b".0") for one in word.findall(line)}
            told = product(words & areas, (w for w in words if len(w) == 4 and w.isdigit()), words & names)
            found |= {f"{key} in {where}" for key in told if blank.get(key) in words}
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
