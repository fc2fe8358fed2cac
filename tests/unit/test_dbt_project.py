"""The dbt project, really run once per session on a state folder whose figures can be worked out by hand.

What does not belong here: single formulas (unit tests beside the models) and whole deliveries (integration).
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import jinja2
import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
DBT = Path(sys.executable).parent / "dbt"
# Lies beside a checkout, where the workplace has it; the numbers themselves stand in the unit test.
CONFORMANCE = Path(os.environ.get("IPSO_SHARED", REPOSITORY.parent / "shared")) / "conformance"
SHARED_VECTORS = CONFORMANCE / "fingertips_trend_vectors.json"


def _fixture_module():
    path = REPOSITORY / "tests" / "fixtures" / "dbt" / "build_home.py"
    spec = importlib.util.spec_from_file_location("dbt_fixture_build_home", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


fixture = _fixture_module()


def run_dbt(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """One dbt call on this state folder, with its artefacts inside it."""
    return subprocess.run(
        [
            str(DBT),
            "--no-use-colors",
            *arguments,
            *("--project-dir", str(REPOSITORY), "--profiles-dir", str(REPOSITORY)),
            *("--target-path", str(home / "dbt"), "--log-path", str(home / "dbt" / "logs")),
        ],
        env={**os.environ, "IPSO_HOME": str(home), "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )


COUNTS = ["path:seeds", "path:models/staging", "path:models/intermediate"]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """State folder after both dbt calls, as production makes them."""
    root = fixture.build_home(tmp_path_factory.mktemp("dbt_home"))
    buildable = ("--indirect-selection", "buildable")
    # With the unit tests, which production leaves out.
    counted = run_dbt(root, "build", *buildable, "--select", *COUNTS)
    assert counted.returncode == 0, counted.stdout
    undecided = run_dbt(root, "run", "--select", "path:models/protected", "path:models/marts")
    assert undecided.returncode != 0, "marts were built although nobody decided on small counts"
    fixture.suppress(root)
    published = run_dbt(
        root, "build", *buildable, "--select", "path:models/protected", "path:models/marts", "path:dbt_project/tests"
    )
    assert published.returncode == 0, published.stdout
    return root


@pytest.fixture
def marts(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("set schema = 'marts'")
        yield connection


def facts(marts: duckdb.DuckDBPyConnection, area: str, year: int, indicator: str, *columns: str) -> tuple:
    """The named columns of one row of fct_indicator, the same in both boundaries (no area was ever redrawn)."""
    rows = marts.execute(
        f"select {', '.join(columns)} from fct_indicator where area_id = ? and year = ? and indicator_id = ?",
        [area, year, indicator],
    ).fetchall()
    assert len(rows) == 2
    assert rows[0] == rows[1]
    return rows[0]


@pytest.mark.parametrize("area", fixture.CHILDREN_TABLE)
def test_the_concepts_table_of_children_on_sgb2_comes_out_to_one_decimal(marts, area: str) -> None:
    pop09, sgb09, share09, pop14, sgb14, share14, _ = fixture.CHILDREN_TABLE[area]
    columns = ("numerator", "denominator", "round(value, 1)")
    assert facts(marts, area, 2009, "sgb2_under_15_share", *columns) == (sgb09, pop09, share09)
    assert facts(marts, area, 2014, "sgb2_under_15_share", *columns) == (sgb14, pop14, share14)


def test_numerator_and_denominator_keep_their_own_dates(marts) -> None:
    dates = facts(marts, "05378", 2014, "sgb2_under_15_share", "numerator_date", "denominator_date")
    assert [day.isoformat() for day in dates] == ["2014-10-31", "2013-12-31"]


def test_a_count_may_be_compared_across_the_census_and_a_share_may_not(marts) -> None:
    columns = ("change_since_year", "is_break", "round(change_percent, 1)", "change_absolute")
    assert facts(marts, "05378", 2014, "sgb2_under_15", *columns) == (2009, False, -4.1, -182)
    assert facts(marts, "05378", 2014, "sgb2_under_15_share", *columns) == (2009, True, None, None)


def test_the_changes_of_the_table_follow_from_its_counts(marts) -> None:
    found = marts.execute(
        "select round(change_percent, 1) from fct_indicator "
        "where indicator_id = 'sgb2_under_15' and year = 2014 and length(area_id) in (5, 8) and boundary = 'as_counted'"
        " order by area_id"
    ).fetchall()
    # The table prints -20.0, -8.8 and -14.8 for Leichlingen, Rösrath and Wermelskirchen.
    assert [row[0] for row in found] == [-4.1, 3.7, 6.5, 12.9, -19.9, -36.3, -19.8, -8.7, -14.7]


def test_the_contradictions_of_the_table_are_laid_open(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute("set schema = 'intermediate'")
        parts = connection.execute(
            "select whole, parts, n_parts, n_parts_not_countable from int_sum_of_parts "
            "where area_id = '05378' and year = 2014 and measure_id = 'sgb2_under_15' and boundary = 'as_counted'"
        ).fetchall()
        wrong = connection.execute(
            "select area_id, printed, recomputed from int_printed_vs_recomputed where printed != recomputed"
            " order by area_id"
        ).fetchall()
    assert parts == [(4240, 4241, 8, 0)]
    assert wrong == [("05378016", -20.0, -19.9), ("05378028", -8.8, -8.7), ("05378032", -14.8, -14.7)]


def test_persons_who_cannot_be_located_stay_in_their_kommune(marts) -> None:
    population = marts.execute(
        "select area_id, value from fct_indicator where indicator_id = 'population' and year = 2020 "
        "and area_id like '05378004%' and boundary = 'current' order by area_id"
    ).fetchall()
    assert population == [("05378004", 200), ("05378004-00", 5), ("05378004-01", 100), ("05378004-02", 95)]


@pytest.mark.parametrize(
    ("area", "indicator", "numerator", "denominator", "value"),
    [
        ("05378004-01", "share_under_18", 30, 100, 30.0),
        ("05378004", "share_65_plus", 15, 200, 7.5),
        ("05378004", "share_80_plus", 5, 200, 2.5),
        ("05378004-02", "youth_ratio", 20, 70, 100 * 20 / 70),
        ("05378004-01", "old_age_ratio", 10, 60, 100 * 10 / 60),
        ("05378", "share_foreign", 560, 1600, 35.0),
        ("05378004-01", "share_one_person_households", 10, 40, 25.0),
        ("05378004", "share_one_person_households", 15, 80, 18.75),
        ("05378008-01", "sgb2_ratio", 30, 90, 100 * 30 / 90),
        ("05378008-01", "unemployment_share", 8, 60, 100 * 8 / 60),
        ("05378", "long_term_unemployed_share", 30, 120, 25.0),
        ("05378004", "dwellings_per_1000", 110, 200, 550.0),
        ("05378", "living_space_per_person", 72000, 1600, 45.0),
        ("05378", "council_turnout", 720, 1200, 60.0),
        ("05378004-02", "share_under_6", 20, 95, 100 * 20 / 95),
        # 6,355 years of life (half a year more than completed each) of 200 persons; the sum is not told.
        ("05378", "average_age", None, 1600, 31.8),
    ],
)
def test_hand_worked_figures_of_2020(
    marts, area: str, indicator: str, numerator: float, denominator: float, value: float
) -> None:
    found = facts(marts, area, 2020, indicator, "numerator", "denominator", "value", "value_status")
    assert found == (numerator, denominator, pytest.approx(value), "ok")


def test_a_biennial_indicator_has_rows_for_its_years_only(marts) -> None:
    rows = marts.execute(
        "select year, value, has_mixed_dates from fct_indicator "
        "where indicator_id = 'care_recipients_per_1000_65_plus' and area_id = '05378' "
        "and boundary = 'as_counted' order by year"
    ).fetchall()
    # 90 persons on 15 December, 8 times 15 inhabitants over 65 on the 31st
    assert rows == [(2021, 750, True)]
    below = marts.execute(
        "select distinct value_status from fct_indicator where indicator_id = 'care_recipients_per_1000_65_plus' "
        "and area_id != '05378'"
    ).fetchall()
    assert below == [("not_applicable",)]


def test_a_mean_of_few_persons_is_not_told(marts) -> None:
    columns = ("value", "value_status", "numerator")
    assert facts(marts, "05378004", 2020, "average_age", *columns) == (None, "unreliable", None)


def test_the_intervals_of_published_shares_are_those_of_statsmodels(marts) -> None:
    from statsmodels.stats.proportion import proportion_confint

    published = marts.execute(
        "select numerator, denominator, ci_lower / scale as lower, ci_upper / scale as upper "
        "from fct_indicator join dim_indicator using (indicator_id) "
        "where interval_method = 'wilson' and value_status in ('ok', 'zero')"
    ).df()
    assert len(published) > 1000
    assert (published["numerator"] == 0).any(), "nobody is among the cases; everybody: test_indicator_intervals"
    lower, upper = proportion_confint(published["numerator"], published["denominator"], method="wilson")
    # z is 1.959964 by the domain's convention, theirs has more digits.
    assert published["lower"].to_numpy() == pytest.approx(lower.to_numpy(), abs=1e-7)
    assert published["upper"].to_numpy() == pytest.approx(upper.to_numpy(), abs=1e-7)


def test_areas_are_ranked_among_their_level(marts) -> None:
    columns = ("value_rank", "value_rank_lower", "value_rank_upper", "n_ranked")
    # 15 of 30 children (33 to 67 %) against 6 of 30 and 5 of 20, which reach to 37 and 47 %; two are suppressed.
    assert facts(marts, "05378004-01", 2020, "sgb2_under_15_share", *columns) == (1, 1, 14, 14)
    assert facts(marts, "05378008-01", 2020, "sgb2_under_15_share", *columns) == (None,) * 4
    assert facts(marts, "05378", 2020, "sgb2_under_15_share", *columns) == (None,) * 4


def test_the_kreis_goal_is_everybodys_from_its_baseline_on(marts) -> None:
    columns = ("goal_id", "benchmark_goal", "vs_goal")
    assert facts(marts, "05378004-01", 2020, "sgb2_under_15_share", *columns) == ("Z1", 9.5, "unguenstiger")
    assert facts(marts, "05378004-01", 2019, "sgb2_under_15_share", *columns) == (None, None, None)
    assert facts(marts, "05378004", 2020, "sgb2_under_15_share", "benchmark_kommune", "vs_kommune") == (None, None)


def test_age_counts_completed_years_on_the_stichtag(marts) -> None:
    # Of ten children with birthdays around the Stichtag, five turn 15 on it; five are 14 until the next day.
    columns = ("numerator", "denominator")
    assert facts(marts, "05378024", 2021, "sgb2_under_15_share", *columns) == (11, 45)
    assert facts(marts, "05378024", 2020, "sgb2_under_15_share", *columns) == (11, 50)


def test_divers_and_unknown_sex_fall_on_a_fixed_side(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        # MD5 of the two keys begins with e (w) and 3 (m); the other three 15-year-olds are m.
        found = connection.execute(
            "select sex, population from intermediate.int_population where area_id = '05378024-01' "
            "and boundary = 'current' and year = 2021 and age_band = '15_17' and nationality_group = 'deutsch' "
            "order by sex"
        ).fetchall()
    assert found == [("m", 4), ("w", 1)]


def test_a_rejected_register_leaves_a_hole_and_no_wrong_kreis_total(marts) -> None:
    columns = ("value", "value_status")
    assert facts(marts, "05378032", 2022, "population", *columns) == (None, "missing")
    assert facts(marts, "05378", 2022, "population", *columns) == (None, "missing")
    assert facts(marts, "05378004", 2022, "population", *columns) == (200, "ok")
    missing = marts.execute(
        "select distinct value_status from fct_population where area_id = '05378032-01' and year = 2022"
    ).fetchall()
    assert missing == [("missing",)]


def test_a_superseded_delivery_counts_nowhere(marts) -> None:
    assert facts(marts, "05378008", 2017, "population", "value") == (200,)
    lineage = marts.execute("select 1 from meta_lineage where delivery_id like '%-early'").fetchall()
    assert lineage == []


def test_missing_zero_suppressed_and_not_applicable_stay_apart(marts) -> None:
    columns = ("value", "value_status")
    assert facts(marts, "05378012-02", 2020, "sgb2_ratio", *columns) == (None, "missing")
    assert facts(marts, "05378020-01", 2020, "unemployment_share", *columns) == (0, "zero")
    assert facts(marts, "05378004-02", 2019, "sgb2_under_15_share", *columns) == (None, "suppressed")
    assert facts(marts, "05378004-01", 2020, "dwellings_per_1000", *columns) == (None, "not_applicable")
    assert facts(marts, "05378020-01", 2020, "long_term_unemployed_share", *columns) == (None, "not_applicable")


def test_nothing_that_follows_from_a_suppressed_cell_is_published(marts) -> None:
    everything = (
        *("value", "numerator", "denominator", "ci_lower", "ci_upper", "vs_kreis"),
        *("change_absolute", "change_percent", "change_since_year", "trend"),
    )
    hidden = facts(marts, "05378008-01", 2020, "sgb2_under_15_share", *everything)
    assert hidden == (None,) * 9 + ("nicht_berechenbar",)
    # The year after is compared with 2019, and no trend of five years runs over the hole.
    after = facts(marts, "05378008-01", 2021, "sgb2_under_15_share", "change_since_year", "trend")
    assert after == (2019, "nicht_berechenbar")


def test_a_suppressed_kreis_is_nobodys_benchmark(marts) -> None:
    rows = marts.execute(
        "select count(*) filter (where benchmark_kreis is not null or vs_kreis is not null), count(*) "
        "from fct_indicator where indicator_id = 'long_term_unemployed_share' and year = 2021"
    ).fetchone()
    assert rows[0] == 0
    assert rows[1] > 0


def test_suppressed_population_cells_are_not_published(marts) -> None:
    cell = "year = 2021 and age_band = '15_17' and sex = 'w' and nationality_group = 'deutsch'"
    rows = marts.execute(
        f"select population, value_status from fct_population where area_id in ('05378024-01', '05378') and {cell}"
    ).fetchall()
    # In both boundaries.
    assert rows == [(None, "suppressed")] * 4


def test_a_rising_share_is_called_rising(marts) -> None:
    # 3, 6, 10, 15, 20 of 30 children.
    assert facts(marts, "05378004-01", 2021, "sgb2_under_15_share", "trend") == ("steigend",)
    assert facts(marts, "05378004-01", 2020, "sgb2_under_15_share", "trend") == ("nicht_berechenbar",)
    assert facts(marts, "05378012-01", 2021, "sgb2_under_15_share", "trend") == ("kein_trend",)


def test_lineage_leads_to_the_deliveries_of_both_parts(marts) -> None:
    rows = marts.execute(
        "select role, delivery_id from meta_lineage where area_id = '05378004-01' and year = 2020 "
        "and indicator_id = 'sgb2_under_15_share' and boundary = 'as_counted' order by role"
    ).fetchall()
    assert rows == [
        ("denominator", "einwohner-bergisch-gladbach-2020-fixture"),
        ("numerator", "sgb2-jobcenter-2020-fixture"),
    ]
    kreis = marts.execute(
        "select count(*) from meta_lineage where area_id = '05378' and year = 2020 and indicator_id = 'population'"
        " and boundary = 'current'"
    ).fetchone()
    assert kreis == (8,)


def test_services_are_counted_where_they_are_and_zero_where_there_are_none(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select area_id, value, value_status from intermediate.int_measure "
            "where measure_id = 'services' and area_id in ('05378', '05378004', '05378004-00', '05378004-01', "
            "'05378004-02', '05378008', '05378008-02') and boundary = 'as_counted' order by area_id"
        ).fetchall()
        years = connection.execute(
            "select distinct year from intermediate.int_measure where measure_id = 'services'"
        ).fetchall()
    # One of the four ended in June.
    assert found == [
        ("05378", 3, "ok"),
        ("05378004", 2, "ok"),
        ("05378004-00", 1, "ok"),
        ("05378004-01", 1, "ok"),
        ("05378004-02", 0, "zero"),
        ("05378008", 1, "ok"),
        ("05378008-02", 1, "ok"),
    ]
    assert years == [(2021,)]


def test_what_exists_for_the_kreis_alone_is_missing_nowhere_else(home: Path) -> None:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select area_id, year, measure_id, value, value_status from intermediate.int_measure "
            "where measure_id like 'care_%' and boundary = 'current' order by measure_id"
        ).fetchall()
        sums = connection.execute(
            "select count(*) from intermediate.int_sum_of_parts where measure_id like 'care_%'"
        ).fetchone()
    assert found == [
        ("05378", 2021, "care_recipients", 90, "ok"),
        ("05378", 2021, "care_recipients_grade_1", None, "not_applicable"),
    ]
    assert sums == (0,)


def test_planning_lists_are_published_as_lists(marts) -> None:
    assert marts.execute("select service_id, area_id from fct_service order by service_id").fetchall() == [
        ("A1", "05378004-01"),
        ("A2", "05378004-00"),
        ("A3", "05378008-02"),
        ("A4", "05378008-02"),
    ]
    goal = marts.execute("select goal_id, year, baseline_year, baseline_value, target_value from fct_goal").fetchall()
    assert goal == [("Z1", 2021, 2020, 11.3, 9.5)]
    # A Maßnahme for an unknown goal is a warning of the test, and stays in the list.
    assert marts.execute(
        "select programme_id, goal_id, budget_eur from fct_measure_programme order by 1"
    ).fetchall() == [
        ("M1", "Z1", 5000.0),
        ("M2", "Z9", None),
    ]
    assert marts.execute("select participant_group, theme_id, text from fct_feedback").fetchall() == [
        ("bevoelkerung", "wohnen", "Kleine Wohnungen fehlen.")
    ]


def test_marts_tables_are_stored_in_the_order_of_their_keys(marts) -> None:
    for table, key in {
        "fct_indicator": "boundary, area_id, indicator_id, year",
        "fct_population": "boundary, area_id, year, age_band, sex, nationality_group",
        "dim_area": "area_id, valid_from",
        "meta_lineage": "boundary, area_id, year, indicator_id, role, delivery_id",
        "meta_delivery": "delivery_id",
    }.items():
        stored = marts.execute(f"select {key} from {table} order by rowid").fetchall()
        assert stored == marts.execute(f"select {key} from {table} order by {key}").fetchall(), table


def test_a_second_build_gives_the_same_marts(home: Path, marts, tmp_path: Path) -> None:
    tables = [
        row[0] for row in marts.execute("select table_name from duckdb_tables() where schema_name = 'marts'").fetchall()
    ]
    again = fixture.build_home(tmp_path)
    fixture.suppress(again)
    result = run_dbt(again, "build", "--exclude-resource-types", "unit_test", "test")
    assert result.returncode == 0, result.stdout
    with duckdb.connect(str(again / "warehouse.duckdb"), read_only=True) as second:
        for table in tables:
            query = f"select * from marts.{table} order by rowid"
            assert second.execute(query).fetchall() == marts.execute(query).fetchall(), table


def test_every_model_and_column_is_described(home: Path) -> None:
    manifest = json.loads((home / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    nodes = [node for node in manifest["nodes"].values() if node["resource_type"] in {"model", "seed"}]
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        columns = connection.execute(
            "select table_schema, table_name, column_name from information_schema.columns"
        ).fetchall()
    undescribed = []
    for node in nodes:
        if not node["description"].strip():
            undescribed.append(node["name"])
        built = {name for schema, table, name in columns if (schema, table) == (node["schema"], node["name"])}
        assert built, f"{node['name']} was not built"
        described = {name for name, column in node["columns"].items() if column["description"].strip()}
        undescribed += [f"{node['name']}.{name}" for name in built ^ described]
    assert undescribed == []


def test_neighbours_are_those_of_the_areas_at_the_end_of_the_year(marts) -> None:
    found = marts.execute(
        "select year, area_id, neighbour_area_id, border_m from bridge_neighbour where year in (2019, 2020)"
        " order by all"
    ).fetchall()
    assert found == [
        (2019, "05378008-01", "05378008-02", 700),
        (2019, "05378008-02", "05378008-01", 700),
        (2020, "05378008-01", None, None),
    ]


def test_every_published_table_has_an_enforced_contract_and_a_grain(home: Path) -> None:
    manifest = json.loads((home / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    published = [
        node for node in manifest["nodes"].values() if node["resource_type"] == "model" and node["schema"] == "marts"
    ]
    assert {node["name"] for node in published} == {
        *("dim_area", "dim_indicator", "dim_theme", "dim_year", "bridge_area_version"),
        *("fct_indicator", "fct_population"),
        *("bridge_neighbour", "fct_area_centre", "fct_access"),
        *("fct_service", "fct_goal", "fct_measure_programme", "fct_feedback"),
        *("dim_index", "fct_index", "fct_profile", "fct_priority", "fct_smoothed", "fct_spatial", "fct_cluster"),
        *("dim_profile_pattern", "fct_projection"),
        *("meta_delivery", "meta_disclosure_rule", "meta_finding", "meta_lineage", "meta_release"),
    }
    assert [node["name"] for node in published if not node["config"]["contract"]["enforced"]] == []
    assert [node["name"] for node in published if not node["description"].startswith("One row")] == []


def test_every_model_has_one_yml_beside_it() -> None:
    models = {path.with_suffix("") for kind in ("sql", "py") for path in (REPOSITORY / "models").rglob(f"*.{kind}")}
    described = {
        path.with_suffix("") for path in (REPOSITORY / "models").rglob("*.yml") if not path.name.startswith("_")
    }
    assert models == described


def test_no_test_stores_the_rows_it_finds(home: Path) -> None:
    manifest = json.loads((home / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    assert tests
    assert [node["name"] for node in tests if node["config"].get("store_failures")] == []


def test_published_tables_and_the_analysis_read_nothing_unprotected(home: Path) -> None:
    """Counts leave `intermediate` at three places: two remove what is secret, one reads rounded weights of areas."""
    manifest = json.loads((home / "dbt" / "manifest.json").read_text(encoding="utf-8"))
    counts = {
        *("int_measure", "int_delivered_measure", "int_delivered_value", "int_service_measure"),
        *("int_population", "int_population_count", "int_population_vs_official", "int_sum_of_parts"),
        *("int_register_count", "int_register_cube", "int_register_household", "int_register_measure"),
    }
    read = {
        (node["name"], parent.rsplit(".", 1)[-1])
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["path"].startswith(("marts/", "protected/"))
        for parent in node["depends_on"]["nodes"]
    }
    assert counts <= {node["name"] for node in manifest["nodes"].values()}
    assert {(model, parent) for model, parent in read if parent in counts} == {
        ("int_protected_measure", "int_measure"),
        ("fct_population", "int_population"),
        ("int_converted_measure", "int_register_count"),
    }


def test_the_trend_test_carries_the_published_vectors() -> None:
    """The unit test beside the model holds UKHSA's own numbers, not numbers that our macro produced."""
    if not SHARED_VECTORS.exists():
        pytest.skip("published vectors are not on this machine")
    vectors = json.loads(SHARED_VECTORS.read_text(encoding="utf-8"))
    model = yaml.safe_load((REPOSITORY / "models/protected/int_indicator_development.yml").read_text(encoding="utf-8"))
    unit_test = next(test for test in model["unit_tests"] if "published" in test["name"])
    rows = next(given["rows"] for given in unit_test["given"] if "int_indicator_value" in given["input"])
    by_case = {
        "proportion_case_significant": [r for r in rows if (r["area_id"], r["indicator_id"]) == ("vector", "p")],
        "ci_case_significant": [r for r in rows if (r["area_id"], r["indicator_id"]) == ("vector", "r")],
        "ci_case_not_significant": [r for r in rows if r["area_id"] == "flat"],
        "proportion_case_not_calculable": [r for r in rows if r["area_id"] == "all"],
    }
    names = {"count": "numerator", "denominator": "denominator", "value": "value"}
    names |= {"lower95": "ci_lower", "upper95": "ci_upper"}
    for case, used in by_case.items():
        for source, column in names.items():
            if source in vectors[case] and column in used[0] and (source, used[0]["area_id"]) != ("count", "flat"):
                assert [row[column] for row in used] == vectors[case][source], (case, source)


