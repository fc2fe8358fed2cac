"""The whole way, from deliveries to the release, as the steward and a BI consumer see it."""

from __future__ import annotations

import csv
import re
import shutil
from pathlib import Path

import duckdb
import pytest
from installation import ipso, release_connection

from demo.corrupt import KINDS
from orchestration.feeds.declaration import load_feeds
from orchestration.feeds.intake import deliveries
from orchestration.home import REPOSITORY, Home
from orchestration.release.write import _write_duckdb

pytestmark = pytest.mark.integration

# The table that the concept prints (domain.md): area, population u15, SGB II u15, share for 2009 and 2014, change
PRINTED = [
    ("05378", 40931, 4422, 10.8, 37988, 4240, 11.2, -4.1),
    ("05378004", 15354, 2106, 13.7, 14851, 2184, 14.7, 3.7),
    ("05378008", 2891, 294, 10.2, 2499, 313, 12.5, 6.5),
    ("05378012", 3075, 202, 6.6, 2776, 228, 8.2, 12.9),
    ("05378016", 3991, 331, 8.3, 3616, 265, 7.3, -19.9),
    ("05378020", 2363, 91, 3.9, 1917, 58, 3.0, -36.3),
    ("05378024", 4202, 475, 11.3, 3939, 381, 9.7, -19.8),
    ("05378028", 4214, 413, 9.8, 3952, 377, 9.5, -8.7),
    ("05378032", 4841, 510, 10.5, 4438, 435, 9.8, -14.7),
]


@pytest.mark.parametrize("row", PRINTED, ids=[row[0] for row in PRINTED])
def test_the_printed_table_of_the_concept_comes_out(county: Home, row: tuple) -> None:
    area, population_2009, sgb2_2009, share_2009, population_2014, sgb2_2014, share_2014, change = row
    with release_connection(county) as release:
        shares = release.execute(
            "select year, denominator, numerator, round(value, 1), denominator_date::varchar, numerator_date::varchar"
            " from fct_indicator where indicator_id = 'sgb2_under_15_share' and area_id = ? and year in (2009, 2014)"
            " and boundary = 'as_counted' order by year",
            [area],
        ).fetchall()
        changes = release.execute(
            "select round(change_percent, 1) from fct_indicator"
            " where indicator_id = 'sgb2_under_15' and area_id = ? and year = 2014 and boundary = 'as_counted'",
            [area],
        ).fetchall()
    assert shares == [
        (2009, population_2009, sgb2_2009, share_2009, "2008-12-31", "2009-10-31"),
        (2014, population_2014, sgb2_2014, share_2014, "2013-12-31", "2014-10-31"),
    ]
    assert changes == [(change,)]


def test_the_sources_contradictions_are_findings_with_both_values(county: Home) -> None:
    with release_connection(county) as release:
        messages = [
            row[0]
            for row in release.execute(
                "select message from meta_finding where gate = 'plausibility' and severity = 'warning' and not passed"
            ).fetchall()
        ]
    assert any("4.241" in m and "4.240" in m and "2014" in m for m in messages), messages
    for name, printed, recomputed in (
        ("Leichlingen", "-20", "-19,9"),
        ("Rösrath", "-8,8", "-8,7"),
        ("Wermelskirchen", "-14,8", "-14,7"),
    ):
        assert any(name in m and printed in m and recomputed in m for m in messages), (name, messages)


def test_sozialraeume_and_not_locatable_sum_to_the_official_population(county: Home) -> None:
    with (REPOSITORY / "seeds" / "bevoelkerung_amtlich.csv").open(encoding="utf-8", newline="") as file:
        official = {
            (row["area_id"], int(row["year"])): int(row["population"])
            for row in csv.DictReader(file)
            if 2015 <= int(row["year"]) <= 2023
        }
    with release_connection(county) as release:
        rows = release.execute(
            """
            select f.boundary, a.parent_area_id, f.year, sum(f.value)::int,
                count(*) filter (a.level = 'nicht_verortbar'), count(*) filter (f.value is null)
            from fct_indicator as f
            join (select distinct area_id, level, parent_area_id from dim_area) as a using (area_id)
            where f.indicator_id = 'population' and a.level in ('sozialraum', 'nicht_verortbar')
                and f.year between 2015 and 2023
            group by all
            """
        ).fetchall()
        kommunen = release.execute(
            "select area_id, year, value::int from fct_indicator join dim_area using (area_id)"
            " where indicator_id = 'population' and level = 'kommune' and year between 2015 and 2023"
            " and boundary = 'as_counted'"
        ).fetchall()
    assert len(official) == 72
    for boundary in ("as_counted", "current"):
        assert {(area, year): total for b, area, year, total, *_ in rows if b == boundary} == official
    assert {(area, year): total for area, year, total in kommunen} == official
    assert all(not_located == 1 and hidden == 0 for *_, not_located, hidden in rows)


