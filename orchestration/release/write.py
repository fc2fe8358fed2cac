"""From marts to a release folder: Parquet, CSV, DuckDB file, maps, checksums; then the atomic switch.

Reads the schema `marts` and nothing else of the warehouse. What may be in a mart is decided before
(`disclosure/`), whether a release may go live is decided after (`gates/release.py`).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from orchestration.geography.areas import load_versions
from orchestration.home import REPOSITORY, Home
from orchestration.release.geometry import write_geometry
from orchestration.sql import identifier, literal

CHECKSUMS = "SHA256SUMS"


def candidate_folder(home: Home, release_id: str) -> Path:
    """Where a release lies: complete or not there at all."""
    return home.releases / release_id


def write_release(home: Home, release_id: str, progress: Callable[[str], None] = print) -> Path:
    """Write the release beside the others, not yet current; give back its folder.

    A folder that is there is complete (it got its name last) and is kept, unless its checksums no longer hold.
    """
    target = candidate_folder(home, release_id)
    if target.exists() and not damaged_files(target):
        progress(f"Release {release_id} liegt schon vor")
        return target
    building = home.releases / f".building-{release_id}"
    shutil.rmtree(building, ignore_errors=True)
    (building / "parquet").mkdir(parents=True)
    (building / "csv").mkdir()
    with duckdb.connect(str(home.warehouse), read_only=True, config={"threads": 1}) as warehouse:
        names = [
            row[0]
            for row in warehouse.execute(
                "select table_name from information_schema.tables where table_schema = 'marts' order by table_name"
            ).fetchall()
        ]
        for name in names:
            _copy_mart(warehouse, name, building)
    write_geometry(load_versions(home), building)
    _write_duckdb(building)
    _write_checksums(building)
    shutil.rmtree(target, ignore_errors=True)
    building.replace(target)
    progress(f"Release {release_id}: {len(names)} Tabellen geschrieben")
    return target


def _copy_mart(warehouse: duckdb.DuckDBPyConnection, name: str, building: Path) -> None:
    columns = warehouse.execute(
        "select column_name, data_type from information_schema.columns"
        " where table_schema = 'marts' and table_name = ? order by ordinal_position",
        [name],
    ).fetchall()
    quoted = f"marts.{identifier(name)}"
    warehouse.execute(
        f"copy (select * from {quoted} order by all) to {literal(building / 'parquet' / f'{name}.parquet')}"
        " (format parquet, compression zstd)"
    )
    german = ", ".join(f"{_as_german(column, kind)} as {identifier(column)}" for column, kind in columns)
    content = building / "csv" / f"{name}.csv"
    warehouse.execute(
        f"copy (select {german} from (select * from {quoted} order by all)) to {literal(content)}"
        " (format csv, header, delimiter ';')"
    )
    content.write_bytes(b"\xef\xbb\xbf" + content.read_bytes())


def _as_german(column: str, kind: str) -> str:
    quoted = identifier(column)
    if kind in ("DOUBLE", "FLOAT") or kind.startswith("DECIMAL"):
        return f"replace({quoted}::varchar, '.', ',')"
    if kind == "DATE":
        return f"strftime({quoted}, '%d.%m.%Y')"
    if kind.startswith("TIMESTAMP"):
        return f"strftime({quoted}, '%d.%m.%Y %H:%M:%S')"
    if kind == "BOOLEAN":
        return f"case when {quoted} then 'ja' when not {quoted} then 'nein' end"
    return quoted


def _write_duckdb(building: Path) -> None:
    """In a process of its own: a DuckDB file takes in unused memory of the process that writes it.

    A fresh process that has seen nothing but the protected Parquet files can leak nothing, and with zeroed memory
    its file is the same, byte for byte, every time.
    """
    subprocess.run(
        [sys.executable, "-m", "orchestration.release.duckdb_file", str(building)],
        check=True,
        cwd=REPOSITORY,
        env={**os.environ, "DUCKDB_JE_MALLOC_CONF": "zero:true"},
    )


def _write_checksums(folder: Path) -> None:
    lines = [
        f"{_sha256(path)}  {path.relative_to(folder).as_posix()}\n"
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    (folder / CHECKSUMS).write_text("".join(lines), encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def damaged_files(release: Path) -> list[str]:
    """Names of files that are missing or differ from the release's checksums; all of them if there are none."""
    checksums = release / CHECKSUMS
    if not checksums.exists():
        return [CHECKSUMS]
    lines = (line.split("  ", 1) for line in checksums.read_text(encoding="utf-8").splitlines())
    expected = {name: digest for digest, name in lines}
    return [
        name for name, digest in expected.items() if not (release / name).is_file() or _sha256(release / name) != digest
    ]


def switch(folder: Path, name: str) -> None:
    """Let `folder/current` point to `name` in one step: a reader sees the old or the new, never half."""
    link = folder / f".current-{os.getpid()}"
    link.unlink(missing_ok=True)
    link.symlink_to(name)
    link.replace(folder / "current")


def current(folder: Path) -> str | None:
    """The name that `folder/current` points to, if it is there."""
    link = folder / "current"
    return link.readlink().name if link.is_symlink() and link.exists() else None
