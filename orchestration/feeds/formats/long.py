"""Long tables (one row per value) → cells with one column per measure.

Shared by the formats that arrive long: GENESIS flat files, GENESIS tables with categories in rows, election results
with one row per party. Set-based; no knowledge of any format here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from orchestration.feeds.cells import Cells
from orchestration.feeds.finding import MAX_ROWS, Finding, structural

MAX_CELLS = 30_000_000


def pivoted(table: pa.Table, keys: list[str]) -> Cells:
    """`table`: text columns `keys`, `header` (path), `wert`, and `zeile` int32, the row number in the file.

    One row per combination of keys, in the order of the file and with the number of its first row; one column per
    header, in the order of the file. A value that stands twice is a finding, an absent one an empty cell.
    """
    frame = table.to_pandas()
    row = frame.groupby(keys, sort=False, dropna=False).ngroup().to_numpy()
    column, headers = pd.factorize(frame["header"])
    place = row * len(headers) + column
    twice = pd.Series(place).duplicated().to_numpy()
    if twice.any():
        return Cells(findings=[_twice(sorted(frame["zeile"][twice]))])
    first = np.unique(row, return_index=True)[1]
    if len(first) * len(headers) > MAX_CELLS:
        return Cells(findings=[_too_many(len(headers))])
    values = np.full(len(first) * len(headers), None, dtype=object)
    values[place] = frame["wert"].to_numpy(dtype=object)
    wide = values.reshape(len(first), len(headers))
    return Cells(
        headers=[*keys, *headers],
        columns=[pa.array(frame[key].to_numpy(dtype=object)[first], pa.string()) for key in keys]
        + [pa.array(wide[:, i], pa.string()) for i in range(len(headers))],
        zeile=pa.array(frame["zeile"].to_numpy()[first], pa.int32()),
    )


def _twice(rows: list[int]) -> Finding:
    return structural(
        "value_is_unique",
        "Derselbe Wert (gleiches Gebiet, gleicher Stichtag, gleiche Merkmale) steht mehrfach in der Datei",
        "jeder Wert genau einmal",
        "Bitte die Tabelle unverändert neu abrufen",
        rows=tuple(rows[:MAX_ROWS]),
        n_rows=len(rows),
    )


def _too_many(number: int) -> Finding:
    return structural(
        "file_has_sane_size",
        f"Die Datei enthält {number} verschiedene Merkmale",
        "so viele Merkmale, wie vereinbart sind",
        "Bitte nur die vereinbarten Merkmale abrufen",
    )