def test_the_catalogue_has_values_in_all_eight_themes(county: Home) -> None:
    with release_connection(county) as release:
        indicators, themes = release.execute(
            "select count(distinct indicator_id), count(distinct theme_id) from fct_indicator"
            " join dim_indicator using (indicator_id) where value is not null"
        ).fetchall()[0]
        core, empty = release.execute(
            "select count(*) filter (is_core), count(*) filter (indicator_id not in"
            " (select indicator_id from fct_indicator where value is not null)) from dim_indicator"
        ).fetchall()[0]
        areas = release.execute(
            "select count(*) from dim_area where level = 'sozialraum' and valid_to is null"
        ).fetchall()[0][0]
    assert indicators >= 40
    assert (themes, core, empty) == (8, 28, 0)
    assert areas == 87


def test_every_indicator_has_values_at_its_finest_level_and_at_every_level_above(county: Home) -> None:
    """Each from the sums of that level: the value times the denominator is the numerator."""
    with release_connection(county) as release:
        empty, wrong = release.execute(
            """
            with levels (level, fineness) as (values ('kreis', 1), ('kommune', 2), ('sozialraum', 3)),
            due as (
                select i.*, here.level
                from dim_indicator as i
                join levels as coarsest on coarsest.level = i.coarsest_level
                join levels as finest on finest.level = i.finest_level
                join levels as here on here.fineness between coarsest.fineness and finest.fineness
            ),
            facts as (
                select f.*, a.level
                from fct_indicator as f
                join (select distinct area_id, level from dim_area) as a using (area_id)
                where f.boundary = 'as_counted' and f.value is not null
            )
            select list(distinct due.indicator_id || ' ' || due.level) filter (facts.value is null),
                count(*) filter (abs(facts.value * facts.denominator / due.scale - facts.numerator) > 1e-6)
            from due left join facts using (indicator_id, level)
            """
        ).fetchall()[0]
    assert (empty, wrong) == (None, 0)


def test_both_elections_of_2009_stand_beside_each_other(county: Home) -> None:
    with release_connection(county) as release:
        days = release.execute(
            "select indicator_id, year, numerator_date::varchar, value between 40 and 90 from fct_indicator"
            " where indicator_id in ('council_turnout', 'bundestag_turnout') and area_id = '05378'"
            " and boundary = 'as_counted' order by numerator_date"
        ).fetchall()
    council, bundestag = "council_turnout", "bundestag_turnout"
    assert days == [
        (council, 2009, "2009-08-30", True), (bundestag, 2009, "2009-09-27", True),
        (bundestag, 2013, "2013-09-22", True), (council, 2014, "2014-05-25", True),
        (bundestag, 2017, "2017-09-24", True), (council, 2020, "2020-09-13", True),
        (bundestag, 2021, "2021-09-26", True),
    ]  # fmt: skip


def test_no_published_number_is_one_or_two_persons(county: Home) -> None:
    with release_connection(county) as release:
        small = release.execute(
            """
            select count(*) from fct_indicator join dim_indicator using (indicator_id)
            where (numerator_unit in ('persons', 'households') and numerator in (1, 2))
                or (denominator_unit in ('persons', 'households') and denominator in (1, 2))
            """
        ).fetchall()[0][0]
        cells = release.execute("select count(*) from fct_population where population in (1, 2)").fetchall()[0][0]
        hidden = release.execute("select count(*) from fct_population where value_status = 'suppressed'").fetchall()[0][
            0
        ]
    assert (small, cells) == (0, 0)
    assert hidden > 0


