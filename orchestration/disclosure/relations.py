"""Which sums a reader of the release can form: areas add up, and population measures add up from age bands.

Tables in, index arrays out. The decision what to blank is `suppress.py`'s.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from orchestration.disclosure.suppress import Relation


def area_relations(cells: pd.DataFrame) -> list[Relation]:
    """Kreis = its Kommunen, Kommune = its Sozialräume and those that could not be located.

    cells: columns area_id, parent_area_id, year, item; the row's position is the cell's index.
    A group whose whole is not there, or that has no parts, gives no relation.
    """
    position = pd.Series(np.arange(len(cells)), index=pd.MultiIndex.from_frame(cells[["area_id", "year", "item"]]))
    parts = cells.assign(position=np.arange(len(cells))).dropna(subset=["parent_area_id"])
    relations = []
    for whole_key, group in parts.groupby(["parent_area_id", "year", "item"], sort=True)["position"]:
        if whole_key in position.index:
            relations.append(np.concatenate(([position[whole_key]], group.to_numpy())).astype(np.int64))
    return relations


def composed_relations(cells: pd.DataFrame, composition: pd.DataFrame) -> list[Relation]:
    """A measure that is the sum of other cells of the same area and year (population under 15 = its age bands).

    composition: columns whole, part (values of `item`). Groups with a missing part give no relation.
    """
    wanted = composition.groupby("whole")["part"].nunique()
    own = cells.assign(position=np.arange(len(cells)))[["area_id", "year", "item", "position"]]
    joined = (
        composition.merge(own, left_on="part", right_on="item")
        .merge(
            own.rename(columns={"item": "whole", "position": "whole_position"}),
            on=["whole", "area_id", "year"],
        )
        .sort_values(["area_id", "year", "whole", "position"])
    )
    relations = []
    for (_, _, whole), group in joined.groupby(["area_id", "year", "whole"], sort=True):
        if len(group) == wanted[whole]:
            relations.append(
                np.concatenate(([group["whole_position"].iloc[0]], group["position"].to_numpy())).astype(np.int64)
            )
    return relations
