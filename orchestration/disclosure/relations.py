"""Which sums a reader of the release can form: areas add up, and population measures add up from age bands.

Tables in, index arrays out. The decision what to blank is `suppress.py`'s.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.disclosure.suppress import Relation

KEY = ["area_id", "year", "item"]


def area_relations(cells: pd.DataFrame) -> list[Relation]:
    """Kreis = its Kommunen, Kommune = its Sozialräume and those that could not be located.

    cells: columns area_id, parent_area_id, year, item; the row's position is the cell's index.
    A group whose whole is not there, or that has no parts, gives no relation.
    """
    own = _positions(cells)
    parts = own.assign(area_id=cells["parent_area_id"].to_numpy()).dropna(subset=["area_id"])
    return _relations(parts.merge(own, on=KEY, suffixes=("", "_whole")))


def composed_relations(cells: pd.DataFrame, composition: pd.DataFrame) -> list[Relation]:
    """A measure that is the sum of other cells of the same area and year (population under 15 = its age bands).

    composition: columns whole, part (values of `item`). Groups with a missing part give no relation.
    """
    own = _positions(cells)
    parts = (
        composition.merge(own, left_on="part", right_on="item").drop(columns="item").rename(columns={"whole": "item"})
    )
    joined = parts.merge(own, on=KEY, suffixes=("", "_whole"))
    wanted = joined["item"].map(composition.groupby("whole")["part"].nunique())
    there = joined.groupby("position_whole")["position"].transform("size")
    return _relations(joined[there == wanted])


def _positions(cells: pd.DataFrame) -> pd.DataFrame:
    return cells[KEY].assign(position=np.arange(len(cells)))


def _relations(joined: pd.DataFrame) -> list[Relation]:
    """One array per whole: its position, then those of its parts; ordered by position."""
    ordered = joined.sort_values(["position_whole", "position"])
    wholes, starts = np.unique(ordered["position_whole"].to_numpy(np.int64), return_index=True)
    parts = np.split(ordered["position"].to_numpy(np.int64), starts[1:])
    return [np.concatenate(([whole], part)) for whole, part in zip(wholes, parts, strict=True)] if len(wholes) else []
