"""The warehouse's counts as cells for the protection, and its answer as tables for dbt.

A cell has a `boundary`: as_counted, current (of today's areas, where these are not the same), or overlap: what two
areas have in common, which is not published but can be worked out.

Reads `intermediate` read-only, writes `control/suppression_*.parquet` and `disclosure_rule.parquet`. No rule lives
here: they are declared per feed (`rules.py`), which sums readers see follows from `atoms.yml`, what must be blank is
decided in `pattern.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from orchestration.disclosure.atoms import CUBE
from orchestration.disclosure.cost import Share
from orchestration.disclosure.pattern import Part
from orchestration.disclosure.protect import OVERLAP, blank_cells
from orchestration.disclosure.rules import dominance_width, is_dominated, load_rules, rule_table
from orchestration.gates import workers
from orchestration.gates.directory import write_parquet
from orchestration.home import Home
from orchestration.source_hash import source_hash

MANY = 10_000
"""Counts from which several processes are worth their start."""
SOURCES = ("orchestration/disclosure", "seeds")
"""What decides about the pattern beside the counts."""
PLACE = ["boundary", "area_id", "year"]
SAME = """
    select c.area_id, c.year, coalesce(t.is_unchanged, false) as is_today
    from intermediate.int_area_year as c
    left join intermediate.int_area_year as t on t.area_id = c.area_id and t.year = c.year and t.boundary = 'current'
    where c.boundary = 'as_counted'
"""
SHOWN = """
    select numerator_measure from seeds.indicators
    union
    select denominator_measure from seeds.indicators where denominator_measure is not null
    union
    select measure_id from seeds.projection_measures
    union
    -- What a shown figure is composed of is taken for shown.
    select part_measure from seeds.composed_measures
    where measure_id in (select numerator_measure from seeds.indicators)
"""
"""Measures of which an indicator or the projection tells something."""
MEASURES = f"""
    with contribution as (
        select feed, merkmal, area_id, year, max(value) as value
        from intermediate.int_delivered_value
        group by all
    )
    select m.boundary, m.area_id, m.parent_area_id, m.level, m.year::int as year, m.measure_id as item, m.value,
        m.value_status = 'suppressed' as arrived_blank,
        coalesce(c.value > 0 and c.value < r.minimum, false) as is_few,
        l.value * r.factor as largest, s.value * r.factor as second, r.dominance_percent,
        m.measure_id in ({SHOWN}) as is_shown
    from intermediate.int_measure as m
    join rules as r on r.measure_id = m.measure_id
    left join intermediate.int_measure as c
        on c.boundary = m.boundary and c.area_id = m.area_id and c.year = m.year and c.measure_id = r.counted_by
    left join contribution as l
        on l.feed = r.dominance_feed and l.merkmal = r.largest and l.area_id = m.area_id and l.year = m.year
    left join contribution as s
        on s.feed = r.dominance_feed and s.merkmal = r.second and s.area_id = m.area_id and s.year = m.year
    where r.is_protected and m.value_status in ('ok', 'zero', 'suppressed') and m.boundary = m.cell_boundary
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
        from intermediate.int_register_count join seeds.measures as s using (measure_id)
        where s.counts_persons and measure_id in ({SHOWN})
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
CORE = """
    select numerator_measure, denominator_measure from seeds.indicators where is_core order by indicator_id
"""


@dataclass(frozen=True)
class Protection:
    """How much was hidden: counts of cells, never which or how large."""

    cells: int
    blank: int
    arrived_blank: int


