"""What a new release changes is listed with its cause, and gives nothing away that either release keeps secret."""

from __future__ import annotations

import csv
from pathlib import Path

import duckdb
import pytest

from orchestration.home import Home
from orchestration.release.changes import changes_path, forget_values, write_changes

Fact = tuple[str, float | None, str]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data").create()


def release(
    home: Home,
    name: str,
    facts: list[Fact],
    deliveries: list[tuple[str, str, str | None]],
    code: str = "1",
) -> None:
    """A release as readers have it: facts of areas, deliveries (id, state, reason), all rest on all of them."""
    folder = home.releases / name / "parquet"
    folder.mkdir(parents=True)
    with duckdb.connect() as connection:
        connection.execute(
            "create table f (area_id varchar, value double, value_status varchar);"
            "create table d (delivery_id varchar, state varchar, reason varchar)"
        )
        connection.executemany("insert into f values (?, ?, ?)", facts)
        connection.executemany("insert into d values (?, ?, ?)", deliveries)
        for table, query in {
            "fct_indicator": "select area_id, 2022 as year, 'i' as indicator_id, 'as_counted' as boundary, value,"
            " value_status from f",
            "meta_delivery": "select delivery_id, 'sgb2' as feed, 'jobcenter' as deliverer, 2022 as year, state,"
            " reason, 0 as n_warnings from d",
            "meta_lineage": "select 'as_counted' as boundary, area_id, 2022 as year, 'i' as indicator_id, delivery_id"
            " from f, d where state = 'accepted'",
            "meta_release": f"select '{code}' as code_version",
        }.items():
            connection.execute(f"copy ({query}) to '{folder / table}.parquet' (format parquet)")


def listed(home: Home, name: str) -> dict[str, dict[str, str]]:
    with changes_path(home, name).open(encoding="utf-8-sig", newline="") as file:
        return {row["Gebiet"]: row for row in csv.DictReader(file, delimiter=";")}


A = ("a", "accepted", None)


def test_values_that_change_appear_and_vanish_are_listed_with_the_delivery_that_did_it(home: Home) -> None:
    release(home, "r1", [("x", 1.5, "ok"), ("y", 2.0, "ok"), ("z", 3.0, "ok"), ("w", None, "missing")], [A])
    release(
        home,
        "r2",
        [("x", 1.75, "ok"), ("y", 2.0, "ok"), ("z", None, "missing"), ("w", 4.0, "ok")],
        [("a", "superseded", None), ("b", "accepted", None)],
    )
    changes = write_changes(home, "r1", "r2")
    assert (changes.changed, changes.added, changes.removed) == (1, 1, 1)
    assert changes.sentence == "1 Wert geändert, 1 neu, 1 entfallen; Anlass: neue Lieferung b; abgelöst a"
    rows = listed(home, "r2")
    assert set(rows) == {"x", "z", "w"}
    assert (rows["x"]["Wert vorher"], rows["x"]["Wert jetzt"], rows["x"]["Art"]) == ("1,5", "1,75", "geändert")
    assert (rows["z"]["Wert vorher"], rows["z"]["Wert jetzt"]) == ("3,0", "")
    assert rows["x"]["Anlass"] == "neue Lieferung b; abgelöst a"


def test_what_either_release_keeps_secret_is_told_as_changed_but_not_by_value(home: Home) -> None:
    release(home, "r1", [("x", 7.0, "ok"), ("y", None, "suppressed"), ("z", None, "suppressed")], [A])
    release(home, "r2", [("x", None, "suppressed"), ("y", 8.0, "ok"), ("z", None, "suppressed")], [A], code="2")
    changes = write_changes(home, "r1", "r2")
    assert (changes.changed, changes.added, changes.removed) == (2, 0, 0)
    rows = listed(home, "r2")
    assert set(rows) == {"x", "y"}
    assert all(row["Wert vorher"] == row["Wert jetzt"] == "" for row in rows.values())
    assert rows["x"]["Zustand vorher"] == "ok" and rows["x"]["Zustand jetzt"] == "suppressed"
    assert {row["Anlass"] for row in rows.values()} == {"Programmstand"}


def test_a_withdrawal_is_a_cause_with_its_reason(home: Home) -> None:
    release(home, "r1", [("x", 1.0, "ok")], [("a", "superseded", None), ("b", "accepted", None)])
    release(home, "r2", [("x", 2.0, "ok")], [A, ("b", "withdrawn", "Zurückgenommen am 01.02.2026: falsch.")])
    assert write_changes(home, "r1", "r2").causes == [
        "wieder in Kraft a",
        "zurückgenommen b (Zurückgenommen am 01.02.2026: falsch.)",
    ]


def test_the_first_release_and_one_of_another_form_have_nothing_to_compare(home: Home) -> None:
    release(home, "r1", [("x", 1.0, "ok")], [A])
    assert write_changes(home, None, "r1").sentence == "erste Veröffentlichung"
    (home.releases / "old" / "parquet").mkdir(parents=True)
    assert "nicht vergleichbar" in write_changes(home, "old", "r1").sentence


def test_writing_again_after_the_switch_keeps_what_was_written_before_it(home: Home) -> None:
    release(home, "r1", [("x", 1.0, "ok")], [A])
    release(home, "r2", [("x", 2.0, "ok")], [A, ("b", "accepted", None)])
    before = write_changes(home, "r1", "r2")
    assert write_changes(home, "r2", "r2") == before
    assert changes_path(home, "r2").stat().st_mode & 0o777 == 0o644


def test_of_a_release_that_is_kept_no_longer_the_summary_stays_and_the_values_go(home: Home) -> None:
    release(home, "r1", [("x", 1.0, "ok")], [A])
    release(home, "r2", [("x", 2.0, "ok")], [A])
    write_changes(home, "r1", "r2")
    forget_values(home, "r2")
    assert [path.name for path in (home.releases / "changes").iterdir()] == ["r2.json"]
