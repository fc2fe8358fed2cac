"""Which published count is the sum of which atoms: from `atoms.yml` and the areas to one sparse matrix cells × atoms.

An atom is the coarsest thing that no published count cuts: a set of classes of one universe, in one place, in one year.
A place is the smallest area with figures, or the overlap of an old and a new area where boundaries changed. For the
suppressor; the auditor derives the same sums from the same declaration by code of its own (`audit_read.py`).
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp
import yaml

DECLARATION = Path(__file__).with_name("atoms.yml")
SEEDS = Path(__file__).parents[2] / "seeds"
SEXES = ("m", "w")
NATIONALITIES = ("deutsch", "nichtdeutsch")
CUBE = "cube|"
"""Items of the population table: cube|age band|sex|nationality."""
WITHOUT = " ohne "
"""`whole ohne part`: who is in the one and not in the other. Never printed, but two printed counts tell it."""

Predicate = Mapping[str, Sequence[str]]


@dataclass(frozen=True)
class Universe:
    """What is counted, the axes that cut it into classes, and which of them each item keeps."""

    axes: Mapping[str, Sequence[str]]
    items: Mapping[str, Predicate]
    never: Sequence[Predicate] = ()

    def membership(self, items: Sequence[str]) -> np.ndarray:
        """Shape (len(items), atoms), True where the item contains the atom; atoms in no item are left out.

        Classes that all items treat alike are one atom; their order is that of the first class.
        """
        grid = list(itertools.product(*self.axes.values()))
        names = list(self.axes)
        rows = [[self._holds(item, dict(zip(names, cell, strict=True))) for cell in grid] for item in items]
        possible = [not any(_fits(dict(zip(names, cell, strict=True)), never) for never in self.never) for cell in grid]
        table = np.array(rows, dtype=bool).reshape(len(items), len(grid))[:, possible]
        table = table[:, table.any(axis=0)]
        _, first = np.unique(table, axis=1, return_index=True)
        return table[:, np.sort(first)]

    def nested(self, items: Sequence[str]) -> list[tuple[str, str]]:
        """(part, whole) of those items, of which the first lies in the second and is not all of it."""
        member = dict(zip(items, self.membership(items), strict=True))
        return [
            (part, whole)
            for part, whole in itertools.permutations(items, 2)
            if (member[part] <= member[whole]).all() and (member[part] != member[whole]).any()
        ]

    def _holds(self, item: str, cell: Mapping[str, str]) -> bool:
        whole, _, part = item.partition(WITHOUT)
        return _fits(cell, self.items[whole]) and not (part and _fits(cell, self.items[part]))


@dataclass(frozen=True)
class Declaration:
    """All universes, the universe of each item, and the parts of a whole across universes."""

    universes: Mapping[str, Universe]
    within: Sequence[tuple[str, str, int, str | None]]
    """(part, whole, how often the part is in the whole, the only level at which it holds or None)"""

    def universe_of(self, item: str) -> str:
        """The name of the item's universe; an item in none is one by itself."""
        whole = item.partition(WITHOUT)[0]
        return self._home.get(whole, whole)

    @property
    def _home(self) -> dict[str, str]:
        return {item: name for name, universe in self.universes.items() for item in universe.items}

    def membership(self, universe: str, items: Sequence[str]) -> np.ndarray:
        """As `Universe.membership`; for an item in no universe one atom."""
        if universe in self.universes:
            return self.universes[universe].membership(items)
        return np.ones((len(items), 1), dtype=bool)


def load_declaration(path: Path = DECLARATION, seeds: Path = SEEDS) -> Declaration:
    """The declaration with the register's universes from the seeds."""
    text = yaml.safe_load(path.read_text(encoding="utf-8"))
    universes = {
        name: Universe(
            {axis: [str(c) for c in classes] for axis, classes in body["axes"].items()},
            {item: _predicate(predicate) for item, predicate in body["measures"].items()},
            [_predicate(never) for never in body.get("never", [])],
        )
        for name, body in text["universes"].items()
    }
    within = [(str(w["part"]), str(w["whole"]), int(w.get("factor", 1)), w.get("level")) for w in text["within"]]
    return Declaration(universes | register_universes(seeds), within)


