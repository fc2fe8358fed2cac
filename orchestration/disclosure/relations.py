"""Which sums a reader of the release can form: areas add up, and population measures add up from age bands.

Tables in, index arrays out. The decision what to blank is `suppress.py`'s.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.disclosure.suppress import Relation

KEY = ["boundary", "area_id", "year", "item"]
AS_COUNTED, CURRENT, OVERLAP = "as_counted", "current", "overlap"
"""Boundary of a cell. An overlap (area as counted, `|`, area of today) is never published, but where both areas are, a
reader may work it out."""


def area_relations(cells: pd.DataFrame) -> list[Relation]:
    """Kreis = its Kommunen, Kommune = its Sozialräume and those that could not be located, as counted and of today.

    cells: columns boundary, area_id, parent_area_id, year, item, is_today (whether the cell is also the one of today's
    area); the row's position is the cell's index. Of today's areas only those are cells of their own that were counted
    anew. A group whose whole is not there, or that has no parts, gives no relation.
    """
    own = _positions(cells).assign(parent=cells["parent_area_id"].to_numpy())
    today = own.assign(boundary=CURRENT)[(cells["is_today"] & (cells["boundary"] != OVERLAP)).to_numpy()]
    anew = cells.loc[cells["boundary"] == CURRENT, ["parent_area_id", "year", "item"]].drop_duplicates()
    redrawn = today.merge(anew, left_on=["parent", "year", "item"], right_on=["parent_area_id", "year", "item"])
    relations = []
    for parts in (own[own["boundary"] == AS_COUNTED], redrawn):
        named = parts.drop(columns="area_id").rename(columns={"parent": "area_id"}).dropna(subset=["area_id"])
        wholes = own.loc[own["boundary"] == AS_COUNTED, [*KEY[1:], "position"]]
        relations += _relations(named[[*KEY[1:], "position"]].merge(wholes, on=KEY[1:], suffixes=("", "_whole")))
    return relations


def overlap_relations(cells: pd.DataFrame) -> list[Relation]:
    """An area that was redrawn = its overlaps with the areas of today; one of today = its overlaps with those before.

    cells as above. Without them a reader could subtract an area from the one that it was a part of.
    """
    own = _positions(cells)
    overlaps = own[own["boundary"] == OVERLAP]
    sides = overlaps["area_id"].str.split("|", expand=True).reindex(columns=range(2))
    relations = []
    for side, boundary in ((0, AS_COUNTED), (1, CURRENT)):
        parts = overlaps.assign(area_id=sides[side], boundary=boundary)
        relations += _relations(parts.merge(own, on=KEY, suffixes=("", "_whole")))
    return relations


def composed_relations(cells: pd.DataFrame, composition: pd.DataFrame) -> list[Relation]:
    """A measure that is the sum of other cells of the same area and year (population under 15 = its age bands).

    composition: columns whole, part (values of `item`). Groups with a missing part give no relation.
    """
    own = _positions(cells[cells["boundary"] != OVERLAP])
    parts = (
        composition.merge(own, left_on="part", right_on="item").drop(columns="item").rename(columns={"whole": "item"})
    )
    joined = parts.merge(own, on=KEY, suffixes=("", "_whole"))
    wanted = joined["item"].map(composition.groupby("whole")["part"].nunique())
    there = joined.groupby("position_whole")["position"].transform("size")
    return _relations(joined[there == wanted])


def _positions(cells: pd.DataFrame) -> pd.DataFrame:
    """Of a frame with the index 0, 1, 2, … (or a part of one)."""
    return cells[KEY].assign(position=cells.index.to_numpy())


def _relations(joined: pd.DataFrame) -> list[Relation]:
    """One array per whole: its position, then those of its parts; ordered by position."""
    ordered = joined.sort_values(["position_whole", "position"])
    wholes, starts = np.unique(ordered["position_whole"].to_numpy(np.int64), return_index=True)
    parts = np.split(ordered["position"].to_numpy(np.int64), starts[1:])
    return [np.concatenate(([whole], part)) for whole, part in zip(wholes, parts, strict=True)] if len(wholes) else []
