"""ZIP archives and the real kind of a file: what is taken out, what is refused, in which words."""

from __future__ import annotations

import io
import stat
import warnings
import zipfile
from pathlib import Path

import pytest

from orchestration.feeds.declaration import EXTENSIONS, FORMATS
from orchestration.feeds.formats.kinds import FORMAT_TITLES, TITLES, expected_kind, kind_of
from orchestration.feeds.intake import address
from orchestration.feeds.reader import READERS
from tests.fixtures.feeds import deliveries, workbooks
from tests.fixtures.feeds.agreements import agreement, column, fault, rows

TEXT = "Ort;Zahl\r\nRösrath;1\r\n".encode()
TABLE = [["Ort", "Zahl"], ["Rösrath", 1]]
COLUMNS = [column("text", "ort", "Ort"), column("number", "zahl", "Zahl")]
CSV = agreement("delimited", COLUMNS, grain="person", encoding="utf_8", key=["ort"])
XLSX = agreement("xlsx", COLUMNS, grain="person", key=["ort"])


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.filterwarnings("ignore", "Duplicate name")
        for name, data in members:
            archive.writestr(name, data)
    return buffer.getvalue()


def test_every_declared_format_has_a_reader_an_extension_and_a_german_name() -> None:
    assert FORMATS == set(READERS) == set(EXTENSIONS) == set(FORMAT_TITLES)
    assert {expected_kind(name) for name in FORMATS} <= set(TITLES)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_only_file_of_a_zip_is_read_whatever_surrounds_it(method: int) -> None:
    clutter = [("Ordner/", b""), ("__MACOSX/._orte.csv", b"x"), ("Ordner/.DS_Store", b"x"), ("Thumbs.db", b"x")]
    [row] = rows(zipped(*clutter, ("Ordner/Größe.csv", TEXT), method=method), CSV)
    assert (row["zeile"], row["ort"], row["zahl"]) == (2, "Rösrath", 1)


def test_a_workbook_is_not_unpacked_but_read_also_when_it_was_packed() -> None:
    book = workbooks.xlsx({"T": TABLE})
    assert rows(book, XLSX) == rows(zipped(("orte.xlsx", book)), XLSX)
    ods = agreement("ods", COLUMNS, grain="person", key=["ort"])
    assert [row["ort"] for row in rows(zipped(("o.ods", workbooks.ods({"T": TABLE}))), ods)] == ["Rösrath"]


def test_the_official_download_of_addresses_brings_its_list_of_keys_along() -> None:
    line = "N;1;A;05;N;3;K;78;R;028;Rösrath;0;;1;Weg;1;;32;365400,1;5654400,2;2023-01-01\n".encode()
    agreed = agreement("gebref", [column("digits", "ags", "ags", width=8)], grain="person", key=["ags"])
    data = zipped(("gebref.txt", line), ("gebref_schluessel.txt", b"G;05;3;78;028;Roesrath\n"))
    assert [row["ags"] for row in rows(data, agreed)] == ["05378028"]


@pytest.mark.parametrize(
    ("data", "rule", "words"),
    [
        (zipped(("a.csv", TEXT), ("b.csv", TEXT)), "archive_has_one_file", "2 Dateien: „a.csv“, „b.csv“"),
        (zipped(("Ordner/", b"")), "archive_has_one_file", "Das ZIP-Archiv ist leer"),
        (zipped(("../../etc/cron.d/x.csv", TEXT)), "archive_is_plain", "aus seinem Ordner hinausführen"),
        (zipped(("/etc/x.csv", TEXT)), "archive_is_plain", "hinausführen"),
        (zipped(("C:\\x.csv", TEXT)), "archive_is_plain", "hinausführen"),
        (zipped(("..\\x.csv", TEXT)), "archive_is_plain", "hinausführen"),
        (zipped(("innen.zip", zipped(("a.csv", TEXT)))), "archive_is_plain", "wieder ein Archiv"),
        (zipped(("a.csv.gz", b"\x1f\x8b\x08\x00")), "archive_is_plain", "wieder ein Archiv"),
        (zipped(("a.csv", b"")), "file_is_not_empty", "leer"),
        (zipped(("a.xlsx", workbooks.xlsx({"T": TABLE}))), "format_is_agreed", "eine XLSX-Datei, vereinbart ist CSV"),
        (zipped(("a.csv", TEXT))[:60], "file_is_complete", "abgeschnitten"),
        (b"PK\x03\x04", "file_is_complete", "abgeschnitten"),
        (workbooks.locked_xlsx(), "format_is_agreed", "mit Kennwort verschlüsselte Tabelle, vereinbart ist CSV"),
    ],
)
def test_what_a_zip_may_not_be_is_refused_in_plain_words(data: bytes, rule: str, words: str) -> None:
    found, message = fault(data, CSV)
    assert found == rule and words in message


def test_names_of_members_reach_a_finding_without_odd_characters_and_cut() -> None:
    names = ["a" * 300 + ".csv", "<b>x</b>.csv", "\u202eexe.csv", *[f"{i}.csv" for i in range(20)]]
    _, message = fault(zipped(*((name, TEXT) for name in names)), CSV)
    assert "23 Dateien" in message and "„?b?x?" in message
    assert not any(letter in "<>\u202e" for letter in message)
    assert len(message) < 1_000


def test_a_locked_zip_says_so() -> None:
    data = bytearray(zipped(("a.csv", TEXT)))
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(signature) + at
        data[place] |= 1
    rule, message = fault(bytes(data), CSV)
    assert rule == "file_is_not_encrypted" and "Kennwort" in message


def test_a_link_in_a_zip_is_refused() -> None:
    link = zipfile.ZipInfo("a.csv")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    rule, message = fault(buffer.getvalue(), CSV)
    assert rule == "archive_is_plain" and "Verknüpfungen" in message


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (TEXT, "text"),
        (b"\xef\xbb\xbf" + TEXT, "text"),
        (b"", "text"),
        (workbooks.xlsx({"T": TABLE}), "xlsx"),
        (workbooks.xls({"T": TABLE}), "xls"),
        (workbooks.ods({"T": TABLE}), "ods"),
        (workbooks.locked_xlsx(), "encrypted"),
        (zipped(("[Content_Types].xml", b""), ("word/document.xml", b"")), "office"),
        (zipped(("[Content_Types].xml", b""), ("xl/workbook.bin", b"")), "xlsb"),
        (zipped(("a.csv", TEXT)), "zip"),
        (zipped(("a.SHP", b"")), "shapefile"),
        (b"%PDF-1.7", "pdf"),
        (b"<!DOCTYPE html><html>", "html"),
        (b'<?xml version="1.0"?><Workbook/>', "xml"),
        (b"7z\xbc\xaf\x27\x1c", "archive"),
        (b' \n{"type": 1}', "geojson"),
        (b"PAR1", "parquet"),
        (deliveries.dwellings(), "text"),
    ],
)
def test_the_real_kind_of_a_file_is_told_by_its_content(data: bytes, kind: str) -> None:
    assert kind_of(data) == kind


@pytest.mark.parametrize("name", ["burscheid/einwohner_2023.xlsx", "burscheid/einwohner_2023.zip"])
def test_every_format_may_also_be_delivered_packed(name: str) -> None:
    assert address(Path(name)).fault is None


def test_another_extension_is_not_taken() -> None:
    assert "Erwartet: .xlsx (oder gepackt .zip)" in (address(Path("burscheid/einwohner_2023.ods")).fault or "")
