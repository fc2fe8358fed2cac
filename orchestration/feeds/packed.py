"""What a ZIP archive (also XLSX, ODS, zipped shapefiles) holds, seen without any parser of its contents.

Every member is unpacked once, in pieces that are thrown away: sizes that an archive only claims are measured. Names of
members are never used as paths. Findings only; the readers open the archive again.
"""

from __future__ import annotations

import io
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from orchestration.feeds.finding import Finding, german_number, structural
from orchestration.feeds.limits import GB, MAX_MEMBERS, MAX_RATIO, MAX_UNPACKED_BYTES, RATIO_MATTERS_FROM

PIECE = 1 << 20
LOCAL_HEADER = 30
PLAIN_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
ENCRYPTED = 0x1
LONGEST_ROW = 16 << 20
DOCTYPE = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
WIDE_DOCTYPE = tuple("<!DOCTYPE".encode(codec) for codec in ("utf-16-le", "utf-16-be"))
FORMULA_CELL = re.compile(
    rb"<(?:\w+:)?c\b([^>]*)>\s*<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f>)\s*(<(?:\w+:)?v>[^<])?"
)
FORMULA = re.compile(rb"<(?:\w+:)?f[ />]")
ODS_OUTSIDE = re.compile(rb"<(?:table:dde-link|office:dde-source|table:table-source)\b")


@dataclass
class Contents:
    """What unpacking has shown."""

    doctype: bool = False
    formulas: bool = False
    without_value: bool = False
    outside: bool = False
    macros: bool = False


class _Hostile(Exception):
    """Carries the finding that ends the inspection."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.expectation)
        self.finding = finding


def inspect_archive(data: bytes) -> list[Finding]:
    """Errors for what no archive or workbook may contain, warnings for formulas; empty where it cannot be opened."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except zipfile.BadZipFile:
        # Broken archives are the readers' to tell.
        return []
    except (NotImplementedError, ValueError, OSError, EOFError, IndexError, struct.error):
        return [_not_plain("Das Verzeichnis des Archivs ist unüblich oder beschädigt")]
    try:
        _check_directory(members, len(data))
        contents = _unpack(data, members)
    except _Hostile as hostile:
        return [hostile.finding]
    return _about_contents(contents)


# --- the directory -------------------------------------------------------------------------------------------------


def _check_directory(members: list[zipfile.ZipInfo], size: int) -> None:
    names = [member.filename for member in members]
    if len(members) > MAX_MEMBERS:
        raise _Hostile(_too_large(f"Das Archiv enthält {german_number(len(members))} Dateien"))
    if any(member.flag_bits & ENCRYPTED for member in members):
        raise _Hostile(_encrypted())
    if any(_is_strange(member) for member in members):
        raise _Hostile(
            _not_plain("Das Archiv enthält Verknüpfungen oder Namen, die aus seinem Ordner hinausführen können")
        )
    if len(set(names)) < len(names):
        raise _Hostile(_not_plain("Das Archiv enthält zwei Dateien desselben Namens"))
    if any(member.compress_type not in PLAIN_METHODS for member in members):
        raise _Hostile(_not_plain("Das Archiv ist mit einem unüblichen Verfahren gepackt"))
    unpacked, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if packed > size:
        raise _Hostile(_not_plain("Die Dateien des Archivs überlappen einander"))
    _check_size(unpacked, packed)


def _check_size(unpacked: int, packed: int) -> None:
    if unpacked > MAX_UNPACKED_BYTES:
        raise _Hostile(_too_large(f"Die Datei entpackt sich auf mehr als {german_number(MAX_UNPACKED_BYTES / GB)} GB"))
    if unpacked > RATIO_MATTERS_FROM and unpacked > MAX_RATIO * max(packed, 1):
        raise _Hostile(_too_large(f"Die Datei entpackt sich auf mehr als das {MAX_RATIO}-Fache"))


def _is_strange(member: zipfile.ZipInfo) -> bool:
    name = member.orig_filename
    plain = name.replace("\\", "/")
    leaves = plain.startswith("/") or ":" in plain or ".." in PurePosixPath(plain).parts
    return not name or leaves or stat.S_ISLNK(member.external_attr >> 16) or any(ord(letter) < 32 for letter in name)


# --- the members -------------------------------------------------------------------------------------------------


def _unpack(data: bytes, members: list[zipfile.ZipInfo]) -> Contents:
    names = {member.filename for member in members}
    is_workbook = "[Content_Types].xml" in names
    is_ods = "mimetype" in names and "content.xml" in names
    contents = Contents(
        outside=any(name.startswith("xl/externalLinks/") for name in names),
        macros=any(name.lower().endswith("vbaproject.bin") or name.startswith("Basic/") for name in names),
    )
    unpacked = 0
    for member in members:
        look = _looks_at(member.filename, is_workbook, is_ods)
        rest = b""
        claimed = 0
        for piece in _pieces(data, member):
            unpacked += len(piece)
            claimed += len(piece)
            if claimed > member.file_size:
                raise _Hostile(_too_large("Das Archiv enthält mehr, als sein Verzeichnis angibt"))
            _check_size(unpacked, len(data))
            if look is not None:
                rest = _look(rest + piece, look, contents, is_last=False)
        if look is not None:
            _look(rest, look, contents, is_last=True)
    return contents


