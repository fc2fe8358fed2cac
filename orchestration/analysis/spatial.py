"""Do similar Sozialräume lie beside each other? Global Moran's I and local clusters (LISA) by permutation.

After Anselin (1995), with the scaling of esda; p-values are two-sided, those of the areas corrected for their number
(Benjamini and Hochberg 1995). Reads protected figures and neighbours; knows nothing of what an indicator means.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.stats import false_discovery_control

from orchestration.analysis.seeds import generator

MINIMUM_AREAS = 20
"""Below this a map says nothing about a pattern."""
PERMUTATIONS = 999
MORE_PERMUTATIONS = 19_999
"""Of areas whose first p-value is at most `PROMISING`: with 999 none of 87 areas alone could pass the correction."""
PROMISING = 0.02
SIGNIFICANT = 0.05
LOCAL = ["indicator_id", "year", "area_id"]
FIGURES = ["n_areas", "moran_i", "expected_i", "p_value", "corrected_p", "own_z", "neighbours_z"]
TYPES = {
    "indicator_id": "str",
    "year": "int32",
    "area_id": "str",
    "cluster": "str",
    **dict.fromkeys(FIGURES, "float64"),
}


@dataclass(frozen=True)
class Pattern:
    """Moran's I of one map and its p-value; per area: local I, p, corrected p, own and neighbours' mean z-score."""

    moran_i: float
    p_value: float
    local_i: np.ndarray
    local_p: np.ndarray
    corrected_p: np.ndarray
    own: np.ndarray
    around: np.ndarray


def spatial_pattern(values: pd.DataFrame, neighbours: pd.DataFrame, whole: str) -> pd.DataFrame:
    """Rows for every row of `values` (LOCAL, value) and one with area_id `whole` per indicator and year.

    Columns: TYPES, with moran_i the global or local one. All after LOCAL are NaN where nothing can be computed: no
    value, no neighbour with a value, under MINIMUM_AREAS, all values the same.
    """
    if values.empty:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in TYPES.items()})
    table = values.pivot(index="area_id", columns=["indicator_id", "year"], values="value").sort_index(axis=0)
    areas, linked = table.index.to_numpy(str), adjacency(neighbours, table.index)
    parts = [_of_one_map(table[key].to_numpy(float), linked) for key in table.columns]
    maps = table.columns.to_frame(index=False).loc[np.repeat(np.arange(len(parts)), 1 + len(areas))]
    figures = np.concatenate([part[0] for part in parts])
    found = pd.DataFrame(figures, columns=FIGURES).assign(
        indicator_id=maps["indicator_id"].to_numpy(),
        year=maps["year"].to_numpy(),
        area_id=np.tile([whole, *areas], len(parts)),
        cluster=np.concatenate([part[1] for part in parts]),
    )
    return found[list(TYPES)].astype(TYPES).sort_values(LOCAL, ignore_index=True)


def _of_one_map(values: np.ndarray, linked: sparse.csr_array) -> tuple[np.ndarray, np.ndarray]:
    """FIGURES and cluster of the whole (first row) and of each area, from its value or NaN."""
    figures = np.full((1 + len(values), len(FIGURES)), np.nan)
    cluster = np.full(1 + len(values), None, dtype=object)
    usable = ~np.isnan(values)
    usable[usable] = np.diff(linked[usable][:, usable].indptr) > 0
    found = pattern(values[usable], row_standardised(linked[usable][:, usable]))
    if found is not None:
        n, at = usable.sum(), 1 + np.flatnonzero(usable)
        figures[0, :4] = n, found.moran_i, -1 / (n - 1), found.p_value
        local = (found.local_i, np.full(n, np.nan), found.local_p, found.corrected_p, found.own, found.around)
        figures[at, 0], figures[at, 1:] = n, np.column_stack(local)
        cluster[at] = clusters(found)
    return figures, cluster


def adjacency(neighbours: pd.DataFrame, areas: pd.Index) -> sparse.csr_array:
    """1 where two of the areas (sorted ids) are neighbours; both directions are there."""
    inside = neighbours[neighbours["area_id"].isin(areas) & neighbours["neighbour_area_id"].isin(areas)]
    at = areas.get_indexer(pd.Index(inside["area_id"])), areas.get_indexer(pd.Index(inside["neighbour_area_id"]))
    return sparse.csr_array((np.ones(len(inside)), at), shape=(len(areas), len(areas)))


def row_standardised(linked: sparse.csr_array) -> sparse.csr_array:
    """1/k for each of an area's k neighbours."""
    counts = np.diff(linked.indptr)
    return sparse.csr_array((np.repeat(1 / np.maximum(counts, 1), counts), linked.indices, linked.indptr), linked.shape)


