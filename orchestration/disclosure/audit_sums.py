"""The sums that readers know, as inequalities over atoms: from what a release prints and the declaration `atoms.yml`.

For the audit alone, with code of its own: the suppressor's `atoms.py` is not used, so that an error in it is found.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
import yaml

from orchestration.disclosure.audit_bounds import System
from orchestration.disclosure.audit_read import CUBE, KEY, Published

DECLARATION = Path(__file__).with_name("atoms.yml")
SEEDS = Path(__file__).parents[2] / "seeds"
WITHOUT = " ohne "
"""`whole ohne part`: who is in the one and not in the other."""


@dataclass(frozen=True)
class Knowledge:
    """A universe by universe view of the declaration: which classes each item holds, as bit patterns."""

    masks: dict[str, np.ndarray]
    """item -> shape (classes,) of its universe"""
    universe: dict[str, str]
    within: list[tuple[str, str, float, str | None]]
    """(part, whole, factor of the part, the only level at which it holds)"""

    def nested(self, items: Iterable[str]) -> list[tuple[str, str]]:
        """(part, whole) of those items: all of the one are in the other, but not the other way round."""
        known = [item for item in sorted(items) if item in self.masks and not item.startswith(CUBE)]
        pairs = [(a, b) for a in known for b in known if a != b and self.universe[a] == self.universe[b]]
        masks = self.masks
        return [(a, b) for a, b in pairs if (masks[a] <= masks[b]).all() and (masks[a] != masks[b]).any()]

    def universe_of(self, items: pd.Series) -> pd.Series:
        """The universe of each item; an item in none is one by itself."""
        return items.map({item: self.universe.get(item, item) for item in items.unique()})


def read_knowledge(declaration: Path = DECLARATION, seeds: Path = SEEDS) -> Knowledge:
    """The declaration, with the register's universes from the seeds."""
    content = yaml.safe_load(declaration.read_text(encoding="utf-8"))
    masks: dict[str, np.ndarray] = {}
    universe: dict[str, str] = {}
    for name, body in [*content["universes"].items(), *_register(seeds)]:
        axes = {axis: [str(c) for c in classes] for axis, classes in body["axes"].items()}
        grid = np.meshgrid(*[np.arange(len(classes)) for classes in axes.values()], indexing="ij")
        index = {axis: values.ravel() for axis, values in zip(axes, grid, strict=True)}

        def holds(predicate: dict[str, list[object]], axes: dict = axes, index: dict = index) -> np.ndarray:
            mask = np.ones(next(iter(index.values())).size, dtype=bool)
            for axis, classes in predicate.items():
                mask &= np.isin(index[axis], [axes[axis].index(str(c)) for c in classes])
            return mask

        impossible = [holds(never) for never in body.get("never", [])]
        possible = ~np.logical_or.reduce(impossible) if impossible else np.ones(index[next(iter(axes))].size, bool)
        for item, predicate in body["measures"].items():
            masks[item], universe[item] = holds(predicate) & possible, name
    return Knowledge(
        masks, universe, [(w["part"], w["whole"], float(w.get("factor", 1)), w.get("level")) for w in content["within"]]
    )


def _register(seeds: Path) -> list[tuple[str, dict]]:
    bands = pd.read_csv(seeds / "age_bands.csv").fillna({"age_to": 999})
    measures = pd.read_csv(seeds / "register_measures.csv").fillna({"upper_bound": 999})
    axes = {"alter": list(bands["age_band"]), "sex": ["m", "w"], "nationality": ["deutsch", "nichtdeutsch"]}
    persons: dict[str, dict] = {}
    for band in axes["alter"]:
        for sex in axes["sex"]:
            for nationality in axes["nationality"]:
                persons[f"{CUBE}{band}|{sex}|{nationality}"] = {
                    "alter": [band],
                    "sex": [sex],
                    "nationality": [nationality],
                }
    households: dict[str, dict] = {}
    sizes = [str(n) for n in range(1, 12)]
    names = ["measure_id", "unit_counted", "lower_bound", "upper_bound", "nationality_group"]
    for item, unit, low, high, nationality in zip(*(measures[name].tolist() for name in names), strict=True):
        if unit == "person":
            held = bands[(bands["age_from"] >= low) & (bands["age_to"] <= high)]
            persons[item] = {"alter": list(held["age_band"])}
            if isinstance(nationality, str):
                persons[item]["nationality"] = [nationality]
        elif unit == "household":
            households[item] = {"groesse": [n for n in sizes if low <= int(n) <= high]}
    return [
        ("einwohner", {"axes": axes, "measures": persons}),
        ("haushalte", {"axes": {"groesse": sizes}, "measures": households}),
    ]


