"""Who lives in each Sozialraum, counted from the simulated residents: what every aggregated demo feed is drawn from.

Counts and two invented properties per Sozialraum; what a single feed makes of them is that feed's module's business.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pandas as pd

from demo.geography import origins
from demo.population import GERMAN, YearEnd
from demo.reference import kommunen, sozialraum_profiles

AGE_GROUPS = {
    "u3": (0, 3), "a3_5": (3, 6), "a6_9": (6, 10), "u15": (0, 15), "u18": (0, 18), "u21": (0, 21), "a15_64": (15, 65),
    "a18_64": (18, 65), "a65_plus": (65, 200), "a80_plus": (80, 200), "a5_6": (5, 7), "a9": (9, 10), "a16": (16, 17),
}  # fmt: skip


def regions_of(end: YearEnd, year: int | None = None) -> tuple[list[str], np.ndarray]:
    """The Kommune's Sozialräume and `<ags>-00`, and for every household number the position of its own in that list.

    The Sozialräume are those that are valid at that year end, or at the end of another `year`.
    """
    ids, area = end.addresses.areas_in(year or end.year)
    address = end.household_address
    region = np.where(end.addresses.located[address], area[address], len(ids))
    return [*ids, f"{end.ags}-00"], region


def deprivation_of(regions: list[str]) -> np.ndarray:
    """Per region, shape (len(regions),): invented, 0 to 1; the mean of the areas that a new one was made of."""
    known = sozialraum_profiles().deprivation
    return np.array([np.mean([known.get(origin, 0.6) for origin in origins(region)]) for region in regions])


def basis(end: YearEnd) -> pd.DataFrame:
    """One Kommune on 31 December: index `gebiet` (Sozialräume, then `<ags>-00`: address not locatable).

    Integer columns: einwohner, the age groups above (from, below), auslaender, haushalte, haushalte_1 (one person),
    alleinerziehende, familien (households with children under 18). Float column deprivation (0 to 1, invented).
    """
    residents = end.residents
    age = end.year - residents.birth_year
    number, of = np.unique(residents.household, return_inverse=True)
    regions, by_number = regions_of(end)
    region = by_number[number]
    of_region = region[of]

    def persons(mask: np.ndarray) -> np.ndarray:
        return np.bincount(of_region[mask], minlength=len(regions))

    def households(mask: np.ndarray) -> np.ndarray:
        return np.bincount(region[mask], minlength=len(regions))

    children = np.bincount(of, age < 18, len(number)) > 0
    adults = np.bincount(of, age >= 18, len(number))
    everybody = np.ones(len(age), bool)
    return pd.DataFrame(
        {
            "einwohner": persons(everybody),
            **{name: persons((age >= low) & (age < below)) for name, (low, below) in AGE_GROUPS.items()},
            "auslaender": persons(residents.nationality != GERMAN),
            "haushalte": households(np.ones(len(number), bool)),
            "haushalte_1": households(np.bincount(of) == 1),
            "alleinerziehende": households(children & (adults == 1)),
            "familien": households(children),
            "deprivation": deprivation_of(regions),
        },
        index=pd.Index(regions, name="gebiet"),
    )


def draw(
    table: pd.DataFrame, of: str, share: float, slope: float, year: int, feed: int, spread: float = 1.0
) -> pd.Series:
    """How many of column `of` are concerned: binomial around `share`, times exp(slope × (deprivation − 0.5)).

    Each Sozialraum keeps a constant leaning of its own (a new one that of its origins), `spread` times the usual; the
    same table, year and feed number give the same counts.
    """
    leaning = spread * np.array([_leaning(str(region), feed) for region in table.index])
    chance = share * np.exp(slope * (table["deprivation"].to_numpy() - 0.5) + leaning)
    rng = np.random.Generator(np.random.PCG64([year, int(str(table.index[0])[:8]), feed]))
    counts = rng.binomial(table[of].to_numpy(), np.clip(chance, 0.0, 1.0))
    return pd.Series(counts, index=table.index)


@lru_cache(maxsize=4096)
def _leaning(region: str, feed: int) -> float:
    numbers = [int(origin.replace("-", "")) for origin in origins(region)]
    return float(np.mean([np.random.Generator(np.random.PCG64([n, feed, 7])).normal(0.0, 0.15) for n in numbers]))


def with_totals(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Kreis, then each Kommune with its Sozialräume and `-00`; `tables` are counts per Sozialraum, one per Kommune."""
    parts = []
    for table in tables:
        ags = str(table.index[0])[:8]
        parts += [pd.DataFrame([table.sum()], index=[ags]), table]
    whole = pd.DataFrame([sum(table.sum() for table in tables)], index=["05378"])
    return pd.concat([whole, *parts]).astype(int).rename_axis("gebiet")


def kommune_totals(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Kreis and the eight Kommunen only, for feeds that know nothing finer."""
    known = {"05378", *(kommune.area_id for kommune in kommunen())}
    table = with_totals(tables)
    return table[table.index.isin(known)]
