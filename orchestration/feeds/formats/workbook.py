"""Opens one workbook: bytes → the rows of one sheet.

The parser (calamine) reads a broken XLS without bound: a ring in its sector chain fills any memory and ends the process
it runs in. That process is the reading room's (reading_room.py), which makes a finding of it.
"""

from __future__ import annotations

import io
import re
from typing import Any, NamedTuple

MAX_CELLS = 30_000_000


class Sheet(NamedTuple):
    """Rows of cells (text, numbers, dates, `""`), and merged ranges as ((top, left), (bottom, right)), from 0."""

    rows: list[list[Any]]
    merged: list[Any]


class Fault(NamedTuple):
    """Why there is no sheet: `broken`, `too_large`, `empty` or `no_sheet`; and how many sheets there are."""

    reason: str
    n_sheets: int = 0


def read(data: bytes, wanted: str | None) -> Sheet | Fault:
    """The wanted sheet (None: the first that holds anything)."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [name for name in book.sheet_names if wanted is None or _folded(name) == _folded(wanted)]
        if not names and wanted is not None:
            return Fault("no_sheet", len(book.sheet_names))
        for name in names:
            sheet = book.get_sheet_by_name(name)
            if sheet.total_height * sheet.total_width > MAX_CELLS:
                return Fault("too_large")
            rows = sheet.to_python(skip_empty_area=False)
            if any(cell != "" for row in rows for cell in row):
                return Sheet(rows, sheet.merged_cell_ranges or [])
    except CalamineError:
        return Fault("broken")
    except BaseException as error:
        # A parser in Rust that gives up raises a class that is no Exception and has no module to import it from.
        if type(error).__name__ != "PanicException":
            raise
        return Fault("broken")
    return Fault("empty")


def _folded(name: str) -> str:
    return re.sub(r"\s+", " ", name).strip().casefold()