def compiled(home: Path, model: str, **inputs: str) -> duckdb.DuckDBPyConnection:
    """The very SQL that the county's build ran, as view `result` over other rows: name of a parent → its SQL."""
    connection = duckdb.connect()
    for schema in ("protected", "seeds"):
        connection.execute(f"create schema {schema}")
    for relation, rows in inputs.items():
        connection.execute(f"create table {relation.replace('__', '.')} as {rows}")
    model_file = next((REPOSITORY / "models").rglob(f"{model}.sql")).relative_to(REPOSITORY)
    sql = (home / "dbt" / "compiled" / "ipso" / model_file).read_text(encoding="utf-8")
    connection.execute("create view result as " + sql.replace('"warehouse".', ""))
    return connection


def test_the_countys_index_gives_berlin_the_classes_that_berlin_published(home: Path) -> None:
    """Monitoring Soziale Stadtentwicklung 2021: status, dynamics and both of 536 Planungsräume, no mismatch."""
    folder = CONFORMANCE / "berlin_mss_2021"
    if not folder.exists():
        pytest.skip("published classes are not on this machine")
    shares = f"read_csv('{folder / 'mss2021-2-1.csv'}', types = {{'id': 'varchar'}})"
    printed = f"read_csv('{folder / 'mss2021-1.csv'}', types = {{'id': 'varchar'}})"
    indicators = {
        "percentage_unemployed": 1,
        "percentage_transfer_payments_recipients": 3,
        "percentage_transfer_payments_recipients_below_15_years": 4,
    }
    # Areas that Berlin left out carry zeros in the shares and no class.
    rows = " union all ".join(
        f"""select 'sozialstruktur' as index_id, 'berlin' as comparison_area_id, id as area_id, 2021 as year,
            '{name}' as indicator_id, 1.0 as weight,
            case when status_index_klasse is not null then s{number}_{name} end as value,
            case when status_index_klasse is not null then d{number}_{name} end as change,
            if(status_index_klasse is null, 'ausgenommen', 'ok') as area_status, area_status as change_status
            from {shares} as shares join {printed} as printed using (id)"""
        for name, number in indicators.items()
    )
    seed = f"from read_csv('{REPOSITORY / 'seeds' / 'indices.csv'}')"
    berlin = compiled(home, "int_index", protected__int_index_input=rows, seeds__indices=seed)
    found = berlin.execute(
        f"""select count(*), count(*) filter (replace(status_class, '_', ' ') = status_index_klasse),
            count(*) filter (dynamics_class = dynamik_index_klasse),
            count(*) filter (combined_class = status_dynamik_index)
        from result join {printed} as printed on area_id = id where status_index_klasse is not null"""
    ).fetchone()
    assert found == (536, 536, 536, 536)


