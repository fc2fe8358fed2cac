"""DuckDB for work that runs beside other work, and quoting for the few places where SQL takes no parameter."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import duckdb


def single_threaded() -> duckdb.DuckDBPyConnection:
    """A connection of its own to this process's database in memory, which uses one thread; close it after use.

    What is registered, set or created as temporary is gone with the connection; create nothing else in it. Deliveries
    are judged in one process a core, so more threads gain nothing; and DuckDB 1.5.5 was seen waiting for ever for a
    task of a parallel window function (docs/decisions/0013).
    """
    return _database(os.getpid()).cursor()


@lru_cache(maxsize=1)
def _database(process: int) -> duckdb.DuckDBPyConnection:
    """A new one after a fork: opening one takes longer than most of our queries."""
    return duckdb.connect(config={"threads": 1})


def literal(value: str | Path) -> str:
    """`it's` → `'it''s'`."""
    return "'" + str(value).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """`na"me` → `"na""me"`."""
    return '"' + name.replace('"', '""') + '"'
