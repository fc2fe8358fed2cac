"""What the analysis says of the real county: complete, from published figures, and nothing where one is secret.

Formulas are in the unit tests beside the models; here is what only a whole county shows.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest
from installation import release_connection

from orchestration.home import Home

pytestmark = pytest.mark.integration

KREIS = "05378"
# mart: columns that say something, status, and how a row is found in fct_indicator
RESULTS = {
    "fct_index": ("status_sum", "status_index", "status_class", "status_certainty", "combined_class", "n_areas"),
    "fct_profile": ("kind", "pattern", "vs_kreis", "development", "years_in_a_row", "value", "benchmark_kreis"),
    "fct_priority": ("score", "mean_gap_percent", "priority", "n_weaknesses", "n_evaluated", "sentence"),
    "fct_smoothed": ("value", "smoothed", "own_weight", "kommune_value"),
    "fct_cluster": ("cluster", "local_i", "p_value", "corrected_p", "own_z", "neighbours_z"),
    "fct_spatial": ("moran_i", "expected_i", "p_value", "pattern", "n_areas"),
    "fct_projection": ("value", "base_year", "base_value", "change_percent"),
}


@pytest.fixture
def release(county: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with release_connection(county) as connection:
        yield connection


@pytest.mark.parametrize("mart", RESULTS)
def test_a_result_that_is_not_there_is_empty_and_never_zero(release: duckdb.DuckDBPyConnection, mart: str) -> None:
    told = f"coalesce({', '.join(f'{column}::varchar' for column in RESULTS[mart])})"
    rows = release.execute(
        f"select count(*), count(*) filter (value_status = 'ok' and {told} is null),"
        f" count(*) filter (value_status != 'ok' and {told} is not null), list(distinct value_status) from {mart}"
    ).fetchone()
    assert rows is not None
    assert rows[0] > 0 and rows[1:3] == (0, 0)
    assert {"ok"} < set(rows[3]) <= {"ok", "suppressed", "not_computable", "not_applicable"} or mart == "fct_spatial"


@pytest.mark.parametrize("mart", ["fct_profile", "fct_smoothed", "fct_cluster"])
def test_a_secret_figure_makes_the_result_secret(release: duckdb.DuckDBPyConnection, mart: str) -> None:
    rows = release.execute(
        f"""select results.value_status, count(*) from {mart} as results
        join fct_indicator using (area_id, year, indicator_id)
        where boundary = 'current' and fct_indicator.value_status = 'suppressed' group by 1"""
    ).fetchall()
    found = dict(rows)
    # Too few inhabitants: left out, secret or not.
    assert found.pop("not_applicable", 0) == 0 or mart == "fct_profile"
    assert set(found) == {"suppressed"} and found["suppressed"] > 100


def test_the_kreis_and_every_kommune_have_an_index_of_their_own(release: duckdb.DuckDBPyConnection) -> None:
    rows = release.execute(
        """select comparison_area_id, count(distinct area_id), count(*) filter (value_status = 'ok'),
            min(status_certainty), max(status_certainty), bool_and(value_status = 'ok' or status_certainty is null)
        from fct_index group by 1"""
    ).fetchall()
    areas = dict(
        release.execute(
            "select parent_area_id, count(*) from dim_area where level = 'sozialraum' and valid_to is null group by 1"
        ).fetchall()
    )
    assert {row[0]: row[1] for row in rows} == {KREIS: sum(areas.values()), **areas}
    for comparison, _, evaluated, least, most, is_empty in rows:
        assert is_empty
        # Odenthal's five areas are never all published.
        assert evaluated > 40 if comparison != "05378020" else evaluated == 0
        assert evaluated == 0 or 0.3 < least < most <= 1
    # The same area stands differently in its Kommune than in the Kreis.
    differing = release.execute(
        """select count(*) filter (one.status_class != other.status_class)
        from fct_index as one join fct_index as other using (area_id, year)
        where one.comparison_area_id = ? and other.comparison_area_id != one.comparison_area_id""",
        [KREIS],
    ).fetchone()
    assert differing is not None and differing[0] > 0


def test_every_entry_of_the_profile_says_why_with_its_numbers(release: duckdb.DuckDBPyConnection) -> None:
    rows = release.execute(
        """select pattern_order, kind, vs_kreis, development, count(*),
            count(*) filter (
                contains(sentence, replace(round(value, 1)::decimal(18, 1)::varchar, '.', ','))
                and contains(sentence, replace(round(benchmark_kreis, 1)::decimal(18, 1)::varchar, '.', ','))
                and contains(sentence, year::varchar)
            )
        from fct_profile where value_status = 'ok' group by all order by all"""
    ).fetchall()
    assert [row[:4] for row in rows if row[0] == 1] == [(1, "schwaeche", "unguenstiger", "verschlechternd")]
    assert {"schwaeche", "staerke"} < {row[1] for row in rows}
    assert all(row[4] == row[5] for row in rows)


def test_the_projection_has_three_variants_for_every_area(release: duckdb.DuckDBPyConnection) -> None:
    rows = release.execute(
        """select level, count(distinct area_id), list(distinct variant order by variant),
            list(distinct projection.year order by projection.year)
        from fct_projection as projection
        join (select area_id, level from dim_area where valid_to is null) using (area_id) group by 1 order by 1"""
    ).fetchall()
    expected = [["hoch", "mittel", "niedrig"], [2030, 2035, 2040]]
    assert rows == [("kommune", 8, *expected), ("kreis", 1, *expected), ("sozialraum", 87, *expected)]
    whole = {
        (year, variant, group): value
        for year, variant, group, value in release.execute(
            "select year, variant, projected_group, value from fct_projection where area_id = ?", [KREIS]
        ).fetchall()
    }
    for year in (2030, 2035, 2040):
        for group in ("gesamt", "ab_65", "ab_80", "pflegebeduerftig"):
            low, mid, high = (whole[year, variant, group] for variant in ("niedrig", "mittel", "hoch"))
            assert low < mid < high, (year, group)
    parts = release.execute(
        """select year, variant, sum(value) from fct_projection join dim_area using (area_id)
        where projected_group = 'gesamt' and level = 'kommune' group by all"""
    ).fetchall()
    assert len(parts) == 9
    assert all(abs(value - whole[year, variant, "gesamt"]) <= 8 * 5 for year, variant, value in parts)


def test_the_concepts_expectation_stands_beside_the_projection(release: duckdb.DuckDBPyConnection) -> None:
    rows = release.execute(
        """select projected_group, expected_value, expected_change_percent from fct_projection
        where area_id = ? and year = 2030 and variant = 'mittel' and expected_value is not null order by 1""",
        [KREIS],
    ).fetchall()
    # 63,000, 16,000, 9,200 and 183,000 in 2014; the concept prints +27, +52, +40 and -15 percent.
    assert rows == [
        ("15_bis_64", 155000, -15.3),
        ("ab_65", 80000, 27.0),
        ("ab_80", 24500, 53.1),
        ("pflegebeduerftig", 12700, 38.0),
    ]


def test_breaks_are_marked_and_stop_change_and_trend(release: duckdb.DuckDBPyConnection) -> None:
    # The census of 2011 lies between, care has Pflegegrade since 2017; areas that were cut anew: test_boundaries.
    for indicator, year in (("sgb2_under_15_share", 2014), ("care_recipients_per_1000_65_plus", 2017)):
        rows = release.execute(
            """select distinct is_break, change_absolute, change_percent, trend from fct_indicator
            where indicator_id = ? and year = ? and area_id = ?""",
            [indicator, year, KREIS],
        ).fetchall()
        assert rows == [(True, None, None, "nicht_berechenbar")], indicator
    trends = release.execute(
        """select year, trend from fct_indicator
        where indicator_id = 'care_recipients_per_1000_65_plus' and area_id = ? and boundary = 'current' order by 1""",
        [KREIS],
    ).fetchall()
    assert {trend for _, trend in trends} == {"nicht_berechenbar"}