def test_the_countys_trend_gives_the_published_chi_squares(home: Path) -> None:
    if not SHARED_VECTORS.exists():
        pytest.skip("published vectors are not on this machine")
    vectors = json.loads(SHARED_VECTORS.read_text(encoding="utf-8"))
    cases = {name: case for name, case in vectors.items() if name.endswith(("significant", "calculable"))}
    columns = {"value": "value", "count": "numerator", "denominator": "denominator"}
    columns |= {"lower95": "ci_lower", "upper95": "ci_upper"}
    rows = []
    for name, case in cases.items():
        for place in range(5):
            given = [
                f"{case[source][place] if source in case else 'null::double'} as {to}" for source, to in columns.items()
            ]
            method = "wilson" if name.startswith("proportion") else "byar"
            rows.append(
                f"select 'as_counted' as boundary, '{name}' as area_id, 'i' as indicator_id, {2014 + place} as year, "
                f"'{method}' as interval_method, 'ok' as value_status, 's' as series_key, false as is_redrawn, "
                "'share' as kind, 1 as period_years, " + ", ".join(given)
            )
    trends = compiled(
        home,
        "int_indicator_development",
        protected__int_indicator_value=" union all ".join(rows),
        seeds__indicators=f"from read_csv('{REPOSITORY / 'seeds' / 'indicators.csv'}')",
        seeds__definition_breaks=f"from read_csv('{REPOSITORY / 'seeds' / 'definition_breaks.csv'}')",
    )
    found = {
        name: (chi2, trend)
        for name, chi2, trend in trends.execute("select area_id, chi2, trend from result where year = 2018").fetchall()
    }
    for name, case in cases.items():
        chi2, trend = found[name]
        if "chi2_rounded" in case:
            assert round(chi2, 2) == case["chi2_rounded"], name
        expected = {True: "steigend", False: "kein_trend", None: "nicht_berechenbar"}[case.get("significant")]
        assert trend == expected, name
    assert len(found) == 4