def test_core_indicators_can_be_shown_in_small_areas(county: Home) -> None:
    """The catalogue's aim (decision 0023): in fewer than 15 % of Sozialräume with 300 inhabitants and more blank."""
    query = (REPOSITORY / "reports" / "sources" / "ipso" / "geheim_indikator.sql").read_text(encoding="utf-8")
    with release_connection(county) as release:
        shown = release.execute(
            f"""
            select indicator_id, ist_kern, sum(geheim) / sum(sozialraeume), arg_max(geheim / sozialraeume, year)
            from ({query}) group by all order by all
            """
        ).fetchall()
    core = [(indicator, all_years, newest) for indicator, is_core, all_years, newest in shown if is_core]
    assert len(core) >= 17
    assert [name for name, all_years, newest in core if max(all_years, newest) >= 0.15] == []
    assert [name for name, is_core, all_years, _ in shown if not is_core and all_years >= 0.15] != []


def test_no_single_blank_can_be_worked_out_from_its_kommune(county: Home) -> None:
    with release_connection(county) as release:
        alone = release.execute(
            """
            with counts as (
                select a.parent_area_id, f.year, f.indicator_id,
                    count(*) filter (f.value_status = 'suppressed') as blanks,
                    any_value(whole.value_status) as whole_status
                from fct_indicator as f
                join (select distinct area_id, level, parent_area_id from dim_area) as a using (area_id)
                join fct_indicator as whole
                    on whole.area_id = a.parent_area_id and whole.year = f.year and whole.indicator_id = f.indicator_id
                    and whole.boundary = f.boundary
                where f.indicator_id = 'sgb2_under_15' and a.level in ('sozialraum', 'nicht_verortbar')
                    and f.boundary = 'as_counted'
                group by all
            )
            select count(*) filter (blanks = 1 and whole_status = 'ok'), sum(blanks) from counts
            """
        ).fetchall()[0]
    assert alone[0] == 0
    assert alone[1] > 0


def test_the_duckdb_file_has_the_same_bytes_however_often_it_is_written(county: Home, tmp_path: Path) -> None:
    """What lay in memory differs from process to process; nothing of it may be kept."""
    parquet = (county.releases / "current").resolve() / "parquet"
    made = set()
    for attempt in range(8):
        building = tmp_path / str(attempt)
        shutil.copytree(parquet, building / "parquet")
        _write_duckdb(building)
        made.add((building / "ipso.duckdb").read_bytes())
    assert made == {(county.releases / "current" / "ipso.duckdb").read_bytes()}


def test_a_number_can_be_traced_to_its_deliveries(county: Home) -> None:
    output = ipso(county, "trace", "05378004", "sgb2_under_15_share", "2014").stdout
    assert "14,7 %" in output
    assert "kinder_sgb2-kreis-2014-" in output
    assert "SHA-256" in output and "FEHLT" not in output
    assert "Stand 31.12.2013" in output and "Stand 31.10.2014" in output
    unknown = ipso(county, "trace", "05378004", "gibtsnicht", "2014", check=False)
    assert unknown.returncode == 1 and "sgb2_under_15_share" in unknown.stderr


def test_a_second_run_with_nothing_new_does_nothing_and_says_so(county: Home) -> None:
    before = (county.releases / "current").readlink()
    result = ipso(county, "run")
    assert "Nichts Neues" in result.stdout
    assert "http://127.0.0.1:3000" in result.stdout
    assert (county.releases / "current").readlink() == before
    assert "nichts zu tun" in ipso(county, "demo").stdout


def test_status_shows_every_feed_and_what_is_missing_or_rejected(county: Home) -> None:
    output = ipso(county, "status").stdout
    for feed in load_feeds():
        assert re.search(rf"^ *{feed} ", output, re.MULTILINE), feed
    assert re.search(r"^ *asylblg .*\?", output, re.MULTILINE), "what did not come"
    assert "kuerten/bewegungen_2023.csv" in output and "Die Spalte fehlt" in output
    assert "rueckmeldung.html" in output
    history = ipso(county, "status", "--feed", "bewegungen", "--lieferant", "kuerten", "--jahr", "2023").stdout
    assert "abgewiesen" in history and "bewegungen-kuerten-2023-" in history