class _Builder:
    """Collects rows over atoms, each a sum of parts: columns with one factor."""

    def __init__(self) -> None:
        self._columns: list[np.ndarray] = []
        self._factors: list[float] = []
        self._rows: list[int] = []
        self._low: list[float] = []
        self._high: list[float] = []
        self._soft: list[bool] = []

    def add(self, parts: Iterable[tuple[np.ndarray, float]], low: float, high: float, soft: bool = False) -> None:
        for columns, factor in parts:
            self._columns.append(columns)
            self._factors.append(factor)
            self._rows.append(len(self._low))
        self._low.append(low)
        self._high.append(high)
        self._soft.append(soft)

    def system(self, width: int) -> System:
        sizes = [columns.size for columns in self._columns]
        entries = (np.repeat(self._rows, sizes), np.concatenate(self._columns))
        matrix = sp.coo_array((np.repeat(self._factors, sizes), entries), (len(self._low), width))
        return System(sp.csr_array(matrix), np.array(self._low), np.array(self._high), np.array(self._soft))


def build(published: Published, knowledge: Knowledge) -> tuple[System, sp.csr_array, pd.DataFrame]:
    """The system, one target per blank or unclear cell, and those cells."""
    cells = published.cells
    universe = knowledge.universe_of(cells["item"])
    says = cells["is_printed"] | cells["is_blank"] | cells["is_unclear"] | cells["low"].notna()
    zero_is_shown = shows_zeros(cells["item"], published.rules)
    atoms: dict[tuple[str, int, str], np.ndarray] = {}
    builder = _Builder()
    width = 0
    trees = {int(str(year)): group for year, group in published.areas.groupby("year")}
    for key, group in cells[says].groupby([cells["year"][says], universe[says]], sort=True):
        year = int(str(key[0]))
        patterns = _patterns(sorted(group["item"].unique()), knowledge)
        size = next(iter(patterns.values())).size
        tree = trees[year]
        leaves, below = _leaves(tree, set(group["area"]))
        start = {leaf: width + n * size for n, leaf in enumerate(leaves)}
        width += len(leaves) * size
        kinds = {item: np.flatnonzero(pattern) for item, pattern in patterns.items()}
        firsts = {area: np.array([start[leaf] for leaf in found], dtype=np.int64) for area, found in below.items()}
        for area in sorted(set(group["area"]) & set(firsts)):
            for item, at in kinds.items():
                atoms[area, year, item] = (firsts[area][:, None] + at[None, :]).ravel()
        _same_total(builder, tree, start, size)
    is_known = says & np.array([key in atoms for key in _keys(cells)], dtype=bool)
    chosen, at_least = cells[is_known], np.where(zero_is_shown, 1.0, 0.0)[is_known]
    bounds = (chosen["low"], chosen["high"], chosen["is_blank"], at_least, follows_from_parts(chosen, published.areas))
    for key, low, high, blank, least_blank, follows in zip(_keys(chosen), *bounds, strict=True):
        if blank or not (np.isnan(low) or follows):
            least = max(least_blank if blank else 0.0, 0.0 if np.isnan(low) else low)
            builder.add([(atoms[key], 1.0)], least, np.inf if np.isnan(high) else high)
    _add_shares(builder, published.shares, atoms)
    printed = set(_keys(chosen[chosen["is_printed"]]))
    _add_within(builder, published.areas, knowledge, atoms, printed)
    _add_estimates(builder, published, atoms)
    hidden = chosen[chosen["is_blank"] | chosen["is_unclear"]]
    rests = _rests(chosen, knowledge)
    columns = [atoms[key] for key in _keys(hidden)]
    columns += [
        np.setdiff1d(atoms[area, year, whole], atoms[area, year, part])
        for area, year, whole, part in zip(
            *(rests[name].tolist() for name in ("area", "year", "whole", "part")), strict=True
        )
    ]
    hidden = pd.concat([hidden, rests[[*KEY, "is_blank", "is_unclear"]]], ignore_index=True)
    return builder.system(width), _targets(columns, width), hidden


