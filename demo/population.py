"""The synthetic residents of the demo county: who they are, where they live, year by year from 2015 to 2023.

Totals per Kommune and year are the official ones; age and sex on 31.12.2015 are the official ones by age group;
everything else is invented with fixed seeds. Persons persist: they age, have children, die, move, and keep their key.
Every step works on whole arrays of one Kommune. Files and their dialects are in `demo/register.py` and
`demo/themes/`, benefits in `demo/benefits.py`.

The reference date is always 31 December, so age in completed years is year minus year of birth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demo.geography import Addresses
from demo.reference import age_structure, official_population, sozialraum_profiles

FIRST_YEAR, LAST_YEAR = 2015, 2023
SEED_POPULATION = 2015
MALE, FEMALE, DIVERSE = 0, 1, 2
GERMAN = 0
OFFICE_PERSONS = 90

# Keys of the Staatsangehörigkeits- und Gebietsschlüssel (BVA) with invented weights before and after 2022.
_NATIONALITIES = {
    163: 17, 152: 13, 137: 10, 154: 8, 475: 8, 134: 6, 130: 5, 125: 5, 166: 3, 150: 4, 122: 3, 160: 3, 438: 4, 423: 4,
    439: 3, 148: 3, 129: 2, 168: 2, 151: 2, 161: 3, 153: 3, 170: 2, 121: 2, 436: 2, 479: 1, 368: 1, 252: 2, 998: 1,
}  # fmt: skip
_UKRAINE, _UKRAINE_WEIGHT_2022 = 166, 110
# Share of households whose head is not German on 31.12.2015.
_FOREIGN_2015 = {
    "05378004": 0.112, "05378008": 0.110, "05378012": 0.062, "05378016": 0.070,
    "05378020": 0.055, "05378024": 0.075, "05378028": 0.085, "05378032": 0.092,
}  # fmt: skip
_FOREIGN_IN_MOVES = {2016: 0.21, 2022: 0.33, 2023: 0.22}
_FOREIGN_IN_MOVES_OTHERWISE = 0.145


@dataclass
class Residents:
    """The persons of one Kommune at one year end; arrays of equal length, ordered by `person`.

    `person` counts up in order of arrival and never changes; `birth` is datetime64[D]; `sex` 0 m, 1 w, 2 d;
    `nationality` the BVA key (0 German); `household` points into `Households`.
    """

    person: np.ndarray
    birth: np.ndarray
    birth_year: np.ndarray
    sex: np.ndarray
    nationality: np.ndarray
    household: np.ndarray

    def __len__(self) -> int:
        return len(self.person)

    def keep(self, mask: np.ndarray) -> Residents:
        return Residents(*(column[mask] for column in self._columns()))

    def plus(self, other: Residents) -> Residents:
        pairs = zip(self._columns(), other._columns(), strict=True)
        return Residents(*(np.concatenate(pair) for pair in pairs))

    def _columns(self) -> tuple[np.ndarray, ...]:
        return (self.person, self.birth, self.birth_year, self.sex, self.nationality, self.household)


@dataclass
class Households:
    """All households a Kommune ever had, by number: index of the address, and a constant draw in [0, 1)."""

    address: np.ndarray
    luck: np.ndarray

    def add(self, address: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """New households at these addresses; returns their numbers."""
        start = len(self.address)
        self.address = np.concatenate([self.address, address])
        self.luck = np.concatenate([self.luck, rng.random(len(address))])
        return np.arange(start, start + len(address))


@dataclass(frozen=True)
class YearEnd:
    """One Kommune on 31 December: its residents and, for every household number, the address."""

    ags: str
    year: int
    residents: Residents
    household_address: np.ndarray
    household_luck: np.ndarray
    addresses: Addresses


@dataclass(frozen=True)
class _Groups:
    """Residents by household: `of` (household index per person), and per household number, size, oldest's age."""

    of: np.ndarray
    number: np.ndarray
    size: np.ndarray
    oldest: np.ndarray


