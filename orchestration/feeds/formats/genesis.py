"""GENESIS `datencsv` (Regionalstatistik, Landesdatenbank): bytes → cells as text.

Stacked headers; the date in a column, in a header cell or on a line of its own; the level as indentation of the
name; categories in columns without a header; footnotes after `__________`. Tables are small (regions, not persons),
so plain loops over rows are fine.

Where a row is an area *and a category* (`05378;…;unter 3 Jahre;7097`), the category becomes the last part of the
header path, before a unit: `Bevölkerung / männlich / unter 3 Jahre / Anzahl` is then a column.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import NamedTuple

import pyarrow as pa

from orchestration.feeds.cells import Cells
from orchestration.feeds.declaration import Deliverer, Feed
from orchestration.feeds.encoding import decode
from orchestration.feeds.finding import Finding, structural
from orchestration.feeds.formats import faults
from orchestration.feeds.formats.headers import SEPARATOR, path, tidy
from orchestration.feeds.formats.long import pivoted

TABLE = re.compile(r"GENESIS-Tabelle:\s*([^\s;]+)")
# `1000` in a header is the unit of thousands, not a year.
DATE = re.compile(r"(?:\d\d\.\d\d\.)?(?:19|20)\d\d")
DATE_LINE = re.compile(rf"(?:(?:Stichtag|Jahr|Stand):\s*)?({DATE.pattern})")
CODE = re.compile(r"DG|\d{2,12}$")
FOOTER = re.compile(r"_{5,}")
UNITS = {"Anzahl", "Prozent", "qkm", "ha", "1000", "1000 qm", "Tsd. EUR", "EUR", "%", "Jahre"}
LEAD = ["Stichtag", "Schlüssel", "Gebiet"]
Records = list[tuple[int, list[str]]]


class GenesisRow(NamedTuple):
    """One row of values of one area and date; `categories` are the cells between the area's name and the values."""

    line: int
    date: str
    code: str
    name: str
    level: int
    cells: list[str]
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class GenesisTable:
    """One GENESIS table: `headers[i]` is the path of value column i of every row."""

    code: str
    headers: list[str]
    rows: list[GenesisRow]