def _rests(cells: pd.DataFrame, knowledge: Knowledge) -> pd.DataFrame:
    """KEY, whole, part, is_blank, is_unclear: who is in a whole and not in its part, where one of both is not printed.

    Of two printed counts the difference is known anyway (`printed_rests`).
    """
    found = [pd.DataFrame(columns=[*KEY, "whole", "part"])]
    names = ["area", "year", "is_printed"]
    for part, whole in knowledge.nested(cells["item"].unique()):
        both = cells.loc[cells["item"] == whole, names].merge(cells.loc[cells["item"] == part, names], on=names[:2])
        chosen = both[~(both["is_printed_x"] & both["is_printed_y"])]
        found.append(chosen[names[:2]].assign(item=f"{whole}{WITHOUT}{part}", whole=whole, part=part))
    return pd.concat(found, ignore_index=True).assign(is_blank=False, is_unclear=True).astype({"year": "int64"})


def printed_rests(cells: pd.DataFrame, knowledge: Knowledge) -> pd.DataFrame:
    """KEY and value: the differences of a whole and its part, both printed."""
    printed = cells.loc[cells["is_printed"], [*KEY, "low"]]
    found = [printed.iloc[:0].rename(columns={"low": "value"})]
    for part, whole in knowledge.nested(printed["item"].unique()):
        both = printed[printed["item"] == whole].merge(printed[printed["item"] == part], on=KEY[:2])
        rest = both[KEY[:2]].assign(item=f"{whole}{WITHOUT}{part}", value=both["low_x"] - both["low_y"])
        found.append(rest)
    return pd.concat(found, ignore_index=True)


def follows_from_parts(cells: pd.DataFrame, areas: pd.DataFrame) -> np.ndarray:
    """Shape (cells,): printed, and the sum of its printed parts: no news, but it would tie all Kommunen together."""
    tree = areas.loc[~areas["is_today"] & areas["parent"].notna(), ["area", "year", "parent"]]
    sizes = tree.groupby(["parent", "year"]).size().rename("n_parts").reset_index()
    printed = cells.loc[cells["is_printed"], [*KEY, "low"]].merge(tree, on=["area", "year"])
    sums = printed.groupby(["parent", "year", "item"])["low"].agg(["sum", "size"]).reset_index()
    complete = sums.merge(sizes, on=["parent", "year"]).query("size == n_parts").rename(columns={"parent": "area"})
    found = cells[KEY].merge(complete[[*KEY, "sum"]], on=KEY, how="left")["sum"].to_numpy(float)
    return cells["is_printed"].to_numpy(bool) & (found == cells["low"].to_numpy(float))


def shows_zeros(items: pd.Series, rules: pd.DataFrame) -> np.ndarray:
    """Shape of `items`: a zero would be printed, so a blank is at least one. The population table follows its total."""
    hides = set(rules.loc[~rules["zeros_shown"].astype(bool), "item"])
    return ~item_of_rule(items).isin(hides).to_numpy()


def item_of_rule(items: pd.Series) -> pd.Series:
    """The measure whose rule holds for an item."""
    return items.where(~items.str.startswith(CUBE), "population").str.replace(f"{WITHOUT}.*", "", regex=True)


def _keys(cells: pd.DataFrame) -> list[tuple[str, int, str]]:
    return list(zip(cells["area"], cells["year"].astype(int), cells["item"], strict=True))


def _patterns(items: Sequence[str], knowledge: Knowledge) -> dict[str, np.ndarray]:
    """Per item which of the coarsest atoms it holds."""
    table = np.array([knowledge.masks.get(item, np.ones(1, dtype=bool)) for item in items])
    kinds = dict.fromkeys(column.tobytes() for column in table.T if column.any())
    merged = np.array([np.frombuffer(kind, dtype=bool) for kind in kinds]).T
    return dict(zip(items, merged, strict=True))


