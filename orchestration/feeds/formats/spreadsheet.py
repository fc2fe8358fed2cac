"""Spreadsheets (XLSX, XLS, ODS): bytes → cells as text. One header row, or stacked and merged header rows between
titles and footers.

Numbers and dates that the spreadsheet knows as such are written in the deliverer's agreed notation, so that one
typing serves all formats. No typing and no rules about values here.
"""

from __future__ import annotations

import calendar
import re
from typing import Any

import pyarrow as pa

from orchestration.feeds.cells import Cells
from orchestration.feeds.declaration import Deliverer, Feed, fold
from orchestration.feeds.finding import Finding, structural
from orchestration.feeds.formats import faults, workbook
from orchestration.feeds.formats.headers import path
from orchestration.feeds.formats.kinds import TITLES
from orchestration.feeds.formats.notation import text

MONTHS = ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
          "November", "Dezember"]  # fmt: skip
STICHTAG = re.compile(r"Stichtag:?\s*(\d{1,2}\.\d{1,2}\.\d{4})")
BERICHTSMONAT = re.compile(rf"Berichtsmonat:?\s*({'|'.join(MONTHS)})\s+(\d{{4}})")
Rows = list[list[Any]]


def read(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells of the declared sheet, else of the first one with data; or the findings that prevent reading it."""
    sheet = workbook.read(data, deliverer.sheet)
    if isinstance(sheet, workbook.Fault):
        return Cells(findings=[_fault(sheet, deliverer)])
    if feed.grain == "person":
        return _one_header_row(sheet.rows, feed, deliverer)
    return _stacked_header(sheet.rows, sheet.merged, feed, deliverer)


def _fault(fault: workbook.Fault, deliverer: Deliverer) -> Finding:
    if fault.reason == "no_sheet":
        return _no_sheet(deliverer.sheet or "", fault.n_sheets)
    if fault.reason == "too_large":
        return faults.too_large("ein Blatt in der Größe der Daten, höchstens 1 GB entpackt")
    if fault.reason == "empty":
        return faults.empty("Die Arbeitsmappe" if deliverer.sheet is None else f"Das Blatt „{deliverer.sheet}“")
    return faults.broken(TITLES[deliverer.format])


def _one_header_row(rows: Rows, feed: Feed, deliverer: Deliverer) -> Cells:
    first = next(i for i, row in enumerate(rows) if any(cell != "" for cell in row))
    headers = [str(cell).strip() for cell in rows[first]]
    width = max((i + 1 for i, header in enumerate(headers) if header), default=0)
    return _cells(headers[:width], rows[first + 1 :], first + 2, feed, deliverer)


def _stacked_header(rows: Rows, merged: list[Any], feed: Feed, deliverer: Deliverer) -> Cells:
    """The header block around the key column; titles above it, footers after it."""
    filled = _fill_merged(rows, merged)
    anchor = _anchor(filled, feed)
    if anchor is None:
        return Cells(findings=[_no_header(feed)])
    row, key = anchor
    start, end = row, row + 1
    while start > 0 and _distinct(filled[start - 1]) >= 3:
        start -= 1
    while end < len(filled) and str(filled[end][key]).strip() in ("", str(filled[row][key]).strip()):
        end += 1
    block = _fill_right(filled[start:end]) if not merged else filled[start:end]
    headers = [path(str(line[column]) for line in block if column < len(line)) for column in range(len(filled[row]))]
    data = [[""] * len(cells) if _is_footer(cells, key) else cells for cells in rows[end:]]
    cells = _cells(headers, data, end + 1, feed, deliverer)
    cells.constants.update(_title_date(rows[:start], feed, deliverer))
    if not any(c for c in data if any(cell != "" for cell in c)):
        cells.findings.append(faults.empty("Das Tabellenblatt"))
    return cells


def _is_footer(cells: list[Any], key: int) -> bool:
    """A note stands alone in its row (merged cells count once); a key that stands alone is data without values."""
    return sum(cell != "" for cell in cells) < 2 and not re.fullmatch(r"[\d.-]+|DG", str(cells[key]).strip())


def _anchor(rows: Rows, feed: Feed) -> tuple[int, int] | None:
    """(row, column) of the key column's header; None when no row of the sheet has it."""
    wanted = {fold(header) for name in feed.key for header in feed.column(name).headers}
    for i, row in enumerate(rows[:60]):
        for j, cell in enumerate(row):
            if isinstance(cell, str) and fold(cell) in wanted:
                return i, j
    return None


def _distinct(row: list[Any]) -> int:
    return len({str(cell) for cell in row if cell != ""})


def _fill_merged(rows: Rows, merged: list[Any]) -> Rows:
    filled = [list(row) for row in rows]
    for (top, left), (bottom, right) in merged:
        for i in range(top, min(bottom, len(filled) - 1) + 1):
            for j in range(left, min(right, len(filled[i]) - 1) + 1):
                filled[i][j] = rows[top][left]
    return filled


def _fill_right(block: Rows) -> Rows:
    """Without merged ranges: a blank header cell belongs to the one on its left, except in the last row."""
    result: Rows = []
    for i, row in enumerate(block):
        filled: list[Any] = []
        for j, cell in enumerate(row):
            above_changes = i > 0 and j > 0 and result[i - 1][j] != result[i - 1][j - 1]
            inherit = cell == "" and i < len(block) - 1 and j > 0 and not above_changes
            filled.append(filled[j - 1] if inherit else cell)
        result.append(filled)
    return result


def _title_date(titles: Rows, feed: Feed, deliverer: Deliverer) -> dict[str, str]:
    """The reference date that the title rows name: `Stichtag: 31.12.2021` or `Berichtsmonat: Dezember 2021`."""
    titled = "\n".join(text(cell, feed, deliverer) or "" for row in titles for cell in row)
    match = STICHTAG.search(titled)
    if match:
        return {"stichtag": match[1]}
    match = BERICHTSMONAT.search(titled)
    if match:
        month, year = MONTHS.index(match[1]) + 1, int(match[2])
        return {"stichtag": f"{calendar.monthrange(year, month)[1]:02d}.{month:02d}.{year}"}
    return {}


def _cells(headers: list[str], rows: Rows, first_row: int, feed: Feed, deliverer: Deliverer) -> Cells:
    places = [i for i, header in enumerate(headers) if header]
    columns = list(zip(*rows, strict=True)) if rows else [() for _ in headers]
    return Cells(
        headers=[headers[i] for i in places],
        columns=[_column(columns[i], feed, deliverer) for i in places],
        zeile=pa.array(range(first_row, first_row + len(rows)), pa.int32()),
    )


def _column(values: tuple[Any, ...], feed: Feed, deliverer: Deliverer) -> pa.Array:
    if all(type(value) is str for value in values):
        return pa.array(values, pa.string())
    return pa.array([v if type(v) is str else text(v, feed, deliverer) for v in values], pa.string())


def _no_sheet(wanted: str, n_sheets: int) -> Finding:
    return structural(
        "sheet_exists",
        f"Das vereinbarte Tabellenblatt „{wanted}“ fehlt; die Datei hat {n_sheets} andere",
        f"ein Tabellenblatt „{wanted}“",
        "Bitte das Blatt wie vereinbart benennen",
    )


def _no_header(feed: Feed) -> Finding:
    names = ", ".join(f"„{h}“" for name in feed.key for h in feed.column(name).headers)
    return structural(
        "header_is_known",
        "Im Tabellenblatt wurde keine Kopfzeile gefunden",
        f"eine Kopfzeile mit der Spalte {names}",
        "Bitte die Vorlage unverändert verwenden",
    )
