"""A delivery beside last year's: what is told, and what is not."""

from __future__ import annotations

import time
from pathlib import Path

import pyarrow as pa
import pytest

from orchestration.decide import withdraw
from orchestration.feeds.declaration import load_feeds
from orchestration.feeds.finding import Finding
from orchestration.feeds.intake import pending, receive
from orchestration.feeds.reader import AGGREGATE_SCHEMA
from orchestration.gates.delivery import check_file, judge, judge_ahead
from orchestration.gates.predecessor import compare
from orchestration.gates.verdicts import Verdict
from orchestration.home import Home
from tests.fixtures.feeds import deliveries as files

AREAS = [f"0537800{4 + i}" for i in range(8)]
LAST_YEAR = {
    "personen": [310.0, 120.0, 95.0, 140.0, 60.0, 180.0, 150.0, 205.0],
    "frauen": [160.0, 61.0, 44.0, 75.0, 28.0, 95.0, 70.0, 110.0],
    "kinder": [80.0, 33.0, 20.0, 41.0, 12.0, 52.0, 37.0, 58.0],
}
USUAL = {name: [round(value * 1.03) + 1.0 for value in column] for name, column in LAST_YEAR.items()}


def table(columns: dict[str, list[float | None]]) -> pa.Table:
    rows = [
        {"zeile": i + 2, "gebiet": area, "merkmal": name, "wert": column[i], "spalte": name.title()}
        for i, area in enumerate(AREAS)
        for name, column in columns.items()
    ]
    return pa.Table.from_pylist(rows, schema=AGGREGATE_SCHEMA)


def failed(now: dict[str, list[float | None]], before: dict[str, list[float | None]] | None = None) -> list[Finding]:
    return [f for f in compare(table(now), table(before or LAST_YEAR)) if not f.passed]


def test_a_usual_year_gives_no_finding_and_says_what_was_judged() -> None:
    findings = compare(table(USUAL), table(LAST_YEAR))
    assert [f.expectation for f in findings if not f.passed] == []
    assert {f.expectation for f in findings} == {
        *("zero_is_plausible", "jump_is_plausible", "columns_are_not_shifted", "column_is_new", "unit_is_the_agreed")
    }


def test_headers_shifted_by_one_column_are_an_error_that_names_both() -> None:
    shifted = {"personen": USUAL["frauen"], "frauen": USUAL["kinder"], "kinder": USUAL["personen"]}
    findings = [f for f in failed(shifted) if f.expectation == "columns_are_not_shifted"]
    assert {f.column_name for f in findings} == {"Personen", "Frauen", "Kinder"}
    assert all(f.is_error for f in findings)
    assert "„Frauen“" in next(f for f in findings if f.column_name == "Personen").message


def test_one_odd_column_is_no_shift() -> None:
    assert "columns_are_not_shifted" not in {f.expectation for f in failed({**USUAL, "frauen": USUAL["kinder"]})}


def test_a_column_that_did_not_change_anywhere_is_a_warning() -> None:
    [finding] = failed({**USUAL, "kinder": LAST_YEAR["kinder"]})
    assert (finding.expectation, finding.column_name, finding.is_warning) == ("column_is_new", "Kinder", True)


def test_a_zero_where_last_year_counted_many_is_a_warning_with_its_row() -> None:
    findings = {f.expectation: f for f in failed({**USUAL, "kinder": [82.0, 0.0, *USUAL["kinder"][2:]]})}
    zero = findings["zero_is_plausible"]
    assert zero.is_warning and zero.rows == (3,) and AREAS[1] in zero.message


def test_a_blank_is_not_a_zero() -> None:
    assert failed({**USUAL, "kinder": [None, *USUAL["kinder"][1:]]}) == []


@pytest.mark.parametrize(("before", "now", "told"), [(150.0, 260.0, True), (150.0, 175.0, False), (4.0, 9.0, False)])
def test_a_jump_is_told_where_size_does_not_explain_it(before: float, now: float, told: bool) -> None:
    last = {**LAST_YEAR, "kinder": [before, *LAST_YEAR["kinder"][1:]]}
    findings = failed({**USUAL, "kinder": [now, *USUAL["kinder"][1:]]}, last)
    assert [f.expectation for f in findings] == (["jump_is_plausible"] if told else [])