def pattern(values: np.ndarray, weights: sparse.csr_array) -> Pattern | None:
    """Moran's I and LISA of one map, each area with neighbours; None with too few areas or without differences."""
    n = len(values)
    if n < MINIMUM_AREAS or np.ptp(values) == 0:
        return None
    z = (values - values.mean()) / values.std()
    around = weights @ z
    moran_i = float((z * around).mean())
    shuffled = z[_orders(n)]
    p_value = two_sided((shuffled * (weights @ shuffled)).mean(axis=0)[None], np.array([moran_i]))[0]
    local_p = _local_p(z, around, weights)
    return Pattern(
        moran_i,
        float(p_value),
        (n - 1) / n * z * around,
        local_p,
        false_discovery_control(local_p),
        z,
        around,
    )


def _local_p(z: np.ndarray, around: np.ndarray, weights: sparse.csr_array) -> np.ndarray:
    """p-values of the areas: each keeps its own value, its neighbours are drawn from all others.

    The promising ones are drawn again and more often; a small p-value needs many draws, a large one does not
    (Besag and Clifford 1991).
    """
    counts = np.diff(weights.indptr)
    p = _drawn_p(z, around, np.arange(len(z)), counts, PERMUTATIONS)
    again = np.flatnonzero(p <= PROMISING)
    p[again] = _drawn_p(z, around, again, counts, MORE_PERMUTATIONS)
    return p


def _drawn_p(z: np.ndarray, around: np.ndarray, areas: np.ndarray, counts: np.ndarray, permutations: int) -> np.ndarray:
    """p-values of the areas (places), from the means of as many random others as each has neighbours."""
    p = np.empty(len(areas))
    draws = _others(len(z), int(counts[areas].max(initial=0)), permutations)
    for row, (area, count) in enumerate(zip(areas, counts[areas], strict=True)):
        means = np.delete(z, area)[draws[:count]].sum(axis=0) / count
        p[row] = two_sided(means[None], around[[area]])[0]
    return p


@lru_cache(maxsize=8)
def _orders(n: int) -> np.ndarray:
    rows = np.tile(_places(n), (PERMUTATIONS, 1))
    return np.ascontiguousarray(generator("moran", n).permuted(rows, axis=1).T)


@lru_cache(maxsize=32)
def _others(n: int, most: int, permutations: int) -> np.ndarray:
    """Places 0 to n − 2, `most` different ones in random order, in each column; the same for every map of n areas.

    Each is one of those that are left, counted from the first: a shuffle of all takes 100 times as long in a state.
    """
    random, drawn = generator("lisa", n, permutations), np.empty((most, permutations), dtype=np.min_scalar_type(n))
    for step in range(most):
        place = random.integers(0, n - 1 - step, permutations)
        for taken in np.sort(drawn[:step], axis=0):
            place += place >= taken
        drawn[step] = place
    return drawn


def _places(n: int) -> np.ndarray:
    """0 to n − 1 in few bytes: all permutations of a state are 25 million places."""
    return np.arange(n, dtype=np.min_scalar_type(n))


def two_sided(drawn: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Twice the share of draws (columns) at least as far out on the nearer side, the observed one counted with them."""
    above, below = drawn >= observed[:, None], drawn <= observed[:, None]
    least = np.minimum(np.count_nonzero(above, axis=1), np.count_nonzero(below, axis=1))
    return np.minimum(1.0, 2 * (least + 1) / (drawn.shape[1] + 1))


def clusters(found: Pattern) -> np.ndarray:
    """hoch_hoch, niedrig_niedrig, hoch_niedrig, niedrig_hoch (own value, neighbours), or nicht_signifikant."""
    own, around = np.where(found.own > 0, "hoch", "niedrig"), np.where(found.around > 0, "hoch", "niedrig")
    named = np.char.add(np.char.add(own, "_"), around)
    return np.where(found.corrected_p <= SIGNIFICANT, named, "nicht_signifikant")