def test_every_feed_flows_to_measures_or_to_a_table_of_its_own(county: Home) -> None:
    with duckdb.connect(str(county.warehouse), read_only=True) as warehouse:
        feeds = {row[0] for row in warehouse.execute("select distinct feed from intermediate.int_measure").fetchall()}
    with release_connection(county) as release:
        planned = {
            table: release.execute(f"select count(*) from {table}").fetchall()[0][0]
            for table in ("fct_service", "fct_goal", "fct_measure_programme", "fct_feedback", "dim_area")
        }
    lists = {name for name, feed in load_feeds().items() if feed.grain in ("record", "geography")}
    summed = {name for name, feed in load_feeds().items() if feed.sums}
    # What others publish is held against our figures and becomes none of them.
    assert feeds == set(load_feeds()) - lists - {"referenzwerte"} | {"angebote"} | summed
    assert all(planned.values()), planned


def test_a_reference_that_contradicts_us_is_published_with_both_values(county: Home) -> None:
    with release_connection(county) as release:
        told = release.execute(
            "select year, message from meta_finding where expectation = 'reference_agrees' and not passed"
        ).fetchall()
        [(own,)] = release.execute(
            "select round(value, 1) from fct_indicator where indicator_id = 'share_foreign' and area_id = '05378'"
            " and year = 2022 and boundary = 'as_counted'"
        ).fetchall()
    [(year, message)] = told
    assert year == 2022 and message.startswith("Anteil der Personen ohne deutsche Staatsangehörigkeit 2022, Rheinisch")
    assert f"Hier {own}, dort 10.7: Unterschied {own - 10.7:.1f}".replace(".", ",") + "." in message


def test_statistische_bezirke_go_no_finer_than_they_support(county: Home) -> None:
    """Bergisch Gladbach tells `asylblg` by Bezirke since 2019: one is a Sozialraum, one is five, two cut through."""
    rows = (
        "select area_id, value from {} where feed = 'asylblg' and merkmal = 'personen' and year = 2022"
        " and starts_with(area_id, '05378004')"
    )
    with duckdb.connect(str(county.warehouse), read_only=True) as warehouse:
        delivered = dict(warehouse.execute(rows.format("staging.stg_delivered__aggregate")).fetchall())
        told = dict(warehouse.execute(rows.format("intermediate.int_delivered_value")).fetchall())
    assert set(delivered) == {f"05378004-B{number}" for number in range(1, 5)}
    assert told == {"05378004": sum(delivered.values()), "05378004-01": delivered["05378004-B1"]}


def test_a_file_can_be_tested_without_delivering_it(county: Home, tmp_path: Path) -> None:
    original = next(d for d in deliveries(county) if (d.feed, d.deliverer, d.year) == ("einwohner", "odenthal", 2021))
    good = tmp_path / "odenthal" / "einwohner_2021.xlsx"
    good.parent.mkdir()
    shutil.copy(original.blob(county), good)
    before = {d.delivery_id for d in deliveries(county)}
    passed = ipso(county, "check", str(good), check=False)
    assert (passed.returncode, "in Ordnung" in passed.stdout) == (0, True), passed.stdout + passed.stderr
    bad = KINDS["missing_column"](good, tmp_path / "odenthal" / "bad.xlsx")
    options = ("--feed", "einwohner", "--lieferant", "odenthal", "--jahr", "2021")
    failed = ipso(county, "check", str(bad), *options, check=False)
    assert failed.returncode == 1
    assert "Spalte" in failed.stdout and "würde abgewiesen" in failed.stdout
    assert ipso(county, "check", str(tmp_path / "nichts.csv"), check=False).returncode == 2
    assert {d.delivery_id for d in deliveries(county)} == before


def test_only_the_steward_can_read_what_is_about_people(county: Home) -> None:
    for folder in (county.archive, county.raw, county.landing, county.control, county.rejected, county.dbt):
        assert folder.stat().st_mode & 0o077 == 0, folder
    assert county.warehouse.stat().st_mode & 0o077 == 0
