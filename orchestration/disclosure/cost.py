"""What blanking a cell costs the reader: the higher it is, the later it is blanked. Tables in, an array out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from orchestration.disclosure.atoms import CUBE

CELL = ["boundary", "area_id", "year", "item"]
LEVEL = {"overlap": 0.001, "sozialraum": 1.0, "nicht_verortbar": 0.1, "kommune": 100.0, "kreis": 10_000.0}
MEASURE = 10.0
"""A measure feeds indicators, so it is dearer than one cell of the population table."""
HEADLINE = 10.0
"""A measure of core indicators is dearer again, and by the square of how many of them it blanks: population most."""
FEW_INHABITANTS = 300
FEW = 0.2
"""An area of so few inhabitants gets no class and no index: its figures are missed less."""

Share = tuple[str, str | None]
"""(numerator, denominator) of an indicator, the denominator None where it is a count"""


def costs(cells: pd.DataFrame, is_hidden: np.ndarray, core: Sequence[Share]) -> np.ndarray:
    """Shape (len(cells),). cells: CELL, level, value; is_hidden: which are blank anyway; core: the core indicators."""
    level = cells["level"].map(LEVEL).to_numpy(float)
    inhabitants = cells[cells["item"] == "population"].set_index(CELL[:3])["value"]
    few = inhabitants.reindex(pd.MultiIndex.from_frame(cells[CELL[:3]])).to_numpy(float) < FEW_INHABITANTS
    level = np.where(few & (cells["level"] == "sozialraum").to_numpy(), FEW, level)
    is_cube = cells["item"].str.startswith(CUBE).to_numpy()
    uses = _uses(cells, is_hidden, core)
    return level * np.where(is_cube, 1.0, MEASURE) * np.where(uses > 0, HEADLINE * uses**2, 1.0)


def _uses(cells: pd.DataFrame, is_hidden: np.ndarray, core: Sequence[Share]) -> np.ndarray:
    """How many core indicators a cell would blank: not those that its partner blanks already."""
    hidden = pd.MultiIndex.from_frame(cells.loc[is_hidden, CELL])
    item = cells["item"].to_numpy()
    uses = np.zeros(len(cells))
    for numerator, denominator in core:
        for own, other in ((numerator, denominator), (denominator, numerator)):
            if own is not None:
                rows = np.flatnonzero(item == own)
                partner = pd.MultiIndex.from_frame(cells.iloc[rows][CELL].assign(item=other))
                uses[rows] += ~partner.isin(hidden)
    return uses
