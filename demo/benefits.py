"""Who receives SGB II benefits and who is unemployed: counts per Sozialraum, as the Jobcenter would deliver them.

Levels per Kommune are steered (children under 15 on SGB II as in the county's concept of 2015); below the Kommune
everything is invented and follows the deprivation of the Sozialraum. A household or person keeps its constant draw,
so receipt lasts for years. Counts only; suppression and file formats are in `demo/themes/`.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from demo.basis import regions_of
from demo.population import GERMAN, YearEnd
from demo.reference import sozialraum_profiles

# Share of children under 15 on SGB II, October 2014 (printed in the concept), per Kommune in percent.
SGB2_UNDER_15_2014 = {
    "05378004": 14.7, "05378008": 12.5, "05378012": 8.2, "05378016": 7.3,
    "05378020": 3.0, "05378024": 9.7, "05378028": 9.5, "05378032": 9.8,
}  # fmt: skip
# Invented course since 2014: a slow rise to 2017, a fall, the pandemic, the refugees from Ukraine (2022).
SGB2_COURSE = {
    2015: 1.02, 2016: 1.05, 2017: 1.06, 2018: 1.01, 2019: 0.96, 2020: 0.98, 2021: 0.94, 2022: 1.07, 2023: 1.09,
}  # fmt: skip
UNEMPLOYED_COURSE = {
    2015: 1.00, 2016: 0.98, 2017: 0.95, 2018: 0.91, 2019: 0.89, 2020: 1.06, 2021: 0.97, 2022: 0.97, 2023: 1.03,
}  # fmt: skip

SGB2_COLUMNS = [
    "personen", "personen_u3", "personen_3_5", "personen_6_14", "personen_15_24", "personen_25_54",
    "personen_55_plus", "personen_u15", "bedarfsgemeinschaften", "bg_alleinerziehende",
]  # fmt: skip
OFFICE_TIMES = 4
UNEMPLOYED_COLUMNS = [
    "arbeitslose", "arbeitslose_u25", "arbeitslose_55_plus", "langzeitarbeitslose", "arbeitslose_auslaender",
]  # fmt: skip


def count(end: YearEnd) -> tuple[pd.DataFrame, pd.DataFrame]:
    """SGB II and unemployment of one Kommune on 31 December.

    Two frames of integers, index `gebiet`: the Sozialräume, then `<ags>-00` (address not locatable), then the Kommune.
    """
    age, of, _, at_office, deprived = _at_home(end)
    regions, by_number = regions_of(end)
    region = by_number[np.unique(end.residents.household)]

    receives = _receiving_households(end, of, age, deprived, at_office)
    sgb2 = _sgb2_counts(of, age, receives, region, len(regions))
    unemployed = _unemployed_counts(end, of, age, receives, deprived, region, len(regions))
    return _with_total(sgb2, SGB2_COLUMNS, regions, end.ags), _with_total(
        unemployed, UNEMPLOYED_COLUMNS, regions, end.ags
    )


def by_address(end: YearEnd, before: YearEnd | None) -> pd.DataFrame:
    """Persons in Bedarfsgemeinschaften per address, as the Jobcenter's own files keep them; columns ags, strasse,
    hausnummer, personen; the year before does not matter.

    The Jobcenter reaches more people at the town hall than are registered there: recipients without a home of their
    own, who stay registered where they last lived. In a Kommune without that town hall everybody is where the register
    says.
    """
    age, of, address, at_office, deprived = _at_home(end)
    receives = _receiving_households(end, of, age, deprived, at_office)
    persons = np.bincount(of, age < 65, len(address)).astype(int) * receives
    address = _with_post_at_office(end, address, persons, np.bincount(of))
    total = np.bincount(address, persons, len(end.addresses.street)).astype(int)
    used = np.flatnonzero(total)
    places = end.addresses
    return pd.DataFrame(
        {
            "ags": end.ags,
            "strasse": places.street[used],
            "hausnummer": places.house_number[used],
            "personen": total[used],
        }
    )


def _with_post_at_office(end: YearEnd, address: np.ndarray, persons: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Address per household: single recipients are moved to the office until it has four times its residents."""
    office = end.addresses.office
    if office is None:
        return address
    wanted = OFFICE_TIMES * int(size[address == office].sum()) - int(persons[address == office].sum())
    single = np.flatnonzero((size == 1) & (persons == 1) & (address != office))
    rng = np.random.Generator(np.random.PCG64([end.year, int(end.ags), 4]))
    moved = address.copy()
    moved[rng.permutation(single)[:wanted]] = office
    return moved


def by_sozialraum(end: YearEnd, before: YearEnd | None) -> pd.DataFrame:
    """Both of `count` side by side, without the Kommune's own row; the year before does not matter."""
    return pd.concat([table.drop(index=end.ags) for table in count(end)], axis=1)


