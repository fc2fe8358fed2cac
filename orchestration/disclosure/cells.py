"""The warehouse's counts as cells for the protection, and its answer as tables for dbt.

Reads `intermediate` read-only, writes `control/suppression_*.parquet`. No rule lives here: which sums readers see
is in `relations.py`, what must be blank in `suppress.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from orchestration.disclosure.relations import area_relations, composed_relations
from orchestration.disclosure.suppress import suppress
from orchestration.home import Home

LEVEL_COST = {"sozialraum": 1.0, "nicht_verortbar": 1.0, "kommune": 100.0, "kreis": 10_000.0}
MEASURE_COST = 10.0
"""A measure feeds indicators, so it is dearer than one cell of the population table."""
CUBE = "cube|"

MEASURES = """
    select m.area_id, m.parent_area_id, m.level, m.year::int as year, m.measure_id as item, m.value,
        m.value_status = 'suppressed' as arrived_blank
    from intermediate.int_measure as m
    join seeds.measures as s using (measure_id)
    where s.counts_persons and m.value_status in ('ok', 'zero', 'suppressed')
    order by m.area_id, m.year, m.measure_id
"""
POPULATION = f"""
    select area_id, parent_area_id, level, year::int as year,
        '{CUBE}' || age_band || '|' || sex || '|' || nationality_group as item,
        population::double as value, false as arrived_blank
    from intermediate.int_population
    order by area_id, year, item
"""
COMPOSITION = f"""
    select m.measure_id as whole,
        '{CUBE}' || b.age_band || '|' || s.sex || '|' || n.nationality_group as part
    from seeds.register_measures as m
    join seeds.age_bands as b
        on b.age_from >= m.lower_bound and coalesce(b.age_to, 999) <= coalesce(m.upper_bound, 999)
    cross join (values ('m'), ('w')) as s (sex)
    join (values ('deutsch'), ('nichtdeutsch')) as n (nationality_group)
        on m.nationality_group is null or m.nationality_group = n.nationality_group
    where m.unit_counted = 'person'
    order by whole, part
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
        cells = pd.concat([warehouse.execute(MEASURES).df(), warehouse.execute(POPULATION).df()], ignore_index=True)
        composition = warehouse.execute(COMPOSITION).df()
    blank = blank_cells(cells, composition, minimum)
    hidden = cells[blank]
    is_cube = hidden["item"].str.startswith(CUBE)
    _write(
        hidden[~is_cube].rename(columns={"item": "measure_id"})[["area_id", "year", "measure_id"]],
        home.control / "suppression_measure.parquet",
    )
    cube = hidden[is_cube]
    parts = cube["item"].str.split("|", expand=True).reindex(columns=range(4)).astype(str)
    _write(
        cube[["area_id", "year"]].assign(age_band=parts[1], sex=parts[2], nationality_group=parts[3]),
        home.control / "suppression_population.parquet",
    )
    return Protection(len(cells), int(blank.sum()), int(cells["arrived_blank"].sum()))


def blank_cells(cells: pd.DataFrame, composition: pd.DataFrame, minimum: float) -> np.ndarray:
    """Shape (len(cells),), True where the cell must be blank; `cells` as the queries above give them."""
    relations = area_relations(cells) + composed_relations(cells, composition)
    level = cells["level"].map(LEVEL_COST).to_numpy(dtype=np.float64)
    cost = level * np.where(cells["item"].str.startswith(CUBE), 1.0, MEASURE_COST)
    return suppress(
        cells["value"].to_numpy(dtype=float),
        cells["arrived_blank"].to_numpy(dtype=bool),
        relations,
        cost.astype(np.float64),
        minimum,
    )


def _write(table: pd.DataFrame, target: Path) -> None:
    partial = target.with_suffix(".part")
    table.reset_index(drop=True).astype({"year": "int32"}).to_parquet(partial, index=False)
    partial.replace(target)
