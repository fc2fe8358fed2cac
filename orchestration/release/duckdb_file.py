"""Writes `ipso.duckdb` of a release from its Parquet files; run as a process of its own (see write.py)."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from orchestration.sql import identifier, literal


def write_duckdb_file(release: Path) -> None:
    """One table per Parquet file, in the order of their names; the same bytes for the same input.

    FSST and ZSTD compression draw random samples, so strings are kept without them. Bit-packing keeps whatever lay in
    memory under a NULL that comes first in a column.
    """
    with duckdb.connect(str(release / "ipso.duckdb"), config={"threads": 1}) as connection:
        connection.execute("set disabled_compression_methods = 'fsst,dict_fsst,zstd,bitpacking'")
        for path in sorted((release / "parquet").glob("*.parquet")):
            connection.execute(f"create table {identifier(path.stem)} as select * from read_parquet({literal(path)})")


if __name__ == "__main__":
    write_duckdb_file(Path(sys.argv[1]))
