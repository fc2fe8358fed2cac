"""What the plausibility gate says about indicators: a broken value is found, a right one is not.

The gate's own queries run over a warehouse of two Kommunen with two Sozialräume each and the years 2020 to 2022.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from orchestration.feeds.finding import Finding
from orchestration.gates.plausibility import judge_frame
from orchestration.gates.plausibility_indicators import FRAMES

KREIS, A, B = "05378", "05378004", "05378008"
AREAS = {
    KREIS: ("kreis", None, 4), A: ("kommune", KREIS, 2), B: ("kommune", KREIS, 2),
    f"{A}-01": ("sozialraum", A, 1), f"{A}-02": ("sozialraum", A, 1),
    f"{B}-01": ("sozialraum", B, 1), f"{B}-02": ("sozialraum", B, 1),
}  # fmt: skip
YEARS = (2020, 2021, 2022)


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """200 benefit recipients among 2,000 inhabitants in each Sozialraum and year, summed upwards."""
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(
            """
            create schema intermediate;
            create schema seeds;
            create table seeds.indicators (indicator_id text, title text, kind text, scale double, cadence text,
                finest_level text, numerator_measure text, denominator_measure text);
            insert into seeds.indicators values ('quote', 'Quote', 'share', 100, 'annual', 'sozialraum', 'o', 'n');
            create table seeds.measures (measure_id text, title text);
            insert into seeds.measures values ('o', 'Empfänger'), ('n', 'Einwohner');
            create table intermediate.int_area (area_id text, name text, valid_from date);
            create table intermediate.int_area_year (boundary text, area_id text, year int, level text,
                parent_area_id text, same_since date);
            create table intermediate.int_measure (boundary text, area_id text, year int, measure_id text, value double,
                value_status text, feed text, level text, parent_area_id text);
            create table intermediate.int_delivered_measure (area_id text, year int, measure_id text, feed text,
                value double);
            create table intermediate.int_sum_of_parts (boundary text, area_id text, year int, measure_id text,
                feed text, whole double, parts double, n_parts int, n_parts_not_countable int, tolerance double);
            create table seeds.indicator_references (feed text, merkmal text, source text, caveat text);
            insert into seeds.indicator_references values ('inkar', 'x', 'INKAR x', 'Dort ohne Ältere.');
            create table intermediate.int_indicator_vs_reference (area_id text, year int, indicator_id text, feed text,
                merkmal text, numerator double, denominator double, value double, reference_value double,
                tolerance double);
            insert into intermediate.int_indicator_vs_reference
                values ('05378', 2022, 'quote', 'inkar', 'x', 800, 8000, 10, 10.5, 0.5);
            """
        )
        for area, (level, parent, size) in AREAS.items():
            connection.execute(
                "insert into intermediate.int_area values (?, ?, '2015-01-01')", [area, f"Gebiet {area}"]
            )
            for year in YEARS:
                connection.execute(
                    "insert into intermediate.int_area_year values ('as_counted', ?, ?, ?, ?, '2015-01-01')",
                    [area, year, level, parent],
                )
                for measure, value in (("o", 200.0), ("n", 2000.0)):
                    connection.execute(
                        "insert into intermediate.int_measure values ('as_counted', ?, ?, ?, ?, 'ok', ?, ?, ?)",
                        [area, year, measure, value * size, "sgb2" if measure == "o" else "einwohner", level, parent],
                    )
        yield connection


def found(warehouse: duckdb.DuckDBPyConnection, suite: str) -> list[Finding]:
    return [f for f in judge_frame(suite, warehouse.execute(FRAMES[suite]).df()) if not f.passed]


def sums(
    warehouse: duckdb.DuckDBPyConnection, feed: str, whole: float, parts: float, tolerance: float
) -> list[Finding]:
    warehouse.execute(
        "insert into intermediate.int_sum_of_parts values ('as_counted', ?, 2022, 'o', ?, ?, ?, 2, 0, ?)",
        [KREIS, feed, whole, parts, tolerance],
    )
    return found(warehouse, "plausibilitaet_summen")


@pytest.mark.parametrize("suite", FRAMES)
def test_right_numbers_are_no_finding(warehouse: duckdb.DuckDBPyConnection, suite: str) -> None:
    assert found(warehouse, suite) == []


def test_parts_that_are_apart_by_rounding_only_are_no_finding(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert sums(warehouse, "wohnungen", 13_416_400, 13_416_250, tolerance=150) == []


def test_parts_that_rounding_does_not_explain_are_named_with_their_difference(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    [finding] = sums(warehouse, "wohnungen", 13_416_400, 13_416_200, tolerance=150)
    assert finding.is_warning and "13.416.400" in finding.message and "Unterschied -200." in finding.message


def test_whole_numbers_have_no_room_for_rounding(warehouse: duckdb.DuckDBPyConnection) -> None:
    [finding] = sums(warehouse, "kinder_sgb2", 4240, 4241, tolerance=0)
    assert "Unterschied 1." in finding.message


def test_a_share_over_a_hundred_is_found_where_it_must_not_be(warehouse: duckdb.DuckDBPyConnection) -> None:
    broken = f"update intermediate.int_measure set value = 2001 where area_id = '{A}-01' and year = 2022"
    warehouse.execute(broken + " and measure_id = 'o'")
    [finding] = found(warehouse, "plausibilitaet_anteile")
    assert finding.area_id == f"{A}-01" and "mehr „Empfänger“ als „Einwohner“" in finding.message
    # Where overlapping groups are put beside each other, more than a hundred is no mistake.
    warehouse.execute("update seeds.indicators set kind = 'ratio'")
    assert found(warehouse, "plausibilitaet_anteile") == []


def test_a_jump_that_size_does_not_explain_is_found_and_quoted(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute(
        f"update intermediate.int_measure set value = 320 where area_id = '{A}-01' and year = 2022 and measure_id = 'o'"
    )
    [finding] = found(warehouse, "plausibilitaet_indikatoren")
    assert (finding.area_id, finding.year) == (f"{A}-01", 2022)
    assert finding.message.endswith("Er ändert sich von 10 auf 16.")
    # Both counts of both years are looked up among the secret ones.
    assert finding.cells == tuple((f"{A}-01", y, m) for m in ("o", "n") for y in (2022, 2021))


def test_the_same_jump_of_few_persons_is_chance(warehouse: duckdb.DuckDBPyConnection) -> None:
    few = f"update intermediate.int_measure set value = value / 20 where area_id = '{A}-01'"
    warehouse.execute(few)
    warehouse.execute(
        f"update intermediate.int_measure set value = 15 where area_id = '{A}-01' and year = 2022 and measure_id = 'o'"
    )
    assert found(warehouse, "plausibilitaet_indikatoren") == []


def test_a_reform_that_doubles_a_number_everywhere_is_one_finding(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("update intermediate.int_measure set value = 2 * value where year = 2022 and measure_id = 'o'")
    assert [f.area_id for f in found(warehouse, "plausibilitaet_indikatoren")] == [KREIS]


def test_a_redrawn_area_and_another_source_are_no_jump(warehouse: duckdb.DuckDBPyConnection) -> None:
    doubled = (
        "update intermediate.int_measure set value = 2 * value where measure_id = 'o' and year = 2022 and area_id = "
    )
    warehouse.execute(doubled + f"'{A}-01'")
    warehouse.execute(doubled + f"'{A}-02'")
    warehouse.execute(
        f"update intermediate.int_area_year set same_since = '2022-01-01' where area_id = '{A}-01' and year = 2022"
    )
    warehouse.execute(
        "update intermediate.int_measure set feed = 'anders'"
        f" where area_id = '{A}-02' and year = 2022 and measure_id = 'o'"
    )
    assert found(warehouse, "plausibilitaet_indikatoren") == []


@pytest.mark.parametrize("way", ["no row", "a sign for unknown"])
def test_a_sozialraum_without_a_figure_is_found_once_per_delivery(
    warehouse: duckdb.DuckDBPyConnection, way: str
) -> None:
    where = f"where area_id = '{A}-02' and year = 2021 and measure_id = 'o'"
    if way == "no row":
        warehouse.execute(f"delete from intermediate.int_measure {where}")
    else:
        warehouse.execute(f"update intermediate.int_measure set value = null, value_status = 'missing' {where}")
    [finding] = found(warehouse, "plausibilitaet_sozialraeume")
    assert (finding.area_id, finding.year, finding.feed) == (A, 2021, "sgb2")
    assert "Für 1 von 2 Sozialräumen fehlt die Zahl" in finding.message


def test_a_kept_secret_is_not_missing_and_neither_is_a_whole_delivery(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute(
        "update intermediate.int_measure set value = null, value_status = 'suppressed'"
        f" where area_id = '{A}-02' and measure_id = 'o'"
    )
    warehouse.execute(
        f"delete from intermediate.int_measure where area_id like '{B}%' and measure_id = 'o' and year = 2022"
    )
    assert found(warehouse, "plausibilitaet_sozialraeume") == []


def test_two_sources_that_disagree_are_both_named(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute(f"insert into intermediate.int_delivered_measure values ('{A}', 2022, 'o', 'sgb2', 400)")
    warehouse.execute(f"insert into intermediate.int_delivered_measure values ('{A}', 2022, 'o', 'liste', 400)")
    assert found(warehouse, "plausibilitaet_quellen") == []
    warehouse.execute("update intermediate.int_delivered_measure set value = 380 where feed = 'liste'")
    [finding] = found(warehouse, "plausibilitaet_quellen")
    assert "Es gilt 400, die andere Quelle nennt 380: Unterschied -20." in finding.message
    assert "(sgb2 und liste)" in finding.message


def test_a_reference_beyond_its_tolerance_is_told_with_both_values_and_what_differs(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    warehouse.execute("update intermediate.int_indicator_vs_reference set reference_value = 11.26, value = 9.96")
    [finding] = found(warehouse, "plausibilitaet_referenzwerte")
    assert finding.is_warning and (finding.area_id, finding.year, finding.feed) == (KREIS, 2022, "inkar")
    assert "um mehr als 0,5 vom Referenzwert ab (INKAR x). Dort ohne Ältere. Der eigene Wert bleibt" in finding.message
    assert finding.message.endswith("Hier 10, dort 11,3: Unterschied -1,3.")
    # Where a release keeps one of these secret, it tells neither area nor values.
    assert finding.cells == ((KREIS, 2022, "o"), (KREIS, 2022, "n"))


def test_a_reference_beside_few_persons_or_no_value_is_not_quoted(warehouse: duckdb.DuckDBPyConnection) -> None:
    warehouse.execute("update intermediate.int_indicator_vs_reference set reference_value = 40, numerator = 99")
    [finding] = found(warehouse, "plausibilitaet_referenzwerte")
    assert "40" not in finding.message and finding.found is None and finding.expected is None
    warehouse.execute("update intermediate.int_indicator_vs_reference set value = null")
    assert found(warehouse, "plausibilitaet_referenzwerte") == []
