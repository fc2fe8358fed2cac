"""What a file really is, told by its first bytes and, for containers, by what they contain.

A deliverer's format is agreed; a file of another kind is a finding that names both. Whether a file of the right kind
can be read is the readers' business.
"""

from __future__ import annotations

import io
import zipfile
import zlib

from orchestration.feeds.finding import Finding, structural

# Kind → its German name with article. Formats that are delimited or fixed-width text are all of kind `text`.
TITLES = {
    "text": "eine Textdatei",
    "xlsx": "eine XLSX-Datei",
    "xls": "eine XLS-Datei",
    "ods": "eine ODS-Datei",
    "xlsb": "eine XLSB-Datei",
    "encrypted": "eine mit Kennwort verschlüsselte Tabelle",
    "office": "ein Office-Dokument, aber keine Tabelle",
    "xml": "eine XML-Datei",
    "html": "eine HTML-Seite",
    "geojson": "eine JSON-Datei",
    "geopackage": "ein GeoPackage",
    "shapefile": "ein Shapefile im ZIP-Archiv",
    "parquet": "eine Parquet-Datei",
    "pdf": "eine PDF-Datei",
    "zip": "ein ZIP-Archiv",
    "archive": "ein Archiv (gzip, 7z oder rar)",
}
FORMAT_TITLES = {
    "delimited": "CSV (Text mit Trennzeichen)",
    "genesis": "CSV aus GENESIS (datencsv)",
    "ffcsv": "CSV aus GENESIS (ffcsv)",
    "votemanager": "CSV aus dem votemanager",
    "gebref": "Text (Gebäudereferenzen)",
    "gv100ad": "Text (GV100AD)",
    "xlsx": "XLSX",
    "xls": "XLS",
    "ods": "ODS",
    "geopackage": "GeoPackage",
    "geojson": "GeoJSON",
    "shapefile": "Shapefile (alle Teile in einem ZIP-Archiv)",
    "parquet": "Parquet",
}
AREA_ENDINGS = {"gpkg": "geopackage", "geojson": "geojson", "json": "geojson", "zip": "shapefile"}
"""Ending of a file with areas → its format; a shapefile comes packed."""
SIGNATURES = [
    (b"SQLite format 3\x00", "geopackage"),
    (b"PAR1", "parquet"),
    (b"%PDF", "pdf"),
    (b"\x1f\x8b", "archive"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!", "archive"),
]
DAMAGED = (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)
"""What zipfile raises for archives that are cut, packed in a way that it does not know, locked, or point outside."""
ZIP = b"PK\x03\x04"
BIFF8_WORKBOOK = b"\x09\x08\x10\x00\x00\x06\x05\x00"
FILEPASS = 0x2F
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def kind_of(data: bytes) -> str:
    """A key of `TITLES`; whatever is nothing else counts as text, and its reader says what is wrong with it."""
    if data.startswith((ZIP, b"PK\x05\x06")):
        return _kind_of_zip(data)
    if data.startswith(OLE):
        return _kind_of_ole(data)
    for signature, kind in SIGNATURES:
        if data.startswith(signature):
            return kind
    start = data[:2000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith(b"{"):
        return "geojson"
    if start.startswith((b"<!doctype html", b"<html", b"<table")):
        return "html"
    return "xml" if start.startswith(b"<?xml") else "text"


def expected_kind(format_name: str) -> str:
    """The kind that a declared format is of."""
    return format_name if format_name in TITLES else "text"


def area_format(data: bytes) -> str | None:
    """Which of the formats of areas the bytes, or those in a ZIP archive, are in; None where in none."""
    kind = kind_of(data)
    if kind == "zip":
        endings = [name.lower().rpartition(".")[2] for name in _member_names(data)]
        kind = next((AREA_ENDINGS[ending] for ending in endings if ending in AREA_ENDINGS), kind)
    return kind if kind in AREA_ENDINGS.values() else None


def _member_names(data: bytes) -> list[str]:
    """Of an archive that can be opened; whoever unpacks it says what is wrong with another."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return archive.namelist()
    except DAMAGED:
        return []


def wrong_kind(format_name: str, actual: str) -> Finding:
    """The finding for a file that is of another kind than the agreed format."""
    title = FORMAT_TITLES[format_name]
    return structural(
        "format_is_agreed",
        f"Die Datei ist {TITLES[actual]}, vereinbart ist {title}",
        f"eine Datei im Format {title}",
        "Bitte im vereinbarten Format ausgeben; die Endung umzubenennen genügt nicht",
    )


def _kind_of_zip(data: bytes) -> str:
    """An archive that cannot be opened counts as the container that its first member's name points to."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
            manifest = b""
            if "META-INF/manifest.xml" in names:
                with archive.open("META-INF/manifest.xml") as file:
                    manifest = file.read(1_000_000)
    except DAMAGED:
        return _kind_of_cut_zip(data)
    if "encrypted-package" in names or b"encryption-data" in manifest:
        return "encrypted"
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "xl/workbook.bin" in names:
        return "xlsb"
    if "[Content_Types].xml" in names:
        return "office"
    if "mimetype" in names and "content.xml" in names:
        return "ods" if b"opendocument.spreadsheet" in data[:200] else "office"
    return "shapefile" if any(name.lower().endswith(".shp") for name in names) else "zip"


def _kind_of_cut_zip(data: bytes) -> str:
    name = data[30 : 30 + int.from_bytes(data[26:28], "little")]
    if name == b"mimetype":
        return "ods"
    # Member names stand uncompressed in the local headers, as far as the file goes.
    if b"xl/w" in data or name in (b"[Content_Types].xml", b"_rels/.rels"):
        return "xlsx"
    return "shapefile" if b".shp" in data.lower() else "zip"


def _kind_of_ole(data: bytes) -> str:
    """Of a cut container nothing may be known but that it is one: then it counts as XLS."""

    def has(stream: str) -> bool:
        return stream.encode("utf-16-le") in data

    if has("EncryptedPackage") or _has_filepass(data):
        return "encrypted"
    return "office" if has("WordDocument") or has("PowerPoint Document") else "xls"


def _has_filepass(data: bytes) -> bool:
    """Whether the record FILEPASS follows the beginning of the workbook, at most after two others."""
    at = data.find(BIFF8_WORKBOOK)
    for _ in range(4):
        if at < 0 or at + 4 > len(data):
            return False
        record, size = int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 2 : at + 4], "little")
        if record == FILEPASS:
            return True
        at += 4 + size
    return False
