"""Versions of Sozialräume that a Kommune has redrawn, and whether the steward has confirmed what the comparison found.

Reads `raw/verortung/entsprechung.parquet` and the decisions. What changed is found by `geography/versions.py`.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from orchestration.feeds.declaration import load_feeds
from orchestration.gates.decisions import CONFIRMATION, Decision, german_date, load_decisions
from orchestration.home import Home

FEED = "sozialraeume"
KIND_TITLES = {
    "unveraendert": "unverändert",
    "verschoben": "Grenze verschoben",
    "geteilt": "geteilt",
    "zusammengelegt": "zusammengelegt",
    "neu_zugeschnitten": "neu zugeschnitten",
    "umbenannt": "umbenannt",
    "neu": "neu",
    "entfallen": "entfallen",
}


def changes(home: Home) -> pd.DataFrame:
    """What changed from each version to the next, as in `versions.CORRESPONDENCE`, without what stayed the same."""
    path = home.raw / "verortung" / "entsprechung.parquet"
    if not path.exists():
        return pd.DataFrame(columns=["ags", "new_valid_from", "kind"])
    table = pq.read_table(path).to_pandas()
    return table[table["is_next"] & (table["kind"] != "unveraendert")].reset_index(drop=True)


def redrawn_versions(home: Home) -> pd.DataFrame:
    """One row per Kommune and version in which something changed, ordered.

    Columns area_id (AGS), area_name, valid_from (date), valid_from_text, year, feed, summary (German), delivery_id,
    confirmed (id of the decision, or None).
    """
    names = kommune_names()
    rows = []
    key: Any
    for key, part in changes(home).groupby(["ags", "new_valid_from"], sort=True):
        ags, day = key
        delivery = delivery_of(home, ags, day)
        decision = confirmation(home, ags, day, delivery)
        titles = sorted({KIND_TITLES[kind] for kind in part["kind"]})
        rows.append(
            {
                "area_id": ags,
                "area_name": names.get(ags, ags),
                "valid_from": day,
                "valid_from_text": german_date(day),
                "year": day.year,
                "feed": FEED,
                "summary": ", ".join(titles),
                "delivery_id": delivery,
                "confirmed": decision.decision_id if decision else None,
            }
        )
    columns = "area_id area_name valid_from valid_from_text year feed summary delivery_id confirmed"
    return pd.DataFrame(rows, columns=columns.split())


def confirmation(home: Home, ags: str, day: dt.date, delivery_id: str | None) -> Decision | None:
    """The steward's confirmation of that version as this delivery has it; another delivery is confirmed again."""
    made = (d for d in load_decisions(home).all if d.kind == CONFIRMATION)
    return next((d for d in made if (d.ags, d.valid_from, d.delivery_id) == (ags, day.isoformat(), delivery_id)), None)


def delivery_of(home: Home, ags: str, day: dt.date) -> str | None:
    """Id of the delivery in force that the version is taken from (as in `geography/areas.py`)."""
    from orchestration.gates.directory import accepted_raw

    paths = accepted_raw(home, FEED)
    for key in sorted(paths, key=lambda key: (key[1], key[0]), reverse=True):
        if _holds(paths[key], ags, day):
            return paths[key].stem
    return None


def kommune_names() -> dict[str, str]:
    """AGS → name of the Kommune."""
    from orchestration.home import REPOSITORY

    table = pd.read_csv(REPOSITORY / "seeds" / "kommunen.csv", dtype=str)
    return dict(zip(table["area_id"], table["name"], strict=True))


def find_kommune(text: str) -> str | None:
    """AGS from an AGS, a name or the folder of a deliverer."""
    table = {name.lower(): ags for ags, name in kommune_names().items()}
    table |= {ags: ags for ags in kommune_names()}
    table |= {slug: ags for ags, slug in _slugs().items()}
    return table.get(text.strip().lower())


def _slugs() -> dict[str, str]:
    names = kommune_names()
    by_name = {deliverer.name: slug for slug, deliverer in load_feeds()["einwohner"].deliverers.items()}
    return {ags: by_name[name] for ags, name in names.items() if name in by_name}


def _holds(path: Path, ags: str, day: dt.date) -> bool:
    table = pq.read_table(path, columns=["ags", "valid_from"])
    return (ags, day) in set(zip(table["ags"].to_pylist(), table["valid_from"].to_pylist(), strict=True))
