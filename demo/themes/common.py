"""What the theme modules share: an even course over the years, a count divided among kinds, a footnote."""

from __future__ import annotations

import numpy as np
import pandas as pd

from demo.basis import draw

BLANKED = "* Zahlenwerte kleiner 3 und Werte, aus denen sich solche errechnen ließen, werden nicht ausgewiesen."


def course(year: int, first: float, last: float) -> float:
    """A value that moves evenly from 2015 to 2023."""
    return float(np.interp(year, [2015, 2023], [first, last]))


def split(table: pd.DataFrame, of: str, shares: dict[str, tuple[float, float]], year: int, feed: int) -> pd.DataFrame:
    """Divide the count `of` among kinds: name → (share of the whole, slope); the last kind takes what is left."""
    left, whole, parts = table.copy(), 1.0, {}
    *drawn, last = shares
    for number, name in enumerate(drawn):
        share, slope = shares[name]
        parts[name] = draw(left, of, min(1.0, share / whole), slope, year, feed + number)
        left[of] = left[of] - parts[name]
        whole -= share
    return pd.DataFrame({**parts, last: left[of]}).astype(int)