def protect(home: Home, earlier: pd.DataFrame) -> Protection:
    """Decide what stays blank in the next release; one row per blank cell in `control/suppression_*.parquet`.

    earlier: what earlier releases have told, as `records.read_records` gives it. Raises Unprotectable.
    """
    rules = load_rules()
    with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
        warehouse.register("rules", rules)
        measures, *others = (warehouse.execute(query).df() for query in (MEASURES, POPULATION, OVERLAPS))
        areas = warehouse.execute(AREAS).df()
        core = warehouse.execute(CORE).fetchall()
    is_shown = measures.pop("is_shown").to_numpy(bool)
    cells = ruled(pd.concat([measures[is_shown], *others], ignore_index=True), rules)
    # What no indicator shows is not published, so nothing has to be blank for its sake: all of it stays.
    unshown = measures.loc[~is_shown, [*PLACE, "item"]]
    blank = pattern(home, cells, areas, core, earlier)
    is_published = (cells["boundary"] != OVERLAP).to_numpy()
    hidden = cells.loc[blank & is_published, [*PLACE, "item"]]
    is_cube = hidden["item"].str.startswith(CUBE)
    secret = (
        pd.concat([hidden[~is_cube], unshown])
        .rename(columns={"item": "measure_id"})
        .sort_values([*PLACE, "measure_id"])
    )
    _write(secret, home.control / "suppression_measure.parquet")
    cube = hidden[is_cube]
    parts = cube["item"].str.split("|", expand=True).reindex(columns=range(4)).astype(str)
    _write(
        cube[PLACE].assign(age_band=parts[1], sex=parts[2], nationality_group=parts[3]),
        home.control / "suppression_population.parquet",
    )
    write_parquet(rule_table(rules), home.control / "disclosure_rule.parquet")
    return Protection(int(is_published.sum()), len(hidden), int(cells["arrived_blank"].sum()))


def ruled(cells: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """Cells with what the rules of their measure say: feed, minimum, zeros_shown, must_blank, width."""
    measure = cells["item"].where(~cells["item"].str.startswith(CUBE), "population")
    own = rules.set_index("measure_id").reindex(measure)
    amounts = [cells[name].to_numpy(float) for name in ("value", "largest", "second", "dominance_percent")]
    is_dominant = is_dominated(*amounts)
    few = cells["is_few"].eq(True).to_numpy(bool) & (cells["value"] > 0).to_numpy()
    return cells.drop(columns=["is_few", "largest", "second", "dominance_percent"]).assign(
        feed=own["feed"].to_numpy(),
        minimum=own["minimum"].to_numpy(float),
        zeros_shown=own["zeros_shown"].to_numpy(bool),
        must_blank=few | is_dominant,
        width=np.where(is_dominant, dominance_width(amounts[1], amounts[3]), 1.0),
    )


def pattern(
    home: Home, cells: pd.DataFrame, areas: pd.DataFrame, core: list[Share], earlier: pd.DataFrame
) -> np.ndarray:
    """`blank_cells`, or what it answered to the very same question before: a pure function of half a minute."""
    digest = hashlib.sha256(f"{source_hash(SOURCES)}|{core}".encode())
    for frame in (cells, areas, earlier):
        digest.update(f"{list(frame.columns)}".encode())
        digest.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    question, path = digest.hexdigest(), home.control / "suppression_pattern.parquet"
    if path.exists():
        answer = pq.read_table(path)
        if answer.schema.metadata.get(b"question") == question.encode():
            return np.asarray(answer.column("blank").to_numpy(), dtype=bool)
    blank = blank_cells(cells, areas, core, earlier, each=side_by_side if len(cells) >= MANY else map)
    write_parquet(pa.table({"blank": blank}).replace_schema_metadata({"question": question}), path)
    return blank


def side_by_side(function: Callable[[Part], np.ndarray], parts: list[Part]) -> Iterator[np.ndarray]:
    """As `map`, in one process a core; the largest part first, so that none is left for the end."""
    order = sorted(range(len(parts)), key=lambda n: -parts[n].cells.size)
    running = {n: workers.submit(function, parts[n]) for n in order}
    return (running[n].result() for n in range(len(parts)))


def _write(cells: pd.DataFrame, path: Path) -> None:
    write_parquet(pa.Table.from_pandas(cells.astype({"year": "int32"}), preserve_index=False), path)