def _at_home(end: YearEnd) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Per person: age and position of the household; per household: address, whether it is the office, deprivation."""
    residents, places = end.residents, end.addresses
    number, of = np.unique(residents.household, return_inverse=True)
    address = end.household_address[number]
    deprivation = sozialraum_profiles().deprivation.loc[places.sozialraum_ids].to_numpy()
    at_office = address == places.office if places.office is not None else np.zeros(len(number), bool)
    return end.year - residents.birth_year, of, address, at_office, deprivation[places.area[address]]


def _with_total(counts: list[np.ndarray], columns: list[str], regions: list[str], ags: str) -> pd.DataFrame:
    frame = pd.DataFrame(dict(zip(columns, counts, strict=True)), index=pd.Index(regions, name="gebiet"))
    frame.loc[ags] = frame.sum()
    return frame.astype(int)


def _lowest_until(score: np.ndarray, amount: np.ndarray, target: float) -> np.ndarray:
    """Mask of the entries with the lowest scores whose amounts add up to the target."""
    order = np.argsort(score, kind="stable")
    mask = np.zeros(len(score), bool)
    mask[order[: int(np.searchsorted(np.cumsum(amount[order]), target))]] = True
    return mask


def _receiving_households(
    end: YearEnd, of: np.ndarray, age: np.ndarray, deprived: np.ndarray, at_office: np.ndarray
) -> np.ndarray:
    """Mask over households: those with the least luck against their risk, up to the Kommune's level."""
    n = int(of.max()) + 1
    children = np.bincount(of, age < 15, n)
    young = np.bincount(of, age < 18, n)
    adults = np.bincount(of, age >= 18, n)
    under_65 = np.bincount(of, age < 65, n)
    foreign = np.bincount(of, end.residents.nationality != GERMAN, n) > 0
    risk = np.exp(3.0 * (deprived - 0.5))
    risk *= np.where((young > 0) & (adults == 1), 4.5, 1.0) * np.where(foreign, 2.8, 1.0)
    risk *= np.where(young > 2, 1.6, 1.0) * np.where((young == 0) & (adults >= 2), 0.35, 1.0)
    risk *= np.where(at_office, 60.0, 1.0)
    number = np.unique(end.residents.household)
    # Part of the draw is new each year: some leave, some come.
    fresh = np.random.Generator(np.random.PCG64([end.year, int(end.ags), 2])).random(n)
    score = np.where(fresh < 0.08, fresh / 0.08, end.household_luck[number]) / risk
    level = SGB2_UNDER_15_2014[end.ags] / 100 * SGB2_COURSE[end.year]
    families = _lowest_until(np.where(children > 0, score, np.inf), children, level * children.sum())
    persons = 0.585 * level * under_65.sum() - under_65[families].sum()
    without = np.where((children == 0) & (under_65 > 0), score, np.inf)
    return families | (_lowest_until(without, under_65, max(0.0, persons)) & np.isfinite(without))


def _sgb2_counts(
    of: np.ndarray, age: np.ndarray, receives: np.ndarray, region: np.ndarray, n_regions: int
) -> list[np.ndarray]:
    of_region = region[of]
    benefit = receives[of] & (age < 65)

    def persons(low: int, below: int) -> np.ndarray:
        return np.bincount(of_region[benefit & (age >= low) & (age < below)], minlength=n_regions)

    households = len(receives)
    one_adult = np.bincount(of, age >= 18, households) == 1
    lone_parent = receives & one_adult & (np.bincount(of, age < 18, households) > 0)
    return [
        persons(0, 65),
        persons(0, 3),
        persons(3, 6),
        persons(6, 15),
        persons(15, 25),
        persons(25, 55),
        persons(55, 65),
        persons(0, 15),
        np.bincount(region[receives], minlength=n_regions),
        np.bincount(region[lone_parent], minlength=n_regions),
    ]


def _unemployed_counts(
    end: YearEnd,
    of: np.ndarray,
    age: np.ndarray,
    receives: np.ndarray,
    deprived: np.ndarray,
    region: np.ndarray,
    n_regions: int,
) -> list[np.ndarray]:
    rng = np.random.Generator(np.random.PCG64([end.year, int(end.ags), 3]))
    foreign = end.residents.nationality != GERMAN
    can = (age >= 17) & (age < 65)
    risk = np.where(receives[of], 14.0, 1.0) * np.exp(1.2 * (deprived[of] - 0.5)) * np.where(foreign, 1.5, 1.0)
    risk *= np.interp(age, [17, 21, 30, 50, 64], [0.35, 0.9, 1.0, 0.85, 1.15])
    share = (0.034 + 0.10 * SGB2_UNDER_15_2014[end.ags] / 100) * UNEMPLOYED_COURSE[end.year]
    target = share * ((age >= 15) & (age < 65)).sum()
    score = np.where(can, rng.random(len(age)) / risk, np.inf)
    out = _lowest_until(score, np.ones(len(age)), target)
    long_term = out & (rng.random(len(age)) < np.where(receives[of], 0.62, 0.16) * np.where(age < 25, 0.25, 1.05))
    of_region = region[of]
    groups = [out, out & (age < 25), out & (age >= 55), long_term, out & foreign]
    return [np.bincount(of_region[group], minlength=n_regions) for group in groups]
