"""Seconds and memory for protecting the small counts of a generated county, beside the aims of issue 5.

Every measure of the catalogue in every Sozialraum, and the population table: about 12,500 counts a year, drawn at
random from atoms so that all sums hold, with the demo county's 87 areas and about its sizes and rates.

    PYTHONPATH=. .venv/bin/python benchmarks/disclosure.py [counts, default 250000]
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from orchestration.disclosure.atoms import CUBE, SEEDS, load_declaration
from orchestration.disclosure.cells import side_by_side
from orchestration.disclosure.protect import blank_cells

KREIS, KOMMUNEN, SOZIALRAEUME = "05378", 8, 87
RATES = {"einwohner": 1.0, "haushalte": 0.48, "haushalte_hhgen": 0.48, "beschaeftigte": 0.4, "wahlen": 0.8,
         "bundestagswahl": 0.75}  # fmt: skip
RATE = 0.03
"""Persons of a universe per inhabitant, where RATES names none."""
NOT_LOCATED = 0.004
FIRST_YEAR = 2000
CORE = [
    ("population", None),
    ("population_under_18", "population"),
    ("population_65_plus", "population"),
    ("population_foreign", "population"),
    ("sgb2_persons", "population_under_65"),
    ("sgb2_under_15", "population_under_15"),
    ("unemployed", "population_15_to_64"),
    ("unemployed_under_25", "population_15_to_24"),
    ("unemployed_long_term", "unemployed"),
]


def county(counts: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(cells, areas) as `blank_cells` takes them, at least so many counts; the same for the same seed."""
    rng = np.random.default_rng(seed)
    areas, inhabitants = _areas(rng)
    per_year = None
    years: list[pd.DataFrame] = []
    while per_year is None or per_year * len(years) < counts:
        years.append(_year(rng, areas, inhabitants).assign(year=FIRST_YEAR + len(years)))
        per_year = len(years[0])
    cells = pd.concat(years, ignore_index=True).assign(
        boundary="as_counted",
        feed="demo",
        arrived_blank=False,
        minimum=3.0,
        zeros_shown=True,
        must_blank=False,
        width=1.0,
    )
    tree = [areas.assign(year=FIRST_YEAR + n, boundary="as_counted", is_unchanged=True) for n in range(len(years))]
    return cells, pd.concat(tree, ignore_index=True)


def _areas(rng: np.random.Generator) -> tuple[pd.DataFrame, np.ndarray]:
    """area_id, parent_area_id, level; and the inhabitants of the smallest ones (0 elsewhere)."""
    kommunen = [f"{KREIS}{n:03d}" for n in range(KOMMUNEN)]
    home = np.sort(np.append(np.arange(KOMMUNEN), rng.integers(0, KOMMUNEN, SOZIALRAEUME - KOMMUNEN)))
    number = pd.Series(home).groupby(home).cumcount() + 1
    rows = [(KREIS, None, "kreis"), *((k, KREIS, "kommune") for k in kommunen)]
    rows += [(f"{kommunen[k]}-{n:02d}", kommunen[k], "sozialraum") for k, n in zip(home, number, strict=True)]
    rows += [(f"{k}-00", k, "nicht_verortbar") for k in kommunen]
    sizes = np.round(rng.lognormal(np.log(2800), 0.55, SOZIALRAEUME))
    lost = np.bincount(home, sizes, KOMMUNEN) * NOT_LOCATED
    inhabitants = np.concatenate([np.zeros(1 + KOMMUNEN), sizes, lost])
    return pd.DataFrame(rows, columns=["area_id", "parent_area_id", "level"]), inhabitants


def _year(rng: np.random.Generator, areas: pd.DataFrame, inhabitants: np.ndarray) -> pd.DataFrame:
    declaration = load_declaration()
    is_place = areas["level"].isin(["sozialraum", "nicht_verortbar"]).to_numpy()
    contains = np.array([[place.startswith(area) for place in areas["area_id"]] for area in areas["area_id"]])
    frames = []
    for number, (name, universe) in enumerate(declaration.universes.items()):
        items = sorted(universe.items)
        member = universe.membership(items)
        # One county has one structure: the same shares in all years and areas, but for chance.
        shares = np.random.default_rng(number).dirichlet(np.full(member.shape[1], 2.0))
        if name == "einwohner":
            shares = _residents(universe.axes)
        atoms = rng.poisson(np.outer(inhabitants * RATES.get(name, RATE), shares)) * is_place[:, None]
        values = (contains @ atoms @ member.T).astype(float)
        frames += [areas.assign(item=item, value=values[:, column]) for column, item in enumerate(items)]
    return pd.concat(frames, ignore_index=True)


def suppression(cells: pd.DataFrame, areas: pd.DataFrame) -> np.ndarray:
    """The blanks, with a line that tells time and memory."""
    started = time.perf_counter()
    blank = blank_cells(cells, areas, CORE, each=side_by_side)
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    small = int(((cells["value"] > 0) & (cells["value"] < cells["minimum"])).sum())
    is_cube = cells["item"].str.startswith(CUBE)
    print(
        f"suppression: {len(cells):,} counts ({small:,} small) in {seconds:.1f} s, {peak:.2f} GiB;"
        f" blank {100 * blank.mean():.1f} %, of measures {100 * blank[~is_cube].mean():.1f} %"
    )
    return blank


def _residents(axes: Mapping[str, Sequence[str]]) -> np.ndarray:
    """Shares of the population table's cells, in the order of its atoms: bands by their width, one in eight foreign."""
    bands = pd.read_csv(SEEDS / "age_bands.csv").set_index("age_band").loc[list(axes["alter"])]
    width = bands["age_to"].fillna(89) - bands["age_from"] + 1
    table = np.einsum("i,j,k->ijk", width / width.sum(), [0.49, 0.51], [0.88, 0.12])
    return table.ravel()


if __name__ == "__main__":
    suppression(*county(int(sys.argv[1]) if len(sys.argv) > 1 else 250_000))