def official_totals(ags: str, scale: float = 1.0) -> dict[int, int]:
    """Year → number of residents; with a scale other than 1 no longer the official number."""
    official = official_population()
    return {year: round(official[ags, year] * scale) for year in range(FIRST_YEAR, LAST_YEAR + 1)}


def simulate(ags: str, places: Addresses, last_year: int = LAST_YEAR, scale: float = 1.0) -> Iterator[YearEnd]:
    """The year ends of one Kommune, from 2015 on; equal at every call, whatever `last_year` is."""
    totals = official_totals(ags, scale)
    rng = np.random.Generator(np.random.PCG64([SEED_POPULATION, int(ags)]))
    settle = _Settlement(ags, places)
    residents, households = _found(ags, totals[FIRST_YEAR], scale, settle, rng)
    for year in range(FIRST_YEAR, last_year + 1):
        if year > FIRST_YEAR:
            residents = _live_a_year(residents, households, settle, year, totals[year], rng)
        _register_at_office(residents, households, settle, year, scale, rng)
        yield YearEnd(ags, year, residents, households.address.copy(), households.luck.copy(), places)


class _Settlement:
    """Draws addresses: the Sozialraum by the kind of household, then a building by its size."""

    def __init__(self, ags: str, places: Addresses) -> None:
        self.places = places
        profile = sozialraum_profiles().loc[places.sozialraum_ids]
        aim = profile.einwohner.to_numpy(float)
        foreign = np.exp(2.0 * (profile.deprivation.to_numpy() - 0.5))
        by_kind = [
            aim * (profile.families if kids else 1) * (profile.seniors if old else 1) * (foreign if alien else 1)
            for kids in (0, 1)
            for old in (0, 1)
            for alien in (0, 1)
        ]
        self.cumulative = [np.cumsum(np.asarray(p) / np.sum(p)) for p in by_kind]
        self.building = np.concatenate([[0.0], np.cumsum(places.weight)])

    def draw(self, kids: np.ndarray, old: np.ndarray, alien: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Index of an address for each household."""
        kind = kids.astype(int) * 4 + old.astype(int) * 2 + alien.astype(int)
        u = rng.random(len(kind))
        area = np.zeros(len(kind), int)
        for k in range(8):
            mine = kind == k
            area[mine] = np.searchsorted(self.cumulative[k], u[mine], side="right")
        area = np.minimum(area, len(self.places.sozialraum_ids) - 1)
        low = self.building[self.places.first[area]]
        high = self.building[self.places.first[area + 1]]
        at = np.searchsorted(self.building, low + rng.random(len(kind)) * (high - low), side="right") - 1
        return np.clip(at, self.places.first[area], self.places.first[area + 1] - 1)


def _group(residents: Residents, year: int) -> _Groups:
    number, of = np.unique(residents.household, return_inverse=True)
    size = np.bincount(of)
    oldest = np.zeros(len(number), int)
    np.maximum.at(oldest, of, year - residents.birth_year)
    return _Groups(of, number, size, oldest)


def _days(birth_year: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random day of each year of birth, as datetime64[D]."""
    return (birth_year - 1970).astype("datetime64[Y]").astype("datetime64[D]") + rng.integers(0, 365, len(birth_year))


# --- 31.12.2015 ---------------------------------------------------------------------------------------------------


def _found(
    ags: str, total: int, scale: float, settle: _Settlement, rng: np.random.Generator
) -> tuple[Residents, Households]:
    age, sex = _ages_and_sexes(ags, total, scale, rng)
    household = _form_households(age, sex, rng)
    foreign = _foreign_households(age, household, _FOREIGN_2015[ags], rng)
    nationality = _nationality(household, foreign, age, FIRST_YEAR, rng)
    kids, old = _kind_of_household(age, household)
    households = Households(np.zeros(0, int), np.zeros(0))
    households.add(settle.draw(kids, old, foreign, rng), rng)
    birth_year = FIRST_YEAR - age
    sex = np.where((age >= 18) & (rng.random(total) < 0.00006), DIVERSE, sex)
    residents = Residents(
        np.arange(total), _days(birth_year, rng), birth_year, sex.astype(np.int8), nationality, household
    )
    return residents, households


def _ages_and_sexes(ags: str, total: int, scale: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Age in years and sex of every person; the official numbers by age group and sex where scale is 1."""
    ages, sexes = [], []
    for row in age_structure(ags):
        n = round(row.population * scale)
        if row.below is None:
            years = np.arange(75, 101)
            share = np.exp(-((years - 75) ** 1.35) / (22 if row.sex == "m" else 29))
        else:
            years = np.arange(row.age_from, row.below)
            share = np.ones(len(years))
        counts = _largest_remainder(share / share.sum() * n, n)
        ages.append(np.repeat(years, counts))
        sexes.append(np.full(n, MALE if row.sex == "m" else FEMALE))
    age, sex = np.concatenate(ages), np.concatenate(sexes)
    # Rounding of a scaled county can miss its total by a few persons.
    at = rng.permutation(len(age))
    at = np.concatenate([at, at[: max(0, total - len(at))]])[:total]
    return age[at].astype(int), sex[at]


def _largest_remainder(quota: np.ndarray, total: int) -> np.ndarray:
    counts = np.floor(quota).astype(int)
    counts[np.argsort(counts - quota, kind="stable")[: total - counts.sum()]] += 1
    return counts


def _form_households(age: np.ndarray, sex: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A household number for every person: families, couples, one-person households (about 38 % of all).

    Partners are matched by rank of age, children to mothers about 30 years older.
    """
    n = len(age)
    household = np.full(n, -1)
    noise = rng.normal(size=n)
    chance = np.interp(age, [17, 18, 20, 22, 25, 28], [1, 0.9, 0.7, 0.5, 0.2, 0.0])
    child = rng.random(n) < chance
    children = np.flatnonzero(child)
    # Families: slots for children, filled by age.
    sizes = rng.choice([1, 2, 3, 4], p=[0.46, 0.41, 0.10, 0.03], size=len(children))
    sizes = sizes[: int(np.searchsorted(np.cumsum(sizes), len(children))) + 1]
    families = len(sizes)
    could_be_mother = np.flatnonzero((sex == FEMALE) & ~child & (age >= 22) & (age <= 60))
    wish = np.exp(-0.5 * ((age[could_be_mother] - 42) / 8.5) ** 2) + 0.02
    mothers = rng.choice(could_be_mother, min(families, len(could_be_mother)), replace=False, p=wish / wish.sum())
    families = len(mothers)
    mothers = mothers[np.argsort(age[mothers] + noise[mothers], kind="stable")]
    household[mothers] = np.arange(families)
    slots = np.repeat(np.arange(families), rng.permutation(sizes[:families]))
    if len(slots) < len(children):
        slots = np.concatenate([slots, rng.integers(0, families, len(children) - len(slots))])
    wanted_age = age[mothers][slots] + rng.normal(scale=2.5, size=len(slots))
    slots = slots[np.argsort(wanted_age, kind="stable")][len(slots) - len(children) :]
    by_age = children[np.argsort(age[children] + noise[children] * 0.5, kind="stable")]
    household[by_age] = slots
    # Fathers: four of five families have one; he is a little older.
    with_father = np.flatnonzero(rng.random(families) > 0.18)
    men = np.flatnonzero((sex == MALE) & ~child & (age >= 23) & (age <= 66))
    wish = np.exp(-0.5 * ((age[men] - 45) / 9.0) ** 2) + 0.01
    fathers = rng.choice(men, min(len(with_father), len(men)), replace=False, p=wish / wish.sum())
    fathers = fathers[np.argsort(age[fathers] + 1.5 * noise[fathers], kind="stable")]
    household[fathers] = with_father[: len(fathers)]
    # Everybody else: couples so that one-person households are 38 % of all, then one-person households.
    men = np.flatnonzero((sex == MALE) & (household < 0))
    women = np.flatnonzero((sex == FEMALE) & (household < 0))
    rest = len(men) + len(women)
    singles = int((0.385 * families + 0.1925 * rest) / (1 - 0.385 + 0.1925))
    couples = min((rest - singles) // 2, len(men), len(women))
    pick_men = _most_likely_paired(men, age, couples, noise)
    pick_women = _most_likely_paired(women, age, couples, noise)
    household[pick_men] = household[pick_women] = np.arange(families, families + couples)
    alone = np.flatnonzero(household < 0)
    household[alone] = np.arange(families + couples, families + couples + len(alone))
    return np.unique(household, return_inverse=True)[1]


def _most_likely_paired(who: np.ndarray, age: np.ndarray, n: int, noise: np.ndarray) -> np.ndarray:
    """n of `who`, preferably between 30 and 80, ordered by age."""
    preference = -np.abs(age[who] - 60) / 18 + noise[who]
    chosen = who[np.argsort(-preference, kind="stable")[:n]]
    return chosen[np.argsort(age[chosen] + noise[chosen], kind="stable")]


def _kind_of_household(age: np.ndarray, household: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per household: has children under 18; its oldest member is 65 or older."""
    kids = np.bincount(household, age < 18) > 0
    oldest = np.zeros(len(kids), int)
    np.maximum.at(oldest, household, age)
    return kids, oldest >= 65


def _foreign_households(age: np.ndarray, household: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    _, old = _kind_of_household(age, household)
    return rng.random(len(old)) < np.where(old, 0.42 * share, 1.42 * share)


def _nationality(
    household: np.ndarray, foreign: np.ndarray, age: np.ndarray, year: int, rng: np.random.Generator
) -> np.ndarray:
    """BVA key per person: a foreign household shares one, its members are partly German, its children more often."""
    keys = np.array(list(_NATIONALITIES))
    weight = np.array(list(_NATIONALITIES.values()), float)
    if year >= 2022:
        weight[keys == _UKRAINE] = _UKRAINE_WEIGHT_2022 if year == 2022 else 35
    of_household = rng.choice(keys, size=len(foreign), p=weight / weight.sum())
    german = rng.random(len(household)) < np.where(age < 18, 0.38 if year < 2022 else 0.15, 0.10)
    return np.where(foreign[household] & ~german, of_household[household], GERMAN).astype(np.int16)


# --- one year on --------------------------------------------------------------------------------------------------


def _live_a_year(
    residents: Residents,
    households: Households,
    settle: _Settlement,
    year: int,
    total: int,
    rng: np.random.Generator,
) -> Residents:
    """Deaths, departures, children, new and ended couples, moves; then arrivals up to the official total."""
    next_person = int(residents.person[-1]) + 1
    residents = residents.keep(rng.random(len(residents)) >= mortality(residents, year))
    residents = _leave(residents, year, rng)
    newborn = _births(residents, year, next_person, rng)
    residents = residents.plus(newborn)
    next_person += len(newborn)
    _leave_parents(residents, households, settle, year, rng)
    _pair_singles(residents, year, rng)
    _separate(residents, households, settle, year, rng)
    _move_within(residents, households, settle, year, rng)
    arrivals = _arrive(residents, households, settle, year, total - len(residents), next_person, rng)
    return residents.plus(arrivals)


def mortality(residents: Residents, year: int) -> np.ndarray:
    """Yearly probability to die: Gompertz curves near the German life table."""
    age = year - residents.birth_year
    risk = np.where(residents.sex == FEMALE, np.exp(-11.6 + 0.1035 * age), np.exp(-10.3 + 0.0925 * age))
    return np.minimum(risk, 0.6)


def _leave(residents: Residents, year: int, rng: np.random.Generator) -> Residents:
    """Departures from the Kommune: whole households, and young adults on their own."""
    groups = _group(residents, year)
    chance = np.interp(groups.oldest, [20, 30, 45, 60, 80], [0.11, 0.085, 0.042, 0.02, 0.016])
    goes = (rng.random(len(groups.number)) < chance)[groups.of]
    age = year - residents.birth_year
    young = (age >= 18) & (age <= 28) & (groups.oldest[groups.of] >= age + 16) & (rng.random(len(age)) < 0.075)
    return residents.keep(~(goes | young))


def _births(residents: Residents, year: int, next_person: int, rng: np.random.Generator) -> Residents:
    age = year - residents.birth_year
    groups = _group(residents, year)
    adults = np.bincount(groups.of, age >= 20)[groups.of]
    rate = 0.130 * np.exp(-0.5 * ((age - 31.2) / 5.2) ** 2) * np.where(adults >= 2, 1.35, 0.35)
    can = (residents.sex == FEMALE) & (age >= 17) & (age <= 46)
    mother = np.flatnonzero(can & (rng.random(len(age)) < rate))
    birth_year = np.full(len(mother), year)
    german = (residents.nationality[mother] == GERMAN) | (rng.random(len(mother)) < 0.45)
    return Residents(
        np.arange(next_person, next_person + len(mother)),
        _days(birth_year, rng),
        birth_year,
        (rng.random(len(mother)) < 0.487).astype(np.int8),
        np.where(german, GERMAN, residents.nationality[mother]).astype(np.int16),
        residents.household[mother],
    )


def _own_household(
    who: np.ndarray,
    residents: Residents,
    households: Households,
    settle: _Settlement,
    rng: np.random.Generator,
) -> None:
    nobody = np.zeros(len(who), bool)
    address = settle.draw(nobody, nobody, residents.nationality[who] != GERMAN, rng)
    residents.household[who] = households.add(address, rng)


def _leave_parents(
    residents: Residents, households: Households, settle: _Settlement, year: int, rng: np.random.Generator
) -> None:
    groups = _group(residents, year)
    age = year - residents.birth_year
    chance = np.interp(age, [18, 21, 25, 30, 40], [0.02, 0.08, 0.14, 0.25, 0.25])
    adult_child = (age >= 18) & (age <= 40) & (groups.oldest[groups.of] >= age + 16)
    _own_household(np.flatnonzero(adult_child & (rng.random(len(age)) < chance)), residents, households, settle, rng)


def _pair_singles(residents: Residents, year: int, rng: np.random.Generator) -> None:
    groups = _group(residents, year)
    age = year - residents.birth_year
    free = (groups.size[groups.of] == 1) & (age >= 20) & (age <= 62)
    looking = free & (rng.random(len(age)) < np.interp(age, [20, 30, 62], [0.13, 0.13, 0.04]))
    men = np.flatnonzero(looking & (residents.sex == MALE))
    women = np.flatnonzero(looking & (residents.sex == FEMALE))
    n = min(len(men), len(women))
    men, women = rng.permutation(men)[:n], rng.permutation(women)[:n]
    men = men[np.argsort(residents.birth_year[men], kind="stable")]
    women = women[np.argsort(residents.birth_year[women], kind="stable")]
    residents.household[women] = residents.household[men]


def _separate(
    residents: Residents, households: Households, settle: _Settlement, year: int, rng: np.random.Generator
) -> None:
    groups = _group(residents, year)
    age = year - residents.birth_year
    couple = np.bincount(groups.of, age >= 20) == 2
    ends = couple & (rng.random(len(couple)) < np.interp(groups.oldest, [25, 45, 65], [0.03, 0.014, 0.001]))
    man = ends[groups.of] & (residents.sex == MALE) & (age >= 20) & (age + 12 > groups.oldest[groups.of])
    _own_household(np.flatnonzero(man), residents, households, settle, rng)


def _move_within(
    residents: Residents, households: Households, settle: _Settlement, year: int, rng: np.random.Generator
) -> None:
    groups = _group(residents, year)
    chance = np.interp(groups.oldest, [20, 30, 45, 65], [0.10, 0.08, 0.035, 0.012])
    moves = rng.random(len(groups.number)) < chance
    if settle.places.office is not None:
        moves &= households.address[groups.number] != settle.places.office
    age = year - residents.birth_year
    kids = np.bincount(groups.of, age < 18) > 0
    foreign = np.bincount(groups.of, residents.nationality != GERMAN) > 0
    households.address[groups.number[moves]] = settle.draw(kids[moves], groups.oldest[moves] >= 65, foreign[moves], rng)


def _arrive(
    residents: Residents,
    households: Households,
    settle: _Settlement,
    year: int,
    needed: int,
    next_person: int,
    rng: np.random.Generator,
) -> Residents:
    """`needed` new persons in households shaped like those that already live here, preferably young ones."""
    if needed <= 0:
        raise ValueError(f"Kommune {settle.places.sozialraum_ids[0][:8]}, {year}: no room for arrivals ({needed})")
    groups = _group(residents, year)
    wish = np.interp(groups.oldest, [18, 22, 30, 42, 60, 85], [0.5, 1.0, 1.0, 0.75, 0.22, 0.14])
    model = rng.choice(len(groups.number), size=needed, p=wish / wish.sum())
    upto = np.cumsum(groups.size[model])
    model = model[upto <= needed]
    order = np.argsort(groups.of, kind="stable")
    start = np.concatenate([[0], np.cumsum(groups.size)])[model]
    size = groups.size[model]
    household = np.repeat(np.arange(len(model)), size)
    offset = np.arange(len(household)) - np.repeat(np.cumsum(size) - size, size)
    pattern = order[np.repeat(start, size) + offset]
    lonely = needed - len(pattern)
    birth_year = np.concatenate([residents.birth_year[pattern], year - rng.integers(20, 36, lonely)])
    sex = np.concatenate([residents.sex[pattern], rng.integers(0, 2, lonely).astype(np.int8)])
    household = np.concatenate([household, np.arange(len(model), len(model) + lonely)])
    age = year - birth_year
    share = _FOREIGN_IN_MOVES.get(year, _FOREIGN_IN_MOVES_OTHERWISE)
    foreign = _foreign_households(age, household, share, rng)
    kids, old = _kind_of_household(age, household)
    number = households.add(settle.draw(kids, old, foreign, rng), rng)
    return Residents(
        np.arange(next_person, next_person + needed),
        _days(birth_year, rng),
        birth_year,
        sex,
        _nationality(household, foreign, age, year, rng),
        number[household],
    )


def _register_at_office(
    residents: Residents,
    households: Households,
    settle: _Settlement,
    year: int,
    scale: float,
    rng: np.random.Generator,
) -> None:
    """Fill up the office address: homeless persons are registered at the town hall, each as a household."""
    office = settle.places.office
    if office is None:
        return
    groups = _group(residents, year)
    there = int((households.address[residents.household] == office).sum())
    missing = max(0, round(OFFICE_PERSONS * scale) - there)
    age = year - residents.birth_year
    alone = (groups.size[groups.of] == 1) & (age >= 20) & (age <= 64)
    alone &= households.address[residents.household] != office
    candidates = np.flatnonzero(alone)
    wish = np.where(residents.sex[candidates] == MALE, 3.0, 1.0)
    chosen = rng.choice(candidates, min(missing, len(candidates)), replace=False, p=wish / wish.sum())
    households.address[residents.household[chosen]] = office