def _leaves(tree: pd.DataFrame, spoken: set[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The smallest areas of which something is said (and their silent siblings), and those below each area."""
    parent = {a: p for a, p in zip(tree["area"], tree["parent"], strict=True) if isinstance(p, str)}
    split = {parent[area] for area in spoken if area in parent}
    split |= {parent[area] for area in split if area in parent}
    leaves = [a for a in tree["area"] if a not in split and (a in spoken or parent.get(a) in split)]
    is_today = dict(zip(tree["area"], tree["is_today"], strict=True))
    below: dict[str, list[str]] = {leaf: [leaf] for leaf in leaves}
    for leaf in leaves:
        above = None if is_today[leaf] else parent.get(leaf)
        while above is not None:
            below.setdefault(above, []).append(leaf)
            above = parent.get(above)
    return leaves, below


def _same_total(builder: _Builder, tree: pd.DataFrame, start: dict[str, int], size: int) -> None:
    """Areas that exchanged something hold the same in their old and in their new boundaries, atom by atom."""
    chosen = tree[(tree["is_today"] | tree["is_replaced"]) & tree["area"].isin(start.keys())]
    # Where a new border also changed who lies in no area, only the Kommune as a whole is the same.
    is_open = chosen["parent"].isin(chosen.loc[chosen["level"] == "nicht_verortbar", "parent"])
    for _, group in chosen.groupby(["parent", chosen["group"].where(~is_open, "")]):
        if group["is_today"].any() and group["is_replaced"].any():
            new, old = (
                np.array([start[a] for a in group.loc[group[side], "area"]]) for side in ("is_today", "is_replaced")
            )
            for atom in range(size):
                builder.add([(new + atom, 1.0), (old + atom, -1.0)], 0.0, 0.0, soft=True)


def _add_shares(builder: _Builder, shares: pd.DataFrame, atoms: dict[tuple[str, int, str], np.ndarray]) -> None:
    """low · denominator ≤ numerator ≤ high · denominator"""
    names = ["area", "year", "numerator", "denominator", "low", "high"]
    for area, year, own, other, low, high in zip(*(shares[name].tolist() for name in names), strict=True):
        numerator, denominator = atoms.get((area, year, own)), atoms.get((area, year, other))
        if numerator is not None and denominator is not None:
            builder.add([(numerator, 1.0), (denominator, -low)], 0.0, np.inf)
            builder.add([(numerator, 1.0), (denominator, -high)], -np.inf, 0.0)


def _add_estimates(builder: _Builder, published: Published, atoms: dict[tuple[str, int, str], np.ndarray]) -> None:
    """What was divided by weights sums to what was counted: over a group, estimates = counts of its old areas."""
    recut = published.areas[published.areas["is_today"] | published.areas["is_replaced"]]
    groups = dict(iter(recut.groupby(["year", "parent", "group"])))
    known = {(a, int(y), i): (lo, hi) for a, y, i, lo, hi in published.estimates.itertuples(index=False)}
    items = published.estimates.merge(recut[["area", "year", "parent", "group"]], on=["area", "year"])
    for year, parent, group, item in sorted(
        set(zip(*(items[c] for c in ("year", "parent", "group", "item")), strict=True))
    ):
        table = groups[year, parent, group]
        old = [atoms.get((area, int(year), item)) for area in table.loc[table["is_replaced"], "area"]]
        low = high = 0.0
        parts = [(columns, 1.0) for columns in old if columns is not None]
        for area in table.loc[table["is_today"], "area"]:
            own = atoms.get((area, int(year), item))
            if (area, int(year), item) in known:
                least, most = known[area, int(year), item]
                low, high = low + np.nan_to_num(least), high + (np.inf if np.isnan(most) else most)
            elif own is not None:
                parts.append((own, -1.0))
            else:
                high = np.inf
        if old and len(parts) >= len(old) and all(columns is not None for columns in old):
            builder.add(parts, low, high)


def _add_within(
    builder: _Builder,
    areas: pd.DataFrame,
    knowledge: Knowledge,
    atoms: dict[tuple[str, int, str], np.ndarray],
    printed: set[tuple[str, int, str]],
) -> None:
    """factor · part ≤ whole, unless both are printed anyway."""
    level = dict(zip(zip(areas["area"], areas["year"].astype(int), strict=True), areas["level"], strict=True))
    wholes: dict[str, list[tuple[str, float, str | None]]] = {}
    for part, whole, factor, only in knowledge.within:
        wholes.setdefault(part, []).append((whole, factor, only))
    for (area, year, item), columns in atoms.items():
        for whole, factor, only in wholes.get(item, ()):
            other = atoms.get((area, year, whole))
            # Whom the register and whom another source cannot locate are not the same persons.
            holds = level[area, year] != "nicht_verortbar" if only is None else level[area, year] == only
            is_news = (area, year, item) not in printed or (area, year, whole) not in printed
            if other is not None and holds and is_news:
                builder.add([(other, 1.0), (columns, -factor)], 0.0, np.inf, soft=True)


def _targets(columns: list[np.ndarray], width: int) -> sp.csr_array:
    if not columns:
        return sp.csr_array((0, width))
    row = np.repeat(np.arange(len(columns)), [c.size for c in columns])
    return sp.csr_array((np.ones(row.size), (row, np.concatenate(columns))), (len(columns), width))
