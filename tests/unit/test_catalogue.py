"""The catalogue itself: what the issue asks of it, and that no line contradicts itself."""

from __future__ import annotations

import csv

import pytest
import yaml

from orchestration.catalogue import catalogue_page
from orchestration.disclosure.atoms import DECLARATION
from orchestration.feeds.declaration import load_feeds
from orchestration.home import REPOSITORY


def rows(name: str) -> list[dict[str, str]]:
    with (REPOSITORY / "seeds" / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


INDICATORS = rows("indicators")
MEASURES = {measure["measure_id"]: measure for measure in rows("measures")}
COMPOSED = {row["measure_id"]: row["part_measure"] for row in rows("composed_measures")}
# kind → units, scales and intervals that are right for it (docs/methods.md)
KINDS = {
    "share": ({"percent"}, {"100"}, {"wilson"}),
    "ratio": ({"percent"}, {"100"}, {"byar", "none"}),
    "rate": ({"per_1000"}, {"1000"}, {"byar"}),
    "balance": ({"per_1000"}, {"1000"}, {"none"}),
    "mean": ({"years", "sqm_per_person"}, {"1"}, {"none"}),
    "count": ({"count"}, {"1"}, {"none"}),
    "amount": ({"eur_per_sqm"}, {"1"}, {"none"}),
}
FINENESS = ["kreis", "kommune", "sozialraum"]


def test_there_are_at_least_forty_over_all_eight_themes_with_a_core_of_28() -> None:
    assert len(INDICATORS) >= 40
    assert {i["theme_id"] for i in INDICATORS} == {t["theme_id"] for t in rows("themes")}
    assert sum(i["is_core"] == "true" for i in INDICATORS) == 28
    assert {i["theme_id"] for i in INDICATORS if i["is_core"] == "true"} == {t["theme_id"] for t in rows("themes")}


def test_what_the_county_asked_for_is_there() -> None:
    """The list of the Sozialmonitoring's agreement, theme by theme."""
    asked = {
        "demographie": """population share_under_3 share_under_6 share_under_15 share_under_18 share_65_plus
            share_80_plus youth_ratio old_age_ratio average_age births_per_1000 net_migration_per_1000 share_foreign
            share_migration_background share_single_parent_households share_one_person_households""",
        "einkommen": "sgb2_ratio sgb2_under_15_share sgb2_single_parents_share sgb12_old_age_share wohngeld_share",
        "arbeit": "unemployment_share youth_unemployment_share long_term_unemployed_share employment_ratio",
        "wohnen": "dwellings_per_1000 living_space_per_person social_dwellings_per_1000 rent_existing rent_new",
        "bildung": """childcare_under_3_share childcare_3_plus_ratio youth_aid_per_1000 gymnasium_transition_share
            school_leavers_without_certificate_share""",
        "gesundheit": "school_entry_overweight_share school_entry_speech_share care_recipients_per_1000_65_plus",
        "partizipation": "council_turnout bundestag_turnout volunteer_cards_per_1000 integration_aid_per_1000",
        "sicherheit": "offences_per_1000 burglaries_per_1000",
    }
    there = {(i["theme_id"], i["indicator_id"]) for i in INDICATORS}
    assert {(theme, name) for theme, names in asked.items() for name in names.split()} - there == set()


@pytest.mark.parametrize("indicator", INDICATORS, ids=[i["indicator_id"] for i in INDICATORS])
def test_each_line_is_complete_and_fits_its_kind(indicator: dict[str, str]) -> None:
    required = set(indicator) - {"denominator_measure"}
    assert [column for column in required if not indicator[column].strip()] == []
    units, scales, intervals = KINDS[indicator["kind"]]
    assert indicator["unit"] in units and indicator["scale"] in scales and indicator["interval_method"] in intervals
    has_denominator = bool(indicator["denominator_measure"])
    assert has_denominator == (indicator["kind"] not in ("count", "amount"))
    assert (int(indicator["minimum_denominator"]) >= 10) == has_denominator
    assert FINENESS.index(indicator["coarsest_level"]) <= FINENESS.index(indicator["finest_level"])


@pytest.mark.parametrize("indicator", INDICATORS, ids=[i["indicator_id"] for i in INDICATORS])
def test_each_goes_down_to_the_finest_level_that_its_feeds_deliver(indicator: dict[str, str]) -> None:
    """A list of addresses is counted at every level; the register too."""
    feeds = load_feeds()

    def finest(measure: str) -> int:
        delivering = {row["feed"] for row in rows("delivered_measures") if row["measure_id"] == measure}
        delivering = delivering or {MEASURES[measure]["feed"]}
        levels = {
            level
            for name in delivering
            for level in (
                ["sozialraum"]
                if feeds[name].sums or feeds[name].grain != "aggregate"
                else next(column.levels for column in feeds[name].columns if column.type == "area")
            )
        }
        return max(FINENESS.index(level) for level in levels & set(FINENESS))

    # The printed table of 2009 and 2014 has a population of its own; since 2015 it is counted.
    named = [m for m in (indicator["numerator_measure"], indicator["denominator_measure"]) if m]
    counted = {row["measure_id"] for row in rows("register_measures")}
    parts = [COMPOSED.get(measure, measure) for measure in named if measure not in counted]
    assert indicator["finest_level"] == FINENESS[min([finest(part) for part in parts], default=2)]


def test_what_counts_persons_is_declared_as_such() -> None:
    counted = {m for m, row in MEASURES.items() if row["unit"] in ("persons", "households")}
    assert counted == {m for m, row in MEASURES.items() if row["counts_persons"] == "true"}
    # Sums over persons and balances are no counts, and must not be read as such.
    assert {m for m, row in MEASURES.items() if row["unit"] in ("years", "balance")} == {
        "population_age_years",
        "net_migration",
    }


def test_every_count_of_people_has_its_relations_declared_once() -> None:
    text = yaml.safe_load(DECLARATION.read_text(encoding="utf-8"))
    declared = [m for universe in text["universes"].values() for m in universe["measures"]]
    declared += [*text["alone"], *(row["measure_id"] for row in rows("register_measures"))]
    counted = [m for m, row in MEASURES.items() if row["counts_persons"] == "true"]
    assert sorted(declared) == sorted([*counted, "population_age_years"])


def test_a_share_of_two_sources_is_declared_as_part_and_whole() -> None:
    """Whoever sees both counts knows that one cannot be larger; in one universe that follows by itself."""
    text = yaml.safe_load(DECLARATION.read_text(encoding="utf-8"))
    home = {m: name for name, universe in text["universes"].items() for m in universe["measures"]}
    home |= {row["measure_id"]: row["unit_counted"] for row in rows("register_measures")}
    shares = {
        (i["numerator_measure"], i["denominator_measure"])
        for i in INDICATORS
        if i["kind"] == "share" and MEASURES[i["numerator_measure"]]["counts_persons"] == "true"
    }
    # Not strict: persons over 65 work and receive SGB II, too.
    loose = {("employed", "population_15_to_64"), ("sgb2_persons", "population_under_65")}
    across = {(o, n) for o, n in shares if home.get(o, o) != home.get(n, n)} - loose
    assert across <= {(w["part"], w["whole"]) for w in text["within"]}


def test_of_migrapro_one_count_becomes_a_measure() -> None:
    """Two more would be a sum across sources that no declaration knows (decision 0031)."""
    [row] = [row for row in rows("delivered_measures") if row["feed"] == "migrationshintergrund"]
    assert (row["merkmal"], row["measure_id"]) == ("mit_hintergrund", "migration_background")
    declared = {(w["part"], w["whole"]) for w in yaml.safe_load(DECLARATION.read_text(encoding="utf-8"))["within"]}
    assert ("population_foreign", "migration_background") in declared
    assert ("migration_background", "population") in declared


def test_every_reference_is_a_column_of_its_feed_and_becomes_no_measure() -> None:
    references = rows("indicator_references")
    feed = load_feeds()["referenzwerte"]
    assert {(r["feed"], r["merkmal"]) for r in references} == {(feed.name, c.name) for c in feed.measures}
    assert all(float(r["tolerance"]) > 0 and r["source"] and r["caveat"] for r in references)
    # What has no value in the Kreis could never be compared.
    levels = {i["indicator_id"]: i["coarsest_level"] for i in INDICATORS}
    assert {levels[r["indicator_id"]] for r in references} == {"kreis"}
    assert feed.name not in {row["feed"] for row in rows("delivered_measures")}


def test_the_page_of_the_catalogue_is_the_one_in_the_seed() -> None:
    assert (REPOSITORY / "docs" / "indikatoren.md").read_text(encoding="utf-8") == catalogue_page()
