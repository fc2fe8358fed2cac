"""The re-cut of 2019 in the demo county: two Sozialräume merged, one split, one border moved."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import duckdb
import pytest
from installation import ipso

from orchestration.gates.redrawn import redrawn_versions
from orchestration.home import Home

MERGED, PARTS = "05378004-26", ("05378004-24", "05378004-25")
SPLIT, HALVES = "05378032-04", ("05378032-14", "05378032-15")
MOVED = ("05378028-08", "05378028-09")
REDRAWN = (MERGED, *HALVES, *MOVED)
KOMMUNEN = ("05378004", "05378032", "05378028")


@pytest.fixture(scope="module")
def release(county: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(county.releases / "current" / "ipso.duckdb"), read_only=True) as connection:
        yield connection


def test_there_are_87_sozialraeume_before_and_after(release: duckdb.DuckDBPyConnection) -> None:
    for day in ("2018-12-31", "2019-01-01"):
        [(n, n_redrawn)] = release.execute(
            "select count(*), count(*) filter (area_id in ?) from dim_area where level = 'sozialraum'"
            " and valid_from <= $2 and (valid_to is null or valid_to >= $2)".replace("?", "$1"),
            [[MERGED, *HALVES], day],
        ).fetchall()
        assert (n, n_redrawn) == (87, 0 if day < "2019" else 3)


def test_the_bridge_tells_what_became_of_which_area(release: duckdb.DuckDBPyConnection) -> None:
    rows = release.execute(
        "select old_area_id, new_area_id, kind from bridge_area_version where valid_from = '2019-01-01' order by all"
    ).fetchall()
    first, second = MOVED
    assert rows == [
        (PARTS[0], MERGED, "zusammengelegt"),
        (PARTS[1], MERGED, "zusammengelegt"),
        (first, first, "verschoben"),
        (first, second, "verschoben"),
        (second, second, "verschoben"),
        (SPLIT, HALVES[0], "geteilt"),
        (SPLIT, HALVES[1], "geteilt"),
    ]
    shares = release.execute(
        "select old_area_id, sum(population_share), sum(area_share) from bridge_area_version group by 1 order by 1"
    ).fetchall()
    assert all(abs(a - 1) < 0.011 and abs(b - 1) < 0.011 for _, a, b in shares)


@pytest.mark.parametrize("area", REDRAWN)
def test_on_todays_areas_the_series_goes_on_over_2019(release: duckdb.DuckDBPyConnection, area: str) -> None:
    rows = release.execute(
        "select year, value, is_break, conversion_method, conversion_error from fct_indicator"
        " where area_id = ? and boundary = 'current' and indicator_id = 'population' and year >= 2015 order by year",
        [area],
    ).fetchall()
    assert [row[0] for row in rows] == list(range(2015, 2024))
    assert [row[3:] for row in rows] == [("gezaehlt", 0)] * 4 + [("unveraendert", 0)] * 5
    assert not any(row[2] for row in rows if row[0] == 2019)
    for (_, before, *_), (year, now, *_) in pairwise(rows):
        assert abs(now / before - 1) < 0.1, year
    trends = release.execute(
        "select trend from fct_indicator where area_id = ? and boundary = 'current' and indicator_id = 'share_65_plus'"
        " and year between 2019 and 2021",
        [area],
    ).fetchall()
    assert ("nicht_berechenbar",) not in trends


@pytest.mark.parametrize("area", REDRAWN)
def test_as_counted_2019_is_a_break_and_no_trend_runs_over_it(release: duckdb.DuckDBPyConnection, area: str) -> None:
    rows = release.execute(
        "select year, is_break, change_absolute, trend from fct_indicator where area_id = ? and boundary = 'as_counted'"
        " and indicator_id = 'share_65_plus' and value is not null order by year",
        [area],
    ).fetchall()
    assert (rows[0][0] < 2019) == (area in MOVED)
    by_year = {row[0]: row[1:] for row in rows}
    assert by_year[2019] == (True, None, "nicht_berechenbar")
    assert not by_year[2020][0] and by_year[2020][1] is not None
    assert {by_year[year][2] for year in (2020, 2021, 2022)} == {"nicht_berechenbar"}


def test_what_is_gone_has_no_row_of_today(release: duckdb.DuckDBPyConnection) -> None:
    rows = release.execute(
        "select area_id, max(boundary), max(year) from fct_indicator where area_id in ? group by area_id",
        [[*PARTS, SPLIT]],
    ).fetchall()
    assert {row[1:] for row in rows} == {("as_counted", 2018)}


def test_merged_counts_are_the_sum_and_divided_ones_keep_the_total(release: duckdb.DuckDBPyConnection) -> None:
    def counts(boundary: str, areas: tuple[str, ...]) -> dict[tuple[str, int], float]:
        rows = release.execute(
            "select indicator_id, year, sum(numerator) from fct_indicator where boundary = ? and area_id in ? and year"
            " between 2015 and 2018 and indicator_id in ('population', 'sgb2_ratio', 'unemployment_share')"
            " group by all having count(numerator) = ?",
            [boundary, list(areas), len(areas)],
        ).fetchall()
        return {(indicator, year): total for indicator, year, total in rows}

    for before, after in ((PARTS, (MERGED,)), ((SPLIT,), HALVES), (MOVED, MOVED)):
        found = counts("current", after)
        # Where a figure is secret, or too small to be converted, there is no sum.
        assert len(found) >= 9
        assert found.items() <= counts("as_counted", before).items()


def test_a_converted_share_names_its_method_and_error(release: duckdb.DuckDBPyConnection) -> None:
    rows = release.execute(
        "select area_id, year, conversion_method, conversion_error, value, numerator, denominator from fct_indicator"
        " where boundary = 'current' and indicator_id = 'sgb2_ratio' and area_id in ? and year in (2018, 2019)"
        " order by all",
        [list(REDRAWN)],
    ).fetchall()
    assert len(rows) == 2 * len(REDRAWN)
    for area, year, method, error, value, numerator, denominator in rows:
        assert value == pytest.approx(100 * numerator / denominator)
        if year == 2019:
            assert (method, error) == ("unveraendert", 0)
        elif area == MERGED:
            assert (method, error) == ("gezaehlt", 0)
        else:
            assert method == "einwohnergewichtet"
            assert 0 < error < value


def test_totals_of_the_kommune_survive_every_conversion(county: Home) -> None:
    with duckdb.connect(str(county.warehouse), read_only=True) as warehouse:
        rows = warehouse.execute(
            """
            with today as (
                select parent_area_id, year, measure_id, level, value from protected.int_protected_measure
                where boundary = 'current'
                union all
                select parent_area_id, year, measure_id, level, value from protected.int_converted_measure
            ),
            sums as (
                select parent_area_id as area_id, year, measure_id, sum(value) as parts
                from today where level in ('sozialraum', 'nicht_verortbar') and parent_area_id in ?
                group by all having count(*) = count(value)
            )
            select s.measure_id, s.year, s.parts, k.value
            from sums as s
            join protected.int_protected_measure as k using (area_id, year, measure_id)
            where k.boundary = 'current' and k.value is not null and s.year < 2019
            """,
            [list(KOMMUNEN)],
        ).fetchall()
    assert len({measure for measure, *_ in rows}) > 15
    assert [row for row in rows if row[2] != row[3]] == []


def test_an_unchanged_area_is_the_same_in_both_boundaries(release: duckdb.DuckDBPyConnection) -> None:
    [(n, n_different)] = release.execute(
        """
        select count(*), count(*) filter (
            c.value is distinct from t.value or c.value_status != t.value_status
            or c.ci_lower is distinct from t.ci_lower
        )
        from fct_indicator as c
        join fct_indicator as t using (area_id, year, indicator_id)
        where c.boundary = 'as_counted' and t.boundary = 'current' and c.area_id not in ?
        """,
        [list(MOVED)],
    ).fetchall()
    assert n > 10_000
    assert n_different == 0


def test_the_steward_sees_what_changed_and_confirms_it(own_county: Home) -> None:
    shown = ipso(own_county, "gebiete").stdout
    assert shown.count("noch nicht bestätigt") == 3
    assert f"{SPLIT}" in shown and "geteilt" in shown and "Grenze verschoben" in shown
    warned = duckdb.execute(
        "select count(*) from read_parquet(?) where message like '%noch nicht bestätigt%'",
        [str(own_county.control / "finding.parquet")],
    ).fetchone()
    assert warned == (3,)
    done = ipso(own_county, "gebiete", "bestaetigen", "Rösrath", "01.01.2019", "--grund", "Ratsbeschluss")
    assert "Bestätigt als gebietsstand-" in done.stdout
    assert redrawn_versions(own_county)["confirmed"].notna().tolist() == [False, True, False]
    for arguments in (
        ("Rösrath", "01.01.2019"),
        ("Köln", "01.01.2019"),
        ("Overath", "01.01.2019"),
        ("Rösrath", "2019"),
    ):
        refused = ipso(own_county, "gebiete", "bestaetigen", *arguments, "--grund", "x", check=False)
        assert refused.returncode == 1, arguments
