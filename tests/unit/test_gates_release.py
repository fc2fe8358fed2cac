"""What the release gate says about tables: which must be there, and which may still be empty."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from orchestration.gates.plausibility import judge_frame
from orchestration.gates.release import CONTRACT, MAY_BE_EMPTY, table_frame


@pytest.fixture
def release() -> Iterator[duckdb.DuckDBPyConnection]:
    """Every table of the contract with one row of nothing."""
    with duckdb.connect() as connection:
        for table, columns in CONTRACT.items():
            nothing = ", ".join(f"null as {column}" for column in columns.split())
            connection.execute(f"create table {table} as select {nothing}")
        yield connection


def errors(connection: duckdb.DuckDBPyConnection) -> list[str]:
    findings = judge_frame("freigabe_tabellen", table_frame(connection, []), gate="release")
    return [finding.message for finding in findings if finding.is_error]


def test_a_county_without_goals_may_publish_its_figures(release: duckdb.DuckDBPyConnection) -> None:
    for table in MAY_BE_EMPTY:
        release.execute(f"delete from {table}")
    assert errors(release) == []


def test_a_release_without_figures_or_without_a_planning_table_is_held(release: duckdb.DuckDBPyConnection) -> None:
    release.execute("delete from fct_indicator")
    release.execute("drop table fct_goal")
    found = errors(release)
    assert "Die Tabelle fct_indicator fehlt oder ist leer." in found
    assert "Die Tabelle fct_goal fehlt oder ist leer." in found
    assert not any("fct_service" in message for message in found)