def register_universes(seeds: Path = SEEDS) -> dict[str, Universe]:
    """Persons by age band, sex and nationality, and households by size, as the register's seeds define the measures."""
    measures = pd.read_csv(seeds / "register_measures.csv")
    bands = pd.read_csv(seeds / "age_bands.csv")
    ends = bands["age_to"].fillna(np.inf)
    persons: dict[str, Predicate] = {
        f"{CUBE}{band}|{sex}|{group}": {"alter": [band], "geschlecht": [sex], "nationalitaet": [group]}
        for band, sex, group in itertools.product(bands["age_band"], SEXES, NATIONALITIES)
    }
    bounds = measures["lower_bound"].to_numpy(float), measures["upper_bound"].fillna(np.inf).to_numpy(float)
    for item, unit, low, high, group in zip(
        measures["measure_id"], measures["unit_counted"], *bounds, measures["nationality_group"], strict=True
    ):
        if unit == "person":
            inside = bands["age_band"][(bands["age_from"] >= low) & (ends <= high)].tolist()
            cut = (bands["age_from"] <= high) & (ends >= low) & ~((bands["age_from"] >= low) & (ends <= high))
            if cut.any():
                raise ValueError(f"register_measures.csv: {item} cuts the age band {bands['age_band'][cut].iloc[0]}")
            persons[item] = {"alter": inside} | ({"nationalitaet": [group]} if isinstance(group, str) else {})
    sizes = measures[measures["unit_counted"] == "household"]
    starts = sorted({1, *sizes["lower_bound"].astype(int), *(sizes["upper_bound"].dropna().astype(int) + 1)})
    households = {
        item: {"groesse": [str(s) for s in starts if low <= s and not s > high]}
        for item, low, high in zip(sizes["measure_id"], sizes["lower_bound"], sizes["upper_bound"], strict=True)
    }
    return {
        "einwohner": Universe(
            {"alter": bands["age_band"].tolist(), "geschlecht": SEXES, "nationalitaet": NATIONALITIES}, persons
        ),
        "haushalte": Universe({"groesse": [str(s) for s in starts]}, households),
    }


@dataclass(frozen=True)
class Relations:
    """What readers know of the cells: `matrix` @ atoms = cells, atoms ≥ 0, and part ≤ whole."""

    matrix: sp.csr_array
    """shape (cells, atoms), 0 and 1"""
    block: np.ndarray
    """shape (atoms,), the atom's Kommune (or what else is solved together first) as a number"""
    within: np.ndarray
    """shape (pairs, 3), positions of the cells part and whole, and the factor of the part: factor · part ≤ whole"""


def relate(
    cells: pd.DataFrame, areas: pd.DataFrame, declaration: Declaration, overlaps: pd.DataFrame | None = None
) -> Relations:
    """The relations between cells.

    cells: columns area_id, level, year, item; one row per published count.
    areas: columns area_id, parent_area_id (null at the top), year; all areas that exist, also those without figures.
    overlaps: columns year, old, new: areas of two boundary versions that share a piece; both are in `areas`. What is
    known of a piece itself is a cell of the area `old&new`.
    """
    universe = cells["item"].map({item: declaration.universe_of(item) for item in cells["item"].unique()})
    position = np.arange(len(cells))
    pieces = _pieces(overlaps)
    tree = {int(str(year)): _children(group) for year, group in areas.groupby("year")}
    rows: list[np.ndarray] = []
    columns: list[np.ndarray] = []
    blocks: list[np.ndarray] = []
    block_numbers: dict[str, int] = {}
    width = 0
    for key, group in cells.assign(position=position).groupby([cells["year"], universe], sort=True):
        year, name = int(str(key[0])), str(key[1])
        items = sorted(group["item"].unique())
        member = declaration.membership(name, items)
        places, leaves, top = _places(set(group["area_id"]), *tree[year], pieces[year])
        number = {place: n for n, place in enumerate(leaves)}
        item_number = {item: n for n, item in enumerate(items)}
        for area, item, row in zip(group["area_id"], group["item"], group["position"], strict=True):
            atoms = np.flatnonzero(member[item_number[item]])
            at = np.array([number[place] for place in places[area]], dtype=np.int64)
            column = (width + at[:, None] * member.shape[1] + atoms[None, :]).ravel()
            rows.append(np.full(column.size, row, dtype=np.int64))
            columns.append(column)
        for place in leaves:
            label = block_numbers.setdefault(top[place], len(block_numbers))
            blocks.append(np.full(member.shape[1], label, dtype=np.int64))
        width += len(leaves) * member.shape[1]
    row, column = _joined(rows), _joined(columns)
    matrix = sp.csr_array((np.ones(row.size), (row, column)), shape=(len(cells), width))
    return Relations(matrix, _joined(blocks), _within(cells, declaration))


