"""The warehouse's counts as cells for the protection, and its answer as tables for dbt.

A cell has a `boundary`: as_counted, current (of today's areas, where these are not the same), or overlap: what two
areas have in common, which is not published but can be worked out.

Reads `intermediate` read-only, writes `control/suppression_*.parquet`. No rule lives here: which sums readers see
follows from `atoms.yml`, what must be blank is decided in `pattern.py`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.disclosure.atoms import CUBE
from orchestration.disclosure.protect import OVERLAP, blank_cells
from orchestration.gates.directory import write_parquet
from orchestration.home import Home
from orchestration.source_hash import source_hash

SOURCES = ("orchestration/disclosure", "seeds")
"""What decides about the pattern beside the counts."""
SAME = """
    select c.area_id, c.year, coalesce(t.is_unchanged, false) as is_today
    from intermediate.int_area_year as c
    left join intermediate.int_area_year as t on t.area_id = c.area_id and t.year = c.year and t.boundary = 'current'
    where c.boundary = 'as_counted'
"""
MEASURES = """
    select m.boundary, m.area_id, m.parent_area_id, m.level, m.year::int as year, m.measure_id as item, m.value,
        m.value_status = 'suppressed' as arrived_blank
    from intermediate.int_measure as m
    join seeds.measures as s using (measure_id)
    where s.counts_persons and m.value_status in ('ok', 'zero', 'suppressed') and m.boundary = m.cell_boundary
    order by m.boundary, m.area_id, m.year, m.measure_id
"""
POPULATION = f"""
    select p.boundary, p.area_id, p.parent_area_id, p.level, p.year::int as year,
        '{CUBE}' || p.age_band || '|' || p.sex || '|' || p.nationality_group as item,
        p.population::double as value, false as arrived_blank
    from intermediate.int_population as p
    left join ({SAME}) as same on same.area_id = p.area_id and same.year = p.year
    where p.boundary = 'as_counted' or not coalesce(same.is_today, false)
    order by p.boundary, p.area_id, p.year, item
"""
OVERLAPS = f"""
    with redrawn as (
        select area_id, year from intermediate.int_area_year where boundary = 'current' and not is_unchanged
        union
        select area_id, year from ({SAME}) where not is_today
    ),
    counts as (
        select area_id, current_area_id, year, measure_id as item, units as persons
        from intermediate.int_register_count
        union all
        select area_id, current_area_id, year,
            '{CUBE}' || age_band || '|' || sex || '|' || nationality_group as item, persons
        from intermediate.int_population_count
    )
    select '{OVERLAP}' as boundary, c.area_id || '|' || c.current_area_id as area_id, null::varchar as parent_area_id,
        'overlap' as level, c.year::int as year, c.item, c.persons::double as value, false as arrived_blank
    from counts as c
    where (c.area_id, c.year) in (select area_id, year from redrawn)
        or (c.current_area_id, c.year) in (select area_id, year from redrawn)
    order by 2, c.year, c.item
"""
AREAS = """
    select boundary, area_id, parent_area_id, level, year::int as year, is_unchanged
    from intermediate.int_area_year
    order by boundary, area_id, year
"""
HEADLINE = """
    select item, count(*) as uses
    from (select unnest([numerator_measure, denominator_measure]) as item from seeds.indicators where is_core)
    where item is not null
    group by item
    order by item
"""


@dataclass(frozen=True)
class Protection:
    """How much was hidden: counts of cells, never which or how large."""

    cells: int
    blank: int
    arrived_blank: int


def protect(home: Home, minimum: float = 3) -> Protection:
    """Decide what stays blank in the next release; one row per blank cell in `control/suppression_*.parquet`."""
    with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
        frames = [warehouse.execute(query).df() for query in (MEASURES, POPULATION, OVERLAPS)]
        cells = pd.concat(frames, ignore_index=True)
        areas = warehouse.execute(AREAS).df()
        headline = dict(warehouse.execute(HEADLINE).fetchall())
    blank = pattern(home, cells, areas, minimum, headline)
    is_published = (cells["boundary"] != OVERLAP).to_numpy()
    hidden = cells[blank & is_published]
    is_cube = hidden["item"].str.startswith(CUBE)
    _write(
        hidden[~is_cube].rename(columns={"item": "measure_id"})[["boundary", "area_id", "year", "measure_id"]],
        home.control / "suppression_measure.parquet",
    )
    cube = hidden[is_cube]
    parts = cube["item"].str.split("|", expand=True).reindex(columns=range(4)).astype(str)
    _write(
        cube[["boundary", "area_id", "year"]].assign(age_band=parts[1], sex=parts[2], nationality_group=parts[3]),
        home.control / "suppression_population.parquet",
    )
    return Protection(int(is_published.sum()), len(hidden), int(cells["arrived_blank"].sum()))


def pattern(
    home: Home, cells: pd.DataFrame, areas: pd.DataFrame, minimum: float, headline: dict[str, int]
) -> np.ndarray:
    """`blank_cells`, or what it answered to the very same question before: a pure function of half a minute."""
    digest = hashlib.sha256(f"{source_hash(SOURCES)}|{minimum}|{sorted(headline.items())}".encode())
    for frame in (cells, areas):
        digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    question, path = digest.hexdigest(), home.control / "suppression_pattern.parquet"
    if path.exists():
        answer = pq.read_table(path)
        if answer.schema.metadata.get(b"question") == question.encode():
            return np.asarray(answer.column("blank").to_numpy(), dtype=bool)
    blank = blank_cells(cells, areas, minimum, headline)
    write_parquet(pa.table({"blank": blank}).replace_schema_metadata({"question": question}), path)
    return blank


def _write(table: pd.DataFrame, target: Path) -> None:
    partial = target.with_suffix(".part")
    table.reset_index(drop=True).astype({"year": "int32"}).to_parquet(partial, index=False)
    partial.replace(target)
