"""The warehouse's counts as a problem for the suppressor: areas of both boundary versions, costs, earlier releases.

Tables in, a mask out; no file. What must be blank is decided in `pattern.py`, which sums hold in `atoms.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from orchestration.disclosure.atoms import CUBE, Declaration, load_declaration, relate
from orchestration.disclosure.earlier import constraints
from orchestration.disclosure.pattern import Counts, suppress

TODAY, CURRENT, OVERLAP = "@heute", "current", "overlap"
LEVEL_COST = {"overlap": 0.001, "sozialraum": 1.0, "nicht_verortbar": 0.1, "kommune": 100.0, "kreis": 10_000.0}
MEASURE_COST = 10.0
"""A measure feeds indicators, so it is dearer than one cell of the population table."""
HEADLINE_COST = 10.0
"""A measure of a core indicator is dearer again, and by the square of how many of them it blanks: population most."""


def blank_cells(
    cells: pd.DataFrame,
    areas: pd.DataFrame,
    minimum: float,
    headline: Mapping[str, int] | None = None,
    earlier: pd.DataFrame | None = None,
    declaration: Declaration | None = None,
) -> np.ndarray:
    """Shape (len(cells),), True where the cell must be blank.

    cells: boundary (as_counted, current, overlap), area_id, parent_area_id, level, year, item, value (NaN if it
    arrived suppressed), arrived_blank. Current are only cells of their own, counted anew; an overlap's area_id is
    `old|new`, and it is never published. areas: boundary, area_id, parent_area_id, level, year, is_unchanged.
    headline: measures of core indicators → how many rest on it. earlier: as `earlier.read_earlier` gives it.
    """
    rules = declaration or load_declaration()
    is_overlap = (cells["boundary"] == OVERLAP).to_numpy()
    keyed = cells.assign(area_id=area_names(cells))
    overlaps = keyed[is_overlap]
    pieces = overlaps["area_id"].str.split("&", expand=True).reindex(columns=range(2))
    pairs = pieces.set_axis(["old", "new"], axis=1).assign(year=overlaps["year"]).drop_duplicates()
    blank = np.zeros(len(cells), dtype=bool)
    # Of what is never published only a small count needs protection.
    chosen = ~is_overlap | (cells["value"] < minimum).to_numpy()
    cells, keyed, is_overlap = cells[chosen], keyed[chosen], is_overlap[chosen]
    relations = relate(keyed, area_tree(areas), rules, pairs if len(pairs) else None)
    n = len(cells)
    stays_blank, told = np.zeros(n, bool), np.zeros(n, bool)
    if earlier is not None and len(earlier):
        universe = cells["item"].map({item: rules.universe_of(item) for item in cells["item"].unique()})
        kommune = cells["parent_area_id"].where(~cells["level"].isin(["kommune", "kreis"]), cells["area_id"])
        stays_blank, told = constraints(cells, earlier, kommune + "|" + cells["year"].astype(str) + "|" + universe)
    is_cube = cells["item"].str.startswith(CUBE).to_numpy()
    uses = cells["item"].map(headline or {}).fillna(0).to_numpy(float)
    cost = cells["level"].map(LEVEL_COST).to_numpy(float)
    blank[chosen] = suppress(
        Counts(
            values=cells["value"].to_numpy(float),
            minimum=np.full(n, float(minimum)),
            cost=cost * np.where(is_cube, 1.0, MEASURE_COST) * np.where(uses > 0, HEADLINE_COST * uses**2, 1.0),
            stays_blank=stays_blank | cells["arrived_blank"].to_numpy(bool) | is_overlap,
            told=told,
        ),
        relations,
    )
    return blank


def area_names(cells: pd.DataFrame) -> pd.Series:
    """The area of each cell: today's areas that were counted anew are others, and so is what two areas share."""
    named = cells["area_id"].where(cells["boundary"] != CURRENT, cells["area_id"] + TODAY)
    return named.where(cells["boundary"] != OVERLAP, cells["area_id"].str.replace("|", "&", regex=False) + TODAY)


def area_tree(areas: pd.DataFrame) -> pd.DataFrame:
    """Areas as counted, and today's where they were not the same; columns area_id, parent_area_id, year."""
    anew = (areas["boundary"] == CURRENT) & ~areas["is_unchanged"].astype(bool)
    chosen = areas[(areas["boundary"] != CURRENT) | anew]
    name = chosen["area_id"].where(chosen["boundary"] != CURRENT, chosen["area_id"] + TODAY)
    return chosen.assign(area_id=name)[["area_id", "parent_area_id", "year"]].reset_index(drop=True)