def read(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells of the table with leading columns Stichtag, Schlüssel, Gebiet."""
    text, findings = decode(data, deliverer.encoding or "cp1252")
    if findings:
        return Cells(findings=findings)
    table, findings = parse(text)
    if table is None:
        return Cells(findings=findings)
    if any(row.categories for row in table.rows):
        return _by_category(table)
    values = zip(*(row.cells for row in table.rows), strict=True)
    columns = [[row.date for row in table.rows], [row.code for row in table.rows], [row.name for row in table.rows]]
    return Cells(
        headers=[*LEAD, *table.headers],
        columns=[pa.array(column, pa.string()) for column in [*columns, *map(list, values)]],
        zeile=pa.array([row.line for row in table.rows], pa.int32()),
    )


def _by_category(table: GenesisTable) -> Cells:
    """One row per area and date, one column per header and category."""
    long = [
        (row.date, row.code, row.name, _with_categories(header, row.categories), cell, row.line)
        for row in table.rows
        for header, cell in zip(table.headers, row.cells, strict=True)
    ]
    names = [*LEAD, "header", "wert", "zeile"]
    arrays = [pa.array(list(part), pa.string()) for part in list(zip(*long, strict=True))[:5]]
    return pivoted(pa.table([*arrays, pa.array([entry[5] for entry in long], pa.int32())], names=names), LEAD)


def _with_categories(header: str, categories: tuple[str, ...]) -> str:
    parts = header.split(SEPARATOR)
    unit = [parts.pop()] if len(parts) > 1 and parts[-1] in UNITS else []
    return SEPARATOR.join([*parts, *map(tidy, categories), *unit])


def parse(text: str) -> tuple[GenesisTable | None, list[Finding]]:
    """The table in decoded text, or the findings that say why it is none."""
    lines = text.splitlines()
    title = TABLE.match(lines[0].strip('"')) if lines else None
    if not title:
        return None, [_not_genesis()]
    end = next((i for i, line in enumerate(lines) if FOOTER.match(line)), None)
    if end is None:
        return None, [_no_footer()]
    reader = csv.reader(lines[:end], delimiter=";")
    try:
        records = [(reader.line_num, cells) for cells in reader if any(cell.strip() for cell in cells)]
    except csv.Error:
        return None, [faults.broken("eine GENESIS-Tabelle")]
    code_at = _code_column(records)
    if code_at is None:
        return None, [_no_rows()]
    first = next(i for i, (_, cells) in enumerate(records) if _is_data(cells, code_at))
    return _assemble(title[1], records[:first], records[first:], code_at)


def _code_column(records: Records) -> int | None:
    """0 where the area code leads the row, 1 where a date column stands before it."""
    for _, cells in records[1:]:
        for at in (0, 1):
            if _is_data(cells, at):
                return at
    return None


def _is_data(cells: list[str], at: int) -> bool:
    if len(cells) < at + 3 or not CODE.fullmatch(cells[at].strip()) or not cells[at + 1].strip():
        return False
    return bool(DATE.fullmatch(cells[0].strip())) == (at == 1)


def _header_rows(records: Records, lead: int) -> list[list[str]]:
    """Rows whose leading cells are empty and that name columns."""
    return [cells for _, cells in records if len(cells) > lead and not any(cells[:lead]) and any(cells[lead:])]


def _own_date(cells: list[str]) -> str | None:
    """The date of a line that holds nothing else (`31.12.2015;;;`, `Stichtag: 09.05.2011;;`, `Jahr: 2016;;`)."""
    filled = [cell for cell in cells if cell.strip()]
    if len(filled) != 1 or not cells[0].strip():
        return None
    match = DATE_LINE.fullmatch(filled[0].strip())
    return match[1] if match else None


def _assemble(code: str, head: Records, body: Records, code_at: int) -> tuple[GenesisTable | None, list[Finding]]:
    lead = code_at + 2
    header_rows = _header_rows(head, lead)
    width = max(len(cells) for cells in header_rows) if header_rows else len(body[0][1])
    stacks = [_stack(header_rows, i) for i in range(lead, width)]
    n_categories = next((i for i, stack in enumerate(stacks) if stack), 0)
    first_value = lead + n_categories
    stacks = stacks[n_categories:]
    dates = [next((part for part in stack if DATE.fullmatch(part)), None) for stack in stacks]
    paths = [path(p for p in stack if not DATE.fullmatch(p)) or code for stack in stacks]
    if len(set(zip(dates, paths, strict=True))) < len(paths):
        return None, [_same_header()]
    headers = list(dict.fromkeys(paths))
    line_date = next((d for d in (_own_date(cells) for _, cells in reversed(head)) if d), "")
    rows: list[GenesisRow] = []
    for line, cells in body:
        own = _own_date(cells)
        if own:
            line_date = own
            continue
        if len(cells) != width:
            return None, [_width(line, len(cells), width)]
        name = cells[lead - 1]
        level = (len(name) - len(name.lstrip(" "))) // 2
        categories = tuple(cell.strip() for cell in cells[lead:first_value])
        row_date = cells[0].strip() if code_at else line_date
        for date in dict.fromkeys(dates):
            found = {p: c for p, d, c in zip(paths, dates, cells[first_value:], strict=True) if d == date}
            values = [found.get(p, "") for p in headers]
            where = line, date or row_date, cells[code_at].strip(), name.strip(), level
            rows.append(GenesisRow(*where, values, categories))
    return GenesisTable(code, headers, rows), []


def _stack(header_rows: list[list[str]], column: int) -> list[str]:
    """The header cells above a column, top down, without blanks."""
    parts = (cells[column].strip() for cells in header_rows if column < len(cells))
    return [part for part in parts if part]


def _same_header() -> Finding:
    return structural(
        "header_is_unique",
        "Zwei Spalten der Tabelle haben dieselbe Überschrift",
        "Überschriften, die jede Spalte von den anderen unterscheiden",
        "Bitte die Tabelle unverändert neu abrufen",
    )


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
