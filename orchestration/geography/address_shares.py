"""In which step how many of a Kommune's addresses were found, told without small numbers.

Percentages of addresses, and counts from 100 on; a Kommune with fewer addresses without coordinates is told as that
(docs/decisions/0016).
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from orchestration.feeds.declaration import kommunen
from orchestration.feeds.finding import german_number
from orchestration.geography.address_match import STEPS

FEWEST_TOLD = 100


def shares(matched: pa.Table) -> pd.DataFrame:
    """One row per Kommune that has addresses without coordinates, by AGS: kommune, addresses, a percentage per step.

    Percentages are null where there are fewer than 100 addresses.
    """
    table = matched.select(["ags", "step"]).to_pandas()
    counts = pd.crosstab(table["ags"], table["step"]).reindex(columns=list(STEPS), fill_value=0).sort_index()
    addresses = counts.sum(axis=1)
    percent = (100 * counts.div(addresses, axis=0)).round(1).where(addresses >= FEWEST_TOLD)
    names = dict(kommunen().values())
    return percent.assign(kommune=[names.get(ags, ags) for ags in counts.index], addresses=addresses)


def as_markdown(found: pd.DataFrame) -> str:
    """A table for the Dagster page."""
    head = ["Kommune", "Anschriften", *(f"{step} %" for step in STEPS)]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in found.to_dict("records"):
        told = row["addresses"] >= FEWEST_TOLD
        cells = [german_number(row[step]) if told else "–" for step in STEPS]
        count = german_number(row["addresses"]) if told else f"unter {FEWEST_TOLD}"
        lines.append("| " + " | ".join([row["kommune"], count, *cells]) + " |")
    return "\n".join(lines) if len(found) else "Alle Register haben Koordinaten."


def in_words(found: pd.DataFrame) -> str:
    """One line for the log: the Kommunen whose registers came without coordinates."""
    told = [
        f"{row['kommune']} {german_number(round(100 - row[STEPS[-1]], 1))} %"
        for row in found.to_dict("records")
        if row["addresses"] >= FEWEST_TOLD
    ]
    return "Anschriften im Adressverzeichnis suchen" + (f"; gefunden: {', '.join(told)}" if told else "")
