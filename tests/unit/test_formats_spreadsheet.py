"""Spreadsheets: XLSX, XLS and ODS read alike; locked, foreign and broken ones say what they are."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from orchestration.feeds.reading_room import read_apart
from tests.fixtures.feeds import deliveries, workbooks
from tests.fixtures.feeds.agreements import GEBIET, NAME, STICHTAG, agreement, column, fault, rows

KINDS = {"xlsx": workbooks.xlsx, "xls": workbooks.xls, "ods": workbooks.ods}
PERSONS = [
    column("digits", "id", "OM", width=4, shortest=1),
    column("date", "geburt", "Geb.-Datum"),
    column("number", "ost", "UTM Ost"),
    column("text", "strasse", "Straße"),
]
PERSON_TABLE = [
    ["OM", "Geb.-Datum", "UTM Ost", "Straße"],
    [17, dt.date(1950, 2, 3), 365400.5, "Grüner Weg"],
    ["0018", "04.02.1951", "365401,25", "Höhenweg"],
]
COUNTS = [
    STICHTAG,
    GEBIET,
    NAME,
    column("measure", "personen", "Personen / Insgesamt"),
    column("measure", "u3", "Personen / unter 3"),
    column("measure", "bg", "Bedarfsgemeinschaften"),
]
COUNT_TABLE = [
    ["Grundsicherung für Arbeitsuchende", "", "", "", ""],
    ["Berichtsmonat: Dezember 2021", "", "", "", ""],
    ["", "", "", "", ""],
    ["Schlüssel", "Gebiet", "Personen", "", "Bedarfsgemeinschaften"],
    ["", "", "Insgesamt", "unter 3", ""],
    ["05378", "Rheinisch-Bergischer Kreis", 100.5, "* ", 55],
    [5378004, "Bergisch Gladbach", 0, "-", "."],
    ["© Statistik der Bundesagentur für Arbeit", "", "", "", ""],
]
MERGED = [(3, 0, 4, 0), (3, 1, 4, 1), (3, 2, 3, 3), (3, 4, 4, 4)]


@pytest.mark.parametrize("kind", KINDS)
def test_real_dates_and_numbers_and_text_arrive_alike_in_every_kind(kind: str) -> None:
    agreed = agreement(kind, PERSONS, grain="person", key=["id"])
    assert [
        (r["zeile"], r["id"], r["geburt"], r["ost"], r["strasse"])
        for r in rows(KINDS[kind]({"Bestand": PERSON_TABLE}), agreed)
    ] == [
        (2, "0017", dt.date(1950, 2, 3), 365400.5, "Grüner Weg"),
        (3, "0018", dt.date(1951, 2, 4), 365401.25, "Höhenweg"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_stacked_and_merged_headers_titles_and_footers_read_alike_in_every_kind(kind: str) -> None:
    kreis, gladbach = rows(KINDS[kind]({"Tabelle 1": COUNT_TABLE}, MERGED), agreement(kind, COUNTS))
    assert (kreis["zeile"], kreis["gebiet"], kreis["stichtag"]) == (6, "05378", dt.date(2021, 12, 31))
    assert (kreis["personen"], kreis["u3"], kreis["u3__zeichen"], kreis["bg"]) == (100.5, None, "*", 55)
    assert (gladbach["gebiet"], gladbach["personen"], gladbach["personen__zeichen"]) == ("05378004", 0, None)
    assert (gladbach["u3"], gladbach["u3__zeichen"], gladbach["bg__zeichen"]) == (0, "-", ".")


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_with_few_cells_is_no_footer_and_a_merged_footer_is_no_row(kind: str) -> None:
    note = "© Statistik der Bundesagentur für Arbeit"
    table = [["Schlüssel", "Anzahl"], ["05378", 7], ["05378004", ""], ["05378008", "*"], ["", ""], [note, ""]]
    columns = [GEBIET, column("measure", "n", "Anzahl", required=False)]
    found = rows(KINDS[kind]({"T": table}, [(5, 0, 5, 1)]), agreement(kind, columns))
    assert [(r["zeile"], r["gebiet"], r["n"], r["n__zeichen"]) for r in found] == [
        (2, "05378", 7, None),
        (3, "05378004", None, None),
        (4, "05378008", None, "*"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_the_declared_sheet_is_read_else_the_first_one_with_data(kind: str) -> None:
    other = [PERSON_TABLE[0], [99, *PERSON_TABLE[1][1:]]]
    data = KINDS[kind]({"Leer": [[None]], "Alt": other, "Bestand neu": PERSON_TABLE})
    first = rows(data, agreement(kind, PERSONS, grain="person", key=["id"]))
    assert [row["id"] for row in first] == ["0099"]
    named = rows(data, agreement(kind, PERSONS, grain="person", key=["id"], sheet="Bestand Neu"))
    assert [row["id"] for row in named] == ["0017", "0018"]
    rule, message = fault(data, agreement(kind, PERSONS, grain="person", key=["id"], sheet="Personen"))
    assert rule == "sheet_exists" and "„Personen“ fehlt" in message


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_workbook_says_so(kind: str) -> None:
    rule, message = fault(KINDS[kind]({"Tabelle 1": [[None]]}), agreement(kind, COUNTS))
    assert rule == "file_is_not_empty" and "enthält keine Daten" in message


@pytest.mark.parametrize("actual", KINDS)
@pytest.mark.parametrize("agreed", KINDS)
def test_another_kind_than_the_agreed_one_is_named(agreed: str, actual: str) -> None:
    if actual != agreed:
        rule, message = fault(KINDS[actual]({"T": COUNT_TABLE}), agreement(agreed, COUNTS))
        assert rule == "format_is_agreed"
        assert f"Die Datei ist eine {actual.upper()}-Datei, vereinbart ist {agreed.upper()}" in message


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("xlsx", workbooks.locked_xlsx()),
        ("xls", workbooks.locked_xlsx()),
        ("xls", workbooks.locked_xls({"T": COUNT_TABLE})),
        ("ods", workbooks.ods({"T": COUNT_TABLE}, locked=True)),
    ],
)
def test_a_locked_workbook_says_that_it_is_locked(kind: str, data: bytes) -> None:
    rule, message = fault(data, agreement(kind, COUNTS))
    assert rule == "file_is_not_encrypted" and "Kennwort" in message


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_cut_workbook_is_a_finding(kind: str, share: float) -> None:
    data = KINDS[kind]({"T": COUNT_TABLE})
    rule, message = fault(data[: int(len(data) * share)], agreement(kind, COUNTS))
    assert rule == "file_is_complete" and "abgeschnitten" in message


def test_an_xls_whose_sectors_run_in_a_ring_is_a_finding_and_fills_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parser would follow the ring until the memory is full, and abort the whole process."""
    data = bytearray(workbooks.xls({"T": COUNT_TABLE}))
    table = int.from_bytes(data[76:80], "little") * 512 + 512
    directory = int.from_bytes(data[48:52], "little")
    data[table + 4 * directory : table + 4 * directory + 4] = directory.to_bytes(4, "little")
    path = tmp_path / "ring.xls"
    path.write_bytes(data)
    monkeypatch.setenv("IPSO_READ_MEMORY", "0.5")
    [finding] = read_apart(path, *agreement("xls", COUNTS)).findings
    assert finding.is_error and finding.expectation == "file_needs_sane_memory", finding.message


def test_a_csv_that_was_renamed_to_xlsx_is_named() -> None:
    data = deliveries.text_file(deliveries.unemployed_lines())
    assert fault(data, agreement("xlsx", COUNTS)) == (
        "format_is_agreed",
        "Die Datei ist eine Textdatei, vereinbart ist XLSX. Erwartet: eine Datei im Format XLSX. Bitte im vereinbarten "
        "Format ausgeben; die Endung umzubenennen genügt nicht.",
    )


def test_an_xls_that_is_really_a_web_page_is_named() -> None:
    rule, message = fault(b"<html><table><tr><td>Personen</td></tr></table></html>", agreement("xls", COUNTS))
    assert rule == "format_is_agreed" and "eine HTML-Seite" in message
