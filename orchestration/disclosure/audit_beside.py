"""What must not be printed beside a blank: figures that rest on it and are no sum, so that no inequality catches them.

Each rule is a query over the release's Parquet files that finds the rows which break it. They are strict: what is
found may be harmless by itself, but then the release had better not print it.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from orchestration.sql import identifier, literal, single_threaded

TREND_PERIODS = 5
"""Observations that a trend rests on: of years, or of every other year."""
AREA_IDS = r"\d{5,}(?:-\d+)?"

RULES = {
    "Trend über ein Jahr mit geheimer Zahl": (
        "fct_indicator",
        f"""
        select 1 from (
            select trend, count(*) filter (value_status = 'suppressed') over (
                partition by boundary, area_id, indicator_id order by year
                rows between {TREND_PERIODS - 1} preceding and current row
            ) as n_secret
            from fct_indicator
        )
        where trend != 'nicht_berechenbar' and n_secret > 0
        """,
    ),
    "Vergleich mit dem Kreis an einer geheimen Zahl": (
        "fct_indicator",
        """
        select 1 from fct_indicator as f
        where f.vs_kreis is not null and (
            f.value_status = 'suppressed'
            or (f.boundary, f.year, f.indicator_id) in (
                select (k.boundary, k.year, k.indicator_id)
                from fct_indicator as k semi join dim_area as a on a.area_id = k.area_id and a.level = 'kreis'
                where k.value_status = 'suppressed'
            )
        )
        """,
    ),
    "Rang, Ziel oder Vergleich mit der Kommune an einer geheimen Zahl": (
        "fct_indicator.value_rank",
        """
        select 1 from fct_indicator as f
        where f.value_status = 'suppressed'
                and coalesce(f.vs_kommune, f.vs_goal, f.goal_id, f.value_rank::text) is not null
            or f.vs_kommune is not null and (f.boundary, left(f.area_id, 8), f.year, f.indicator_id) in (
                select (boundary, area_id, year, indicator_id) from fct_indicator where value_status = 'suppressed'
            )
        """,
    ),
    # Population = population of the year before + births - deaths + balance: one of them follows from the others.
    "Wanderungssaldo, wo Geburten oder Sterbefälle geheim sind": (
        "dim_indicator.kind",
        """
        select 1 from fct_indicator as f
        semi join dim_indicator as i on i.indicator_id = f.indicator_id and i.kind = 'balance'
        semi join blank as b on b.area = f.area_id and b.year = f.year and b.item in ('births', 'deaths')
        where f.value is not null and f.boundary = 'as_counted'
        """,
    ),
    "Umrechnung an einer geheimen Zahl": (
        "fct_indicator",
        "select 1 from fct_indicator where value_status = 'suppressed'"
        " and (conversion_error is not null or conversion_method is not null)",
    ),
    "Erreichbarkeit, wo die Einwohnerzahl geheim ist": (
        "fct_access",
        """
        select 1 from fct_access as f
        semi join blank as b on b.area = f.area_id and b.year = f.year and b.item = 'population'
        where coalesce(f.share_500m_percent, f.share_1000m_percent, f.share_2000m_percent) is not null
        """,
    ),
    "Ausgangswert eines Ziels, der geheim ist": (
        "fct_goal",
        """
        select 1 from fct_goal as g
        semi join (select * from fct_indicator where value_status = 'suppressed') as s
            on s.area_id = g.area_id and s.year = g.baseline_year and s.indicator_id = g.indicator_id
        where g.baseline_value is not null
        """,
    ),
    "Befund zu einem Gebiet mit geheimer Zahl": (
        "meta_finding",
        f"""
        with feed_blank as (
            select distinct d.feed, b.area, b.year + later.years as year
            from blank as b
            join (select distinct measure_id, delivery_id from meta_lineage) as l on l.measure_id = b.item
            join meta_delivery as d on d.delivery_id = l.delivery_id
            cross join (values (0), (1)) as later(years)
        )
        select 1 from meta_finding as f
        semi join feed_blank as b
            on b.feed = f.feed and b.year = f.year
            and list_contains(regexp_extract_all(concat_ws(' ', f.area_id, f.message), '{AREA_IDS}'), b.area)
        where not f.passed and f.gate = 'delivery'
        """,
    ),
    "Zeilenzahl eines Melderegisters, dessen Summe geheim ist": (
        "meta_lineage",
        """
        select 1 from meta_delivery as d
        semi join (
            select l.delivery_id from meta_lineage as l
            join dim_area as a on a.area_id = l.area_id and a.level = 'kommune'
            join blank as b on b.area = l.area_id and b.year = l.year and b.item = l.measure_id
            where l.measure_id = 'population'
        ) as l on l.delivery_id = d.delivery_id
        where d.row_count is not null and d.state = 'accepted'
        """,
    ),
}
"""German title -> table (and column) without which there is nothing to judge, and the query."""


def beside_blanks(release: Path, cells: pd.DataFrame) -> dict[str, int]:
    """German title of each rule -> number of rows that break it.

    cells: area, year, item, is_blank of the counts that the release prints or hides (`audit_read.Published.cells`).
    """
    with single_threaded() as connection:
        connection.register("blank", cells.loc[cells["is_blank"], ["area", "year", "item"]])
        # Temporary views: the database is shared by this process.
        tables = {file.stem: file for file in sorted((release / "parquet").glob("*.parquet"))}
        for name, file in tables.items():
            connection.execute(f"create temp view {identifier(name)} as select * from read_parquet({literal(file)})")
        return {
            title: int(connection.execute(f"select count(*) from ({query})").fetchone()[0])  # type: ignore[index]
            for title, (table, query) in RULES.items()
            if _is_there(tables, *table.split("."))
        }


def _is_there(tables: dict[str, Path], table: str, column: str | None = None) -> bool:
    """Releases of before lack columns that later ones have."""
    return table in tables and (column is None or column in pq.read_schema(tables[table]).names)