def _pieces(data: bytes, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """What a member really unpacks to. Ends early where the data is damaged: that is the readers' to tell."""
    header = data[member.header_offset : member.header_offset + LOCAL_HEADER]
    if len(header) < LOCAL_HEADER:
        return
    start = member.header_offset + LOCAL_HEADER
    start += int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    packed = memoryview(data)[start : start + member.compress_size]
    if member.compress_type == zipfile.ZIP_STORED:
        for at in range(0, len(packed), PIECE):
            yield bytes(packed[at : at + PIECE])
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for at in range(0, len(packed), PIECE):
            given: bytes | memoryview = packed[at : at + PIECE]
            while len(given) and not inflater.eof:
                yield inflater.decompress(given, PIECE)
                given = inflater.unconsumed_tail
    except zlib.error:
        return


def _looks_at(name: str, is_workbook: bool, is_ods: bool) -> str | None:
    """What is looked for in a member: `sheet`, `ods`, or `xml` (only a document type); None for nothing."""
    if not (is_workbook or is_ods) or not name.lower().endswith((".xml", ".rels", ".vml")):
        return None
    if is_ods:
        return "ods" if name == "content.xml" else "xml"
    return "sheet" if name.startswith("xl/worksheets/") else "xml"


def _look(text: bytes, kind: str, contents: Contents, is_last: bool) -> bytes:
    """Note what stands in `text`; returns its end, which is to be looked at again together with what follows."""
    if not contents.doctype:
        contents.doctype = bool(DOCTYPE.search(text)) or any(mark in text for mark in WIDE_DOCTYPE)
    if kind == "ods":
        contents.formulas |= b"table:formula=" in text
        contents.outside |= bool(ODS_OUTSIDE.search(text))
    if kind != "sheet":
        return text[-64:]
    # Cells are not cut in two: what stands after the last whole row waits.
    whole = len(text) if is_last or len(text) > LONGEST_ROW else text.rfind(b"row>") + 4
    if whole < 4:
        return text
    rows = text[:whole]
    if FORMULA.search(rows):
        contents.formulas = True
        contents.without_value |= any(
            cell[2] is None and b't="str"' not in cell[1] for cell in FORMULA_CELL.finditer(rows)
        )
    return text[whole:]


# --- findings ------------------------------------------------------------------------------------------------------


def _about_contents(contents: Contents) -> list[Finding]:
    findings = []
    if contents.doctype:
        findings.append(_not_plain("Die Datei enthält eine XML-Dokumenttypdefinition (Entitäten)"))
    if contents.macros:
        findings.append(_forbidden("workbook_has_no_macros", "Die Arbeitsmappe enthält Makros", "Makros"))
    if contents.outside:
        found = "Die Arbeitsmappe verweist auf andere Dateien oder Programme (externe Verknüpfungen)"
        findings.append(_forbidden("workbook_has_no_external_links", found, "externe Verknüpfungen"))
    if contents.without_value:
        found = "Die Arbeitsmappe enthält Formeln ohne gespeichertes Ergebnis"
        findings.append(_forbidden("formulas_have_values", found, "Formeln"))
    elif contents.formulas:
        findings.append(
            structural(
                "workbook_has_no_formulas",
                "Die Arbeitsmappe enthält Formeln; gelesen wurden die gespeicherten Ergebnisse",
                "Werte statt Formeln",
                "Bitte künftig Werte statt Formeln liefern",
                severity="warning",
            )
        )
    return findings


def _forbidden(expectation: str, found: str, what: str) -> Finding:
    hint = "Bitte die Tabelle als Werte in eine neue Arbeitsmappe (XLSX) einfügen und diese liefern"
    return structural(expectation, found, f"eine Arbeitsmappe ohne {what}", hint)


def _too_large(found: str) -> Finding:
    return structural(
        "file_has_sane_size",
        found,
        "ein Archiv, das sich auf eine übliche Größe entpackt",
        "Bitte prüfen, ob die richtige Datei geliefert wurde; leere formatierte Bereiche entfernen und neu speichern",
    )


def _not_plain(found: str) -> Finding:
    return structural(
        "archive_is_plain",
        found,
        "ein gewöhnliches Archiv, wie Tabellenprogramme und Packprogramme es schreiben",
        "Bitte die Datei neu speichern oder neu packen",
    )


def _encrypted() -> Finding:
    return structural(
        "file_is_not_encrypted",
        "Die Datei ist mit einem Kennwort verschlüsselt",
        "eine Datei ohne Kennwort",
        "Bitte ohne Kennwort speichern und über den vereinbarten geschützten Weg abgeben",
    )
