"""Which cells must be blank so that no small count is published or can be worked out from one published sum.

Pure functions on arrays: no file, no table name, no area. `relations.py` says which sums readers see.
What this first step does not do: combine several sums into one inference (a linear programme and an
independent audit are needed for that).
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
Relation = npt.NDArray[np.int64]


def primary_cells(values: FloatArray, minimum: float) -> BoolArray:
    """Cells that may not be shown by themselves: more than nothing, less than `minimum`."""
    return (values > 0) & (values < minimum)


def suppress(
    values: FloatArray,
    arrived_blank: BoolArray,
    relations: Sequence[Relation],
    cost: FloatArray,
    minimum: float = 3,
) -> BoolArray:
    """Blank every small cell, and further cells until no published sum gives one of them away.

    values: shape (n,), counts; NaN where the count is not known to us.
    arrived_blank: shape (n,), cells that the deliverer has suppressed already; never worked back.
    relations: index arrays, first the whole, then its parts; readers know that whole = sum of parts.
    cost: shape (n,), what blanking the cell costs the reader; the cheapest cell goes first, then the smallest.
    Returns shape (n,), True where the cell must be blank.

    Zeros are published, so a reader knows that each blank is at least 1. In one relation a blank p may
    therefore be as large as x_p + sum(x_j - 1) over the other blanks; that must reach `minimum`.
    """
    blank = arrived_blank | primary_cells(values, minimum)
    sensitive = blank.copy()
    at_least = np.where(np.isnan(values), 1.0, values)
    belongs_to: dict[int, list[int]] = defaultdict(list)
    for number, relation in enumerate(relations):
        for cell in relation:
            belongs_to[int(cell)].append(number)

    waiting = deque(range(len(relations)))
    is_waiting = np.ones(len(relations), dtype=bool)
    while waiting:
        number = waiting.popleft()
        is_waiting[number] = False
        relation = relations[number]
        while _gives_away(relation, blank, sensitive, at_least, minimum):
            partner = _cheapest(relation, values, blank, cost)
            if partner is None:
                break
            blank[partner] = True
            for other in belongs_to[partner]:
                if not is_waiting[other]:
                    waiting.append(other)
                    is_waiting[other] = True
    return blank


def _gives_away(
    relation: Relation, blank: BoolArray, sensitive: BoolArray, at_least: FloatArray, minimum: float
) -> bool:
    hidden = relation[blank[relation]]
    if hidden.size == 0:
        return False
    if hidden.size == 1:
        return True
    room = at_least[hidden] - 1
    small = sensitive[hidden]
    return bool(np.any(small & (at_least[hidden] + room.sum() - room < minimum)))


def _cheapest(relation: Relation, values: FloatArray, blank: BoolArray, cost: FloatArray) -> int | None:
    """The part to blank next; the whole only when no part is left. Zeros stay visible."""
    for candidates in (relation[1:], relation[:1]):
        usable = candidates[~blank[candidates] & (values[candidates] > 0)]
        if usable.size:
            order = np.lexsort((usable, values[usable], cost[usable]))
            return int(usable[order[0]])
    return None
