"""Cheap looks at a delivery's bytes before any parser gets them: what is hostile or hopeless is told at once.

Text is looked at here, archives and workbooks in packed.py. Whether a file is what was agreed is the readers' business;
these looks say nothing about files of another kind than the agreed one.
"""

from __future__ import annotations

import codecs

from orchestration.feeds.declaration import EXTENSIONS
from orchestration.feeds.finding import Finding, german_number, structural
from orchestration.feeds.limits import MAX_COLUMNS, MAX_HEADER_LETTERS, MAX_LINE_BYTES, MB
from orchestration.feeds.packed import inspect_archive

DELIMITERS = b";,\t|"
LINE_EXTENSIONS = {"csv", "txt", "asc"}
BINARY = (b"PK", b"SQLite format 3\x00", b"PAR1", b"%PDF", b"\xd0\xcf\x11\xe0", b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!")
"""How files begin that are no text: their reader says which kind was agreed."""


def suspicious(data: bytes, format_name: str) -> list[Finding]:
    """What forbids handing `data` to the reader of `format_name` (errors), and what is to be said about it (warnings).

    To be asked again for what a ZIP archive contains.
    """
    if data.startswith(b"PK"):
        return inspect_archive(data)
    if EXTENSIONS[format_name] in LINE_EXTENSIONS and not data.startswith(BINARY):
        return _inspect_lines(data)
    return []


def too_wide(columns: int) -> Finding | None:
    """A finding for a table with more columns than any agreed one can have."""
    if columns <= MAX_COLUMNS:
        return None
    return structural(
        "file_has_sane_width",
        f"Die Datei hat {german_number(columns)} Spalten",
        f"höchstens {german_number(MAX_COLUMNS)} Spalten",
        "Bitte nur die vereinbarten Spalten ausgeben; leere formatierte Spalten entfernen",
    )


def unfit_headers(headers: list[str]) -> list[Finding]:
    """Findings for more columns than any agreed table can have, and for headers that are none."""
    wide = too_wide(len(headers))
    if wide:
        return [wide]
    place = next((i for i, header in enumerate(headers, start=1) if len(header) > MAX_HEADER_LETTERS), None)
    return [] if place is None else [_long_header(place)]


def _inspect_lines(data: bytes) -> list[Finding]:
    if b"\x00" in data and not _is_utf_16(data):
        return [_binary()]
    header = data[: MAX_LINE_BYTES + 1].split(b"\n", 1)[0]
    wide = too_wide(max(header.count(delimiter) for delimiter in DELIMITERS) + 1)
    line = first_overlong_line(data)
    return [wide] if wide else [_overlong(line)] if line else []


def first_overlong_line(data: bytes, longest: int = MAX_LINE_BYTES) -> int | None:
    """Number (from 1) of the first line of more than `longest` bytes; looks at few of the bytes."""
    start = 0
    while len(data) - start > longest:
        last_break = data.rfind(b"\n", start, start + longest + 1)
        if last_break < 0:
            return data.count(b"\n", 0, start) + 1
        start = last_break + 1
    return None


def _is_utf_16(data: bytes) -> bool:
    """With or without byte order mark: nearly every second byte of Western text is zero."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return True
    return any(half.count(0) > 0.9 * len(half) for half in (data[1:200:2], data[0:200:2]))


def _binary() -> Finding:
    return structural(
        "file_is_text",
        "Die Datei enthält Nullbytes und ist keine Textdatei",
        "eine Textdatei in der vereinbarten Form",
        "Bitte als Text (CSV) ausgeben",
    )


def _long_header(place: int) -> Finding:
    limit = german_number(MAX_HEADER_LETTERS)
    return structural(
        "header_has_sane_length",
        f"Die Überschrift der Spalte {place} hat mehr als {limit} Zeichen",
        f"Überschriften von höchstens {limit} Zeichen",
        "Bitte prüfen, ob die Kopfzeile stimmt",
    )


def _overlong(line: int) -> Finding:
    limit = f"{german_number(MAX_LINE_BYTES / MB)} MB"
    return structural(
        "line_has_sane_length",
        f"Eine Zeile ist länger als {limit}; vermutlich fehlen die Zeilenumbrüche",
        f"Zeilen von höchstens {limit}",
        "Bitte den Export mit Zeilenumbrüchen wiederholen",
        rows=(line,),
        n_rows=1,
    )