def _places(
    with_figures: set[str], parent: dict[str, str | None], children: dict[str, list[str]], pieces: dict[str, list[str]]
) -> tuple[dict[str, list[str]], list[str], dict[str, str]]:
    """Places of each area, all places, and the block of each place.

    An area is one place if nothing below it has figures; a sibling without figures is a place that readers do not see.
    """
    has_below: set[str] = set()
    for area in with_figures:
        above = parent.get(area)
        while above is not None:
            has_below.add(above)
            above = parent.get(above)
    found: dict[str, list[str]] = {}

    def places(area: str) -> list[str]:
        if area not in found:
            if area in has_below:
                found[area] = sorted({place for child in children[area] for place in places(child)})
            else:
                found[area] = pieces.get(area, [area])
        return found[area]

    for area in sorted(with_figures):
        places(area)
    top: dict[str, str] = {}
    for area in sorted(found):
        if area not in has_below:
            above = parent.get(area)
            # The child of the top: a Kommune, with everything below it.
            chain = [area]
            while above is not None:
                chain.append(above)
                above = parent.get(above)
            for place in found[area]:
                top.setdefault(place, chain[-2] if len(chain) > 1 else chain[0])
    return found, sorted(top), top


def _children(areas: pd.DataFrame) -> tuple[dict[str, str | None], dict[str, list[str]]]:
    parent: dict[str, str | None] = {}
    children: dict[str, list[str]] = defaultdict(list)
    for area, above in zip(areas["area_id"], areas["parent_area_id"], strict=True):
        parent[area] = above if isinstance(above, str) else None
        if isinstance(above, str):
            children[above].append(area)
    return parent, children


def _pieces(overlaps: pd.DataFrame | None) -> dict[int, dict[str, list[str]]]:
    """Per year the pieces of each area that was re-cut; a piece is one of itself."""
    pieces: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    if overlaps is not None:
        for year, old, new in sorted(zip(overlaps["year"], overlaps["old"], overlaps["new"], strict=True)):
            pieces[int(year)][old].append(f"{old}&{new}")
            pieces[int(year)][new].append(f"{old}&{new}")
    return pieces


def _within(cells: pd.DataFrame, declaration: Declaration) -> np.ndarray:
    keyed = cells[["area_id", "year", "item"]].assign(position=np.arange(len(cells)))
    pairs = []
    for part, whole, factor, level in declaration.within:
        # Whom the register and whom another source cannot locate are not the same persons.
        holds = cells["level"] != "nicht_verortbar" if level is None else cells["level"] == level
        chosen = keyed[holds.to_numpy()]
        joined = chosen[chosen["item"] == part].merge(chosen[chosen["item"] == whole], on=["area_id", "year"])
        pairs.append(joined.assign(factor=factor)[["position_x", "position_y", "factor"]].to_numpy(np.int64))
    return np.concatenate(pairs) if pairs else np.empty((0, 3), dtype=np.int64)


def _fits(cell: Mapping[str, str], predicate: Predicate) -> bool:
    return all(cell[axis] in classes for axis, classes in predicate.items())


def _predicate(raw: Mapping[str, Iterable[object]]) -> Predicate:
    return {axis: [str(c) for c in classes] for axis, classes in raw.items()}


def _joined(arrays: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(arrays) if arrays else np.empty(0, dtype=np.int64)