def test_a_warehouse_that_does_not_fit_into_memory_is_built_all_the_same(tmp_path: Path) -> None:
    """DuckDB takes no other temp_directory once it has spilled; dbt's next model is another connection."""
    from dbt.adapters.duckdb.credentials import DuckDBCredentials
    from dbt.adapters.duckdb.environments.local import LocalEnvironment

    given = {"IPSO_HOME": str(tmp_path), "IPSO_MEMORY_LIMIT": "64MB"}
    profile = jinja2.Template((REPOSITORY / "profiles.yml").read_text(encoding="utf-8"))
    output = yaml.safe_load(profile.render(env_var=lambda name, default: given.get(name, default)))["ipso"]["outputs"]
    credentials = DuckDBCredentials.from_dict(
        {"database": "warehouse", "schema": "main"}
        | {name: value for name, value in output["duckdb"].items() if name not in ("type", "threads")}
    )
    environment = LocalEnvironment(credentials)
    first = environment.handle().cursor()
    first.execute("create table t as from range(3_000_000) as rows (i) order by hash(i)")
    assert (tmp_path / "tmp").exists(), "nothing was spilled"
    second = environment.handle().cursor()
    second.execute("select name, value from duckdb_settings() where name in ('temp_directory', 'memory_limit')")
    assert dict(second.fetchall()) == {"temp_directory": f"{tmp_path}/tmp", "memory_limit": "61.0 MiB"}
    environment.close()


def test_a_new_indicator_is_one_line_in_the_seed() -> None:
    """Nothing under models/ names an indicator."""
    ids = {
        line.split(",", 1)[0]
        for line in (REPOSITORY / "seeds/indicators.csv").read_text(encoding="utf-8").splitlines()[1:]
    }
    # `population` and `sgb2_under_15` are also measures and column names.
    pattern = re.compile(r"\b(" + "|".join(sorted(ids - {"population", "sgb2_under_15"})) + r")\b")
    naming = [path.name for path in (REPOSITORY / "models").rglob("*.sql") if pattern.search(path.read_text())]
    assert naming == []