@pytest.mark.parametrize("factor", [1000.0, 0.0])
def test_another_unit_and_a_column_of_zeros_are_errors(factor: float) -> None:
    findings = failed({**USUAL, "personen": [value * factor for value in LAST_YEAR["personen"]]})
    assert ("unit_is_the_agreed", "Personen", "error") in {(f.expectation, f.column_name, f.severity) for f in findings}


def test_values_are_for_the_deliverer_only() -> None:
    [finding] = failed({**USUAL, "kinder": [261.0, *USUAL["kinder"][1:]]})
    assert "261" in finding.full_message and "261" not in finding.message + finding.public_message


def test_few_areas_prove_nothing() -> None:
    few = {name: [column[0], *[None] * 7] for name, column in LAST_YEAR.items()}
    assert failed(few, few) == []


# --- in the gate --------------------------------------------------------------------------------------------


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data").create()


def drop(home: Home, name: str, data: bytes) -> None:
    path = home.landing / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def deliver(home: Home, name: str, data: bytes) -> Verdict:
    drop(home, name, data)
    [delivery] = receive(home, settle_seconds=0)
    return next(v for v in judge(home, delivery.feed) if v.delivery_id == delivery.delivery_id)


def unemployed(year: int) -> bytes:
    """The same figures under another Stichtag, different in every area."""
    header, *lines = files.unemployed_lines(year)
    rows = [line.replace(";1.200;100;", f";1.2{n:02d};1{n:02d};") for n, line in enumerate(lines, start=10)]
    return files.text_file([header, *rows])


def test_a_delivery_is_seen_beside_the_one_of_the_year_before(home: Home) -> None:
    assert deliver(home, "jobcenter/arbeitslose_2020.csv", unemployed(2020)).accepted
    verdict = deliver(home, "jobcenter/arbeitslose_2021.csv", unemployed(2021))
    told = {finding.expectation for finding in verdict.findings if finding.is_warning}
    assert verdict.accepted and "column_is_new" in told, "every figure is that of 2020"


def test_a_withdrawn_predecessor_is_none_and_the_verdict_on_its_successor_is_made_anew(home: Home) -> None:
    past = deliver(home, "jobcenter/arbeitslose_2020.csv", unemployed(2020))
    later = deliver(home, "jobcenter/arbeitslose_2021.csv", unemployed(2021))
    assert withdraw(home, past.delivery_id, "falscher Monat", undo=False, by="Test") == 0
    assert [d.delivery_id for d in pending(home, "arbeitslose")] == [later.delivery_id]
    [again] = judge(home, "arbeitslose")
    assert "column_is_new" not in {finding.expectation for finding in again.findings}


def test_a_check_without_delivering_sees_the_year_before_too(home: Home, tmp_path: Path) -> None:
    deliver(home, "jobcenter/arbeitslose_2020.csv", unemployed(2020))
    path = tmp_path / "arbeitslose.csv"
    path.write_bytes(unemployed(2021))
    verdict = check_file(path, "arbeitslose", "jobcenter", 2021, home)
    assert "column_is_new" in {finding.expectation for finding in verdict.findings if finding.is_warning}


def test_deliveries_judged_ahead_side_by_side_get_the_verdicts_of_one_after_the_other(
    home: Home, tmp_path: Path
) -> None:
    def verdicts(folder: Home, ahead: bool) -> list[tuple[str, list[tuple[str, bool, str]]]]:
        for year in range(2015, 2023):
            drop(folder, f"jobcenter/arbeitslose_{year}.csv", unemployed(year))
        drop(folder, "jobcenter/arbeitslose_2023.csv", unemployed(2022))  # wrong year inside, another's bytes
        receive(folder, settle_seconds=0)
        if ahead:
            judge_ahead(folder, [load_feeds()["arbeitslose"]])
            while pending(folder, "arbeitslose"):  # judged to the end before anybody asks
                time.sleep(0.05)
        return [
            (v.delivery_id, [(f.expectation, f.passed, f.message) for f in v.findings])
            for v in judge(folder, "arbeitslose")
        ]

    one_by_one = verdicts(home, ahead=False)
    assert len(one_by_one) == 9
    assert verdicts(Home(tmp_path / "ahead").create(), ahead=True) == one_by_one
