"""GENESIS `datencsv` (Regionalstatistik, Landesdatenbank): bytes → cells as text.

Stacked headers; the date in a column, in a header cell or on a line of its own; the level as indentation of the
name; footnotes after `__________`. Tables are small (regions, not persons), so plain loops over rows are fine.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass

import pyarrow as pa

from orchestration.feeds.cells import Cells
from orchestration.feeds.declaration import Deliverer, Feed
from orchestration.feeds.encoding import decode
from orchestration.feeds.finding import Finding, structural

TABLE = re.compile(r"GENESIS-Tabelle:\s*(\S+)")
DATE = re.compile(r"(\d\d\.\d\d\.\d{4}|\d{4})$")
CODE = re.compile(r"DG|\d{2,8}$")
FOOTER = re.compile(r"_{5,}")
UNITS = {"Anzahl", "Prozent", "qkm", "ha", "1000 qm", "Tsd. EUR", "EUR", "%"}


@dataclass(frozen=True)
class GenesisTable:
    """One GENESIS table: `headers[i]` is the path of value column i; rows carry date, code, name, level, cells."""

    code: str
    headers: list[str]
    rows: list[tuple[int, str, str, str, int, list[str]]]  # line, date, code, name, level, cells


def read(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells of the table with leading columns Stichtag, Schlüssel, Gebiet."""
    text, findings = decode(data, deliverer.encoding or "cp1252")
    if findings:
        return Cells(findings=findings)
    table, findings = parse(text)
    if table is None:
        return Cells(findings=findings)
    lines, dates, codes, names, _, cells = (list(part) for part in zip(*table.rows, strict=True))
    columns = [list(column) for column in zip(*cells, strict=True)]
    return Cells(
        headers=["Stichtag", "Schlüssel", "Gebiet", *table.headers],
        columns=[pa.array(column, pa.string()) for column in [dates, codes, names, *columns]],
        zeile=pa.array(lines, pa.int32()),
    )


def parse(text: str) -> tuple[GenesisTable | None, list[Finding]]:
    """The table in decoded text, or the findings that say why it is none."""
    lines = text.splitlines()
    title = TABLE.match(lines[0]) if lines else None
    if not title:
        return None, [_not_genesis()]
    end = next((i for i, line in enumerate(lines) if FOOTER.match(line)), None)
    if end is None:
        return None, [_no_footer()]
    records = [(i + 1, next(csv.reader([line], delimiter=";"), [])) for i, line in enumerate(lines[:end])]
    code_at = _code_column(records)
    if code_at is None:
        return None, [_no_rows()]
    first = next(i for i, (_, cells) in enumerate(records) if _is_data(cells, code_at))
    header_rows = _header_rows(records[:first], code_at)
    return _assemble(title[1], records, first, header_rows, code_at)


def _code_column(records: list[tuple[int, list[str]]]) -> int | None:
    """0 where the area code leads the row, 1 where a date column stands before it."""
    for _, cells in records[1:]:
        for at in (0, 1):
            if _is_data(cells, at):
                return at
    return None


def _is_data(cells: list[str], at: int) -> bool:
    if len(cells) < at + 3 or not CODE.fullmatch(cells[at].strip()) or not cells[at + 1].strip():
        return False
    return (at == 0 and not DATE.fullmatch(cells[0].strip())) or (at == 1 and bool(DATE.fullmatch(cells[0].strip())))


def _header_rows(records: list[tuple[int, list[str]]], code_at: int) -> list[list[str]]:
    """Rows whose leading cells are empty and that name columns."""
    lead = code_at + 2
    return [cells for _, cells in records if len(cells) > lead and not any(cells[:lead]) and any(cells[lead:])]


def _own_date(cells: list[str]) -> str | None:
    """The date of a line that holds nothing else (`31.12.2015;;;`, `Stichtag: 09.05.2011;;`)."""
    filled = [cell for cell in cells if cell.strip()]
    if len(filled) != 1 or not cells[0].strip():
        return None
    match = re.fullmatch(r"(?:Stichtag:\s*)?(\d\d\.\d\d\.\d{4}|\d{4})", filled[0].strip())
    return match[1] if match else None


def _assemble(
    code: str, records: list[tuple[int, list[str]]], first: int, header_rows: list[list[str]], code_at: int
) -> tuple[GenesisTable | None, list[Finding]]:
    lead = code_at + 2
    width = max(len(cells) for cells in header_rows) if header_rows else len(records[first][1])
    stacks = [_stack(header_rows, i) for i in range(lead, width)]
    dates = [next((part for part in stack if DATE.fullmatch(part)), None) for stack in stacks]
    paths = [" / ".join(p for p in stack if not DATE.fullmatch(p)) or code for stack in stacks]
    dated = any(dates)
    headers = list(dict.fromkeys(paths)) if dated else paths
    line_date = next((d for d in (_own_date(cells) for _, cells in reversed(records[:first])) if d), "")
    rows: list[tuple[int, str, str, str, int, list[str]]] = []
    for line, cells in records[first:]:
        own = _own_date(cells)
        if own:
            line_date = own
            continue
        if len(cells) != width:
            return None, [_width(line, len(cells), width)]
        name = cells[lead - 1]
        level = (len(name) - len(name.lstrip(" "))) // 2
        area = cells[code_at].strip()
        if not dated:
            date = cells[0].strip() if code_at else line_date
            rows.append((line, date, area, name.strip(), level, cells[lead:]))
            continue
        for date in dict.fromkeys(d for d in dates if d):
            found = {p: c for p, d, c in zip(paths, dates, cells[lead:], strict=True) if d == date}
            rows.append((line, date, area, name.strip(), level, [found.get(p, "") for p in headers]))
    return GenesisTable(code, headers, rows), []


def _stack(header_rows: list[list[str]], column: int) -> list[str]:
    """The header cells above a column, top down, without blanks and without repetitions of the one above."""
    parts: list[str] = []
    for cells in header_rows:
        part = cells[column].strip() if column < len(cells) else ""
        if part and (not parts or parts[-1] != part):
            parts.append(part)
    return parts


def _width(line: int, fields: int, width: int) -> Finding:
    return structural(
        "field_count_is_constant",
        f"Zeile {line} hat {fields} Felder statt {width}; die Datei ist beschädigt oder abgeschnitten",
        f"{width} Felder in jeder Datenzeile",
        "Bitte die Tabelle unverändert neu abrufen",
        rows=(line,),
        n_rows=1,
    )


def _not_genesis() -> Finding:
    return structural(
        "format_is_genesis",
        "Die erste Zeile nennt keine GENESIS-Tabelle",
        "„GENESIS-Tabelle: …“ in der ersten Zeile",
        "Bitte die Tabelle als CSV (datencsv) abrufen und unverändert liefern",
    )


def _no_footer() -> Finding:
    return structural(
        "file_is_complete",
        "Der Fußteil (Zeile aus Unterstrichen, Fußnoten, Stand) fehlt; die Datei ist abgeschnitten",
        "ein Fußteil nach der letzten Datenzeile",
        "Bitte die Tabelle neu abrufen und vollständig übertragen",
    )


def _no_rows() -> Finding:
    return structural(
        "file_is_not_empty",
        "Die Tabelle enthält keine Zeile mit einem Gebietsschlüssel",
        "Zeilen mit Schlüssel, Gebiet und Werten",
        "Bitte die Tabelle neu abrufen",
    )
