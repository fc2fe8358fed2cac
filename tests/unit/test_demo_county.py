"""The demo county holds what it promises: official totals, areas, places, households, benefits."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pandas as pd
import pytest
import shapely

from demo import benefits
from demo.geography import addresses, sozialraeume
from demo.population import FEMALE, FIRST_YEAR, LAST_YEAR, MALE, YearEnd, official_totals, simulate
from demo.reference import age_structure, kommunen

KEYS = [kommune.area_id for kommune in kommunen()]


@pytest.fixture(scope="module")
def year_ends() -> dict[str, list[YearEnd]]:
    """All year ends of all Kommunen, in full size (about three seconds)."""
    return {ags: list(simulate(ags, addresses(ags))) for ags in KEYS}


def by_area(end: YearEnd) -> dict[str, int]:
    at = end.household_address[end.residents.household]
    located = end.addresses.located[at]
    counts = np.bincount(end.addresses.area[at][located], minlength=len(end.addresses.sozialraum_ids))
    return dict(zip(end.addresses.sozialraum_ids, counts.tolist(), strict=True))


def test_87_sozialraeume_of_which_25_lie_in_bergisch_gladbach():
    areas = sozialraeume()
    assert len(areas) == 87
    assert (areas.ags == "05378004").sum() == 25
    assert areas.sozialraum_id.is_unique
    assert set(areas.ags) == set(KEYS)
    assert areas.is_synthetic.all()
    assert areas.quelle.str.contains("© GeoBasis-DE / BKG").all()


def test_sozialraeume_are_a_valid_coverage_without_gaps():
    areas = sozialraeume()
    assert areas.crs.to_epsg() == 25832
    assert shapely.coverage_is_valid(areas.geometry.to_numpy(), gap_width=20)
    whole = areas.dissolve().geometry.iloc[0]
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    # The county measures 437 km².
    assert whole.area / 1e6 == pytest.approx(437.3, abs=1.5)


@pytest.mark.parametrize("ags", KEYS)
def test_totals_are_the_official_ones_in_every_year(year_ends, ags):
    official = official_totals(ags)
    assert {end.year: len(end.residents) for end in year_ends[ags]} == official
    assert sorted(official) == list(range(FIRST_YEAR, LAST_YEAR + 1))


@pytest.mark.parametrize("ags", KEYS)
def test_age_and_sex_of_2015_are_the_official_ones(year_ends, ags):
    residents = year_ends[ags][0].residents
    age = 2015 - residents.birth_year
    for group in age_structure(ags):
        in_group = (age >= group.age_from) & (age < (group.below or 200))
        counted = (in_group & (residents.sex == (MALE if group.sex == "m" else FEMALE))).sum()
        # A handful of persons is registered as divers.
        assert group.population - 6 <= counted <= group.population


def test_exactly_two_sozialraeume_stay_under_300_inhabitants(year_ends):
    populations = defaultdict(list)
    for ends in year_ends.values():
        for end in ends:
            for area, count in by_area(end).items():
                populations[area].append(count)
    assert min(min(counts) for counts in populations.values()) > 50
    small = {area for area, counts in populations.items() if min(counts) < 300}
    assert small == {area for area, counts in populations.items() if max(counts) < 300}
    assert len(small) == 2


def test_located_addresses_lie_in_their_sozialraum_and_the_others_in_none():
    polygons = sozialraeume().set_index("sozialraum_id").geometry
    for ags in KEYS:
        places = addresses(ags)
        for index, area in enumerate(places.sozialraum_ids):
            mine = (places.area == index) & places.located
            assert shapely.contains_xy(polygons[area], places.east[mine], places.north[mine]).all()
        lost = ~places.located & ~np.isnan(places.east)
        assert lost.any()
        assert not shapely.contains_xy(
            shapely.union_all(polygons.to_numpy()), places.east[lost], places.north[lost]
        ).any()


@pytest.mark.parametrize("ags", KEYS)
def test_some_persons_cannot_be_located_in_every_year(year_ends, ags):
    for end in year_ends[ags]:
        lost = ~end.addresses.located[end.household_address[end.residents.household]]
        assert lost.sum() >= 15
        assert 0.002 <= lost.mean() <= 0.006
        assert set(np.unique(end.residents.sex[lost])) >= {MALE, FEMALE}


def test_about_ninety_persons_are_registered_at_the_office_address(year_ends):
    for end in year_ends["05378004"]:
        at = end.household_address[end.residents.household]
        assert 85 <= (at == end.addresses.office).sum() <= 110
        assert end.addresses.located[end.addresses.office]


def test_no_other_address_looks_like_an_office(year_ends):
    for ends in year_ends.values():
        for end in ends:
            persons = np.bincount(end.household_address[end.residents.household])
            if end.addresses.office is not None:
                persons[end.addresses.office] = 0
            assert persons.max() < 75


@pytest.mark.parametrize("ags", KEYS)
def test_an_address_has_one_place(ags):
    places = addresses(ags)
    names = set(zip(places.street, places.house_number, strict=True))
    assert len(names) == len(places.street)


def test_persons_persist_with_birth_and_grow_older(year_ends):
    for ags in KEYS:
        before, after = year_ends[ags][0].residents, year_ends[ags][1].residents
        stay = np.isin(before.person, after.person)
        assert 0.85 < stay.mean() < 0.97
        kept = np.isin(after.person, before.person)
        assert (before.birth[stay] == after.birth[kept]).all()
        assert len(np.unique(after.person)) == len(after)


def test_households_and_nationalities_are_plausible(year_ends):
    for ends in year_ends.values():
        for end in (ends[0], ends[-1]):
            _, size = np.unique(end.residents.household, return_counts=True)
            assert 0.34 < (size == 1).mean() < 0.42
            assert 1.8 < size.mean() < 2.2
    foreign = [np.concatenate([ends[i].residents.nationality > 0 for ends in year_ends.values()]) for i in (0, -1)]
    assert 0.08 < foreign[0].mean() < foreign[1].mean() < 0.14


def test_benefit_receipt_follows_the_concept_and_clusters(year_ends):
    for ags, ends in year_ends.items():
        end = ends[0]
        sgb2, unemployed = benefits.count(end)
        age = end.year - end.residents.birth_year
        share = 100 * sgb2.personen_u15[ags] / (age < 15).sum()
        assert share == pytest.approx(benefits.SGB2_UNDER_15_2014[ags] * benefits.SGB2_COURSE[2015], abs=0.2)
        assert 0.03 < unemployed.arbeitslose[ags] / ((age >= 15) & (age < 65)).sum() < 0.06
        ages = ["personen_u3", "personen_3_5", "personen_6_14"]
        assert (sgb2[ages].sum(axis=1) == sgb2.personen_u15).all()
        older = ["personen_15_24", "personen_25_54", "personen_55_plus"]
        assert (sgb2[ages + older].sum(axis=1) == sgb2.personen).all()
        assert (sgb2.iloc[:-1].sum() == sgb2.loc[ags]).all()
    end = year_ends["05378004"][0]
    sgb2, _ = benefits.count(end)
    ratio = [sgb2.personen[area] / n for area, n in by_area(end).items()]
    assert max(ratio) > 5 * min(ratio)


def test_the_jobcenters_addresses_add_up_to_its_count_and_only_the_office_has_more_than_live_there(year_ends):
    for ags, ends in year_ends.items():
        end = ends[-1]
        table = benefits.by_address(end, None)
        sgb2, _ = benefits.count(end)
        assert table.personen.sum() == sgb2.personen[ags]
        at = end.household_address[end.residents.household]
        places = end.addresses
        lived = pd.Series(np.bincount(at, minlength=len(places.street)), [places.street, places.house_number])
        ratio = (
            table.personen.to_numpy() / lived.loc[list(zip(table.strasse, table.hausnummer, strict=True))].to_numpy()
        )
        is_office = (table.strasse == "Rathausplatz").to_numpy() & (places.office is not None)
        assert is_office.sum() == (places.office is not None)
        assert (ratio[is_office] == benefits.OFFICE_TIMES).all() and (ratio[~is_office] <= 1).all()


def test_a_simulation_repeats_itself_whatever_its_last_year():
    places = addresses("05378020")
    short = list(simulate("05378020", places, 2017))[-1]
    long = list(simulate("05378020", addresses("05378020"), 2019))[2]
    assert short.year == long.year == 2017
    for name in ("person", "birth", "sex", "nationality", "household"):
        assert (getattr(short.residents, name) == getattr(long.residents, name)).all()
    assert (short.household_address == long.household_address).all()
