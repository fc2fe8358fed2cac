"""How deliverers write small tables: German CSV, and workbooks with titles above and footnotes below.

Bytes only, deterministic; and the one way in which files reach the drop folder. Which table a deliverer writes is in
`demo/themes/`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import xlsxwriter  # type: ignore[import-untyped]

from demo.basis import basis
from demo.population import YearEnd
from demo.reference import kommunen

DEMO_LABEL = "Synthetische Demodaten (ipSo): keine Angaben über wirkliche Personen"
KREIS = "05378"
_CREATED = dt.datetime(2024, 1, 1)
Cell = str | int | float


@dataclass(frozen=True)
class File:
    """One delivery: the deliverer's folder, the feed's file name with year and ending, and its bytes."""

    deliverer: str
    name: str
    content: bytes


Count = Callable[[YearEnd, YearEnd | None], pd.DataFrame]
"""One Kommune at a year end and at the one before (None for the first) → counts per Sozialraum, index gebiet;
for a list, its rows."""


def at_year_end(end: YearEnd, before: YearEnd | None) -> pd.DataFrame:
    """The basis table of `demo/basis.py`, which knows nothing of the year before."""
    return basis(end)


@dataclass(frozen=True)
class DemoFeed:
    """Which years a demo feed is delivered for, what writes them, and what is counted for it.

    `write` gets the year and one table per Kommune as `count` made it (none where `count` is None: the feed is not
    drawn from the residents), and gives the year's files. Feeds with the same `count` share its tables.
    """

    years: tuple[int, ...]
    write: Callable[[int, list[pd.DataFrame]], Iterable[File]]
    count: Count | None = at_year_end


def region_names(regions: Iterable[str]) -> list[str]:
    """Names as deliverers write them: Kreis, Kommune, `Rösrath 03`, `Rösrath Bezirk 3`, `nicht zuordenbar`."""
    names = {KREIS: "Rheinisch-Bergischer Kreis"} | {k.area_id: k.name for k in kommunen()}
    short = {k.area_id: k.short_name for k in kommunen()}

    def name(region: str) -> str:
        if region in names:
            return names[region]
        if region.endswith("-00"):
            return "nicht zuordenbar"
        return f"{short[region[:8]]} {region[9:].replace('B', 'Bezirk ')}"

    return [name(region) for region in regions]


def suppressed(table: pd.DataFrame, sums: Sequence[tuple[str, ...]] = ()) -> pd.DataFrame:
    """Mask of the cells that a deliverer blanks: counts of 1 or 2, and a second cell where one could be worked out.

    `table`: integer counts, index gebiet (Kreis, Kommunen, Sozialräume, or Kommunen without the Kreis). Along every sum
    (the parts of a Kommune, the Kommunen of the Kreis) never exactly one cell is blank: the smallest other count joins
    it. So it is within a row along `sums`: names of a column and of those that add up to it.
    """
    values = table.to_numpy()
    mask = (values > 0) & (values < 3)
    columns = {name: j for j, name in enumerate(table.columns)}
    regions = [str(region) for region in table.index]
    kommune_rows = [i for i, region in enumerate(regions) if len(region) == 8]
    lines: list[list[tuple[int, int]]] = []
    for i, region in enumerate(regions):
        lines += [[(i, columns[c]) for c in names] for names in sums]
        if region == KREIS and kommune_rows:
            lines += [[(i, j), *((r, j) for r in kommune_rows)] for j in range(values.shape[1])]
    for top in kommune_rows:
        parts = [i for i, region in enumerate(regions) if region.startswith(f"{regions[top]}-")]
        lines += [[(top, j), *((r, j) for r in parts)] for j in range(values.shape[1])]
    changed = True
    while changed:
        changed = False
        for line in lines:
            blank = [cell for cell in line if mask[cell]]
            # A zero stays visible as "-"; it protects nobody.
            others = [cell for cell in line[1:] if not mask[cell] and values[cell] > 0]
            if len(blank) == 1 and others:
                mask[min(others, key=lambda cell: values[cell])] = True
                changed = True
    return pd.DataFrame(mask, index=table.index, columns=table.columns)


def count_cells(table: pd.DataFrame, mask: pd.DataFrame | None = None, thousands: str = ".") -> list[list[str]]:
    """Counts as a German office writes them: `1.234`, `-` for none, `* ` (with its trailing blank) for blanked."""
    hidden = np.zeros(table.shape, bool) if mask is None else mask.to_numpy()
    return [
        [
            "* " if blank else "-" if count == 0 else f"{count:,}".replace(",", thousands)
            for count, blank in zip(*pair, strict=True)
        ]
        for pair in zip(table.to_numpy(), hidden, strict=True)
    ]


def sheet_cells(table: pd.DataFrame, mask: pd.DataFrame | None = None) -> list[list[Cell]]:
    """As `count_cells` for a workbook: counts stay numbers, the symbols are text."""
    written = count_cells(table, mask)
    return [
        [text if text in ("* ", "-") else int(count) for text, count in zip(*pair, strict=True)]
        for pair in zip(written, table.to_numpy(), strict=True)
    ]


def area_rows(table: pd.DataFrame, cells: Sequence[Sequence[Cell]], *lead: Cell) -> list[list[Cell]]:
    """Rows of a file: what leads every row (the reference date), key and name of the area, then its cells."""
    names = region_names(str(region) for region in table.index)
    return [[*lead, str(key), name, *row] for key, name, row in zip(table.index, names, cells, strict=True)]


def german(number: float, decimals: int = 1) -> str:
    """`1234.5` → `1.234,5`."""
    return f"{number:,.{decimals}f}".translate(str.maketrans(",.", ".,"))


def csv_file(
    header: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    delimiter: str = ";",
    encoding: str = "cp1252",
    quote_all: bool = False,
) -> bytes:
    """A delimited text with CRLF; cells that hold the delimiter or a quote are quoted."""

    def quoted(cell: Cell) -> str:
        text = str(cell)
        needed = quote_all or delimiter in text or '"' in text
        return '"' + text.replace('"', '""') + '"' if needed else text

    lines = [delimiter.join(quoted(cell) for cell in row) for row in (header, *rows)]
    return ("\r\n".join(lines) + "\r\n").encode(encoding)


def workbook(
    sheet: str,
    titles: Sequence[str],
    headers: Sequence[Sequence[str]],
    rows: Iterable[Sequence[Cell]],
    notes: Sequence[str] = (),
) -> bytes:
    """XLSX: title rows, a blank row, stacked header rows, data, a blank row, footnotes.

    Equal neighbours in a header row are merged, and so is a header with the blank cells below it. Cells that are
    numbers are written as numbers.
    """
    buffer = BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"title": sheet, "comments": DEMO_LABEL, "created": _CREATED})
    page = book.add_worksheet(sheet)
    bold = book.add_format({"bold": True})
    head = book.add_format({"bold": True, "border": 1, "align": "center", "valign": "vcenter", "text_wrap": True})
    for i, title in enumerate(titles):
        page.write_string(i, 0, title, bold)
    top = len(titles) + 1 if titles else 0
    for first_row, first, last_row, last, text in _header_blocks(headers):
        if (first_row, first) == (last_row, last):
            page.write_string(top + first_row, first, text, head)
        else:
            page.merge_range(top + first_row, first, top + last_row, last, text, head)
    row = top + len(headers)
    for cells in rows:
        for j, cell in enumerate(cells):
            (page.write_number if isinstance(cell, (int, float)) else page.write_string)(row, j, cell)
        row += 1
    for i, note in enumerate(notes):
        page.write_string(row + 1 + i, 0, note)
    book.close()
    return buffer.getvalue()


def _header_blocks(headers: Sequence[Sequence[str]]) -> Iterable[tuple[int, int, int, int, str]]:
    """(first row, first column, last row, last column, text) of each merged header cell."""
    for i, row in enumerate(headers):
        j = 0
        while j < len(row):
            if not row[j]:
                j += 1
                continue
            last = j
            while last + 1 < len(row) and row[last + 1] == row[j] and i + 1 < len(headers):
                last += 1
            below = i
            while below + 1 < len(headers) and not any(headers[below + 1][j : last + 1]):
                below += 1
            yield i, j, below, last, row[j]
            j = last + 1


# --- files in the drop folder ----------------------------------------------------------------------------------------


def write_whole(target: Path, fill: Callable[[Path], None]) -> Path:
    """Let `fill` write to a temporary name, then rename: nobody ever sees half a delivery. Returns `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.tmp")
    fill(temporary)
    temporary.replace(target)
    return target


def write_atomically(target: Path, content: bytes) -> Path:
    """Write bytes to `target`, whole or not at all; returns `target`."""

    def put(path: Path) -> None:
        path.write_bytes(content)

    return write_whole(target, put)
