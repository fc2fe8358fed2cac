"""Opens one workbook, in a process of its own: `python -m orchestration.feeds.formats.workbook`.

The parser (calamine) reads a broken XLS without bound: a ring in its sector chain fills any memory and ends the process
it runs in. So it runs in a child with limits, and a file that breaks the child is a finding like any other. The child
gets the file on its standard input and hands back a pickled `Sheet` or `Fault`; it imports nothing heavy.
"""

from __future__ import annotations

import io
import pickle
import re
import subprocess
import sys
from typing import Any, NamedTuple

MAX_CELLS = 30_000_000
MAX_MEMORY = 4_000_000_000
MAX_SECONDS = 300


class Sheet(NamedTuple):
    """Rows of cells (text, numbers, dates, `""`), and merged ranges as ((top, left), (bottom, right)), from 0."""

    rows: list[list[Any]]
    merged: list[Any]


class Fault(NamedTuple):
    """Why there is no sheet: `broken`, `too_large`, `empty` or `no_sheet`; and how many sheets there are."""

    reason: str
    n_sheets: int = 0


def read(data: bytes, wanted: str | None) -> Sheet | Fault:
    """The wanted sheet (None: the first that holds anything). A child that crashes means a broken file, one that
    exceeds memory or time means a file that unpacks too large."""
    command = [sys.executable, "-I", "-m", __name__, *([wanted] if wanted is not None else [])]
    try:
        child = subprocess.run(command, input=data, capture_output=True, timeout=MAX_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Fault("too_large")
    if child.returncode == 0:
        answer = pickle.loads(child.stdout)
        return Sheet(*answer) if isinstance(answer[0], list) else Fault(*answer)
    return Fault("too_large" if child.returncode < 0 or b"MemoryError" in child.stderr else "broken")


def _main(arguments: list[str]) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answer = _open(sys.stdin.buffer.read(), arguments[0] if arguments else None)
    pickle.dump(tuple(answer), sys.stdout.buffer, protocol=pickle.HIGHEST_PROTOCOL)


def _open(data: bytes, wanted: str | None) -> Sheet | Fault:
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
    return Fault("empty")


def _folded(name: str) -> str:
    return re.sub(r"\s+", " ", name).strip().casefold()


if __name__ == "__main__":
    _main(sys.argv[1:])
