"""How far it is to the nearest service (Angebot), and how many residents have one within reach; straight line.

Pure functions on coordinates in metres. What they give back is safe to publish: counts of residents stay in here.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.spatial import cKDTree

METHOD = "luftlinie"
RADII_M = (500, 1_000, 2_000)
"""A walk of some six, twelve and 25 minutes, were there a straight path."""
DISTANCE_STEP_M = 10.0
ROUNDED_TO = 5
"""Residents within reach are rounded to multiples of this before the share is worked out (see `published_share`)."""
MINIMUM_RESIDENTS = 100
"""Below, no share is published: as with findings (docs/decisions/0011)."""
OK, SUPPRESSED, MISSING, NOT_APPLICABLE = "ok", "suppressed", "missing", "not_applicable"
SHARES = [f"share_{radius}m_percent" for radius in RADII_M]
MEASURED = ["distance_m", "nearest_service_id", *SHARES]
KIND = ["theme_id", "target_group"]
XY = ["east_m", "north_m"]
SCHEMA = pa.schema(
    [
        ("area_id", pa.string()),
        ("year", pa.int32()),
        ("theme_id", pa.string()),
        ("target_group", pa.string()),
        ("distance_m", pa.float64()),
        ("value_status", pa.string()),
        ("nearest_service_id", pa.string()),
        *((name, pa.float64()) for name in SHARES),
        ("share_status", pa.string()),
        ("method", pa.string()),
    ]
)


def access(
    centres: pd.DataFrame, places: pd.DataFrame, services: pd.DataFrame | None, kinds: pd.DataFrame
) -> pd.DataFrame:
    """Access in one year: one row per area and kind of service, ordered; columns of SCHEMA without `year`.

    centres: area_id, east_m, north_m of every Sozialraum of that year. places: area_id, east_m, north_m, residents;
    a Kommune without places has no register. services: service_id, theme_id, target_group, east_m, north_m (NaN: on
    offer, but nobody knows where) on offer at the end of the year; None where no list of that year is in force.
    kinds: theme_id, target_group of every kind that any list knows.

    Where nothing of a kind is on offer, status is not_applicable; where a list, a place or a register is missing,
    missing. Never 0.
    """
    kinds = kinds[KIND].drop_duplicates().sort_values(KIND, ignore_index=True)
    columns = [name for name in SCHEMA.names if name != "year"]
    row = pd.Index(centres["area_id"]).get_indexer(pd.Index(places["area_id"]))
    if (row < 0).any():
        raise ValueError("places lie in areas that have no centre")
    kommune = centres["area_id"].astype(object).str.partition("-")[0]
    is_registered = kommune.isin(set(kommune.to_numpy()[np.unique(row)])).to_numpy()
    parts = []
    for theme, group in kinds.itertuples(index=False):
        part = pd.DataFrame({"area_id": centres["area_id"].astype(object)}).assign(
            theme_id=theme, target_group=group, method=METHOD, **dict.fromkeys(MEASURED)
        )
        offered = None if services is None else services[(services[KIND] == [theme, group]).all(axis=1)]
        values = _access_to(centres, places, row, is_registered, offered)
        parts.append(part.assign(**values))
    rows = pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
    return rows.sort_values(["area_id", *KIND], ignore_index=True)


def _access_to(
    centres: pd.DataFrame,
    places: pd.DataFrame,
    row: np.ndarray,
    is_registered: np.ndarray,
    services: pd.DataFrame | None,
) -> dict[str, np.ndarray | str]:
    """Column → values per area, for the services of one kind; row: of each place, its area's position in `centres`."""
    if services is None:
        return {"value_status": MISSING, "share_status": MISSING}
    if services.empty:
        return {"value_status": NOT_APPLICABLE, "share_status": NOT_APPLICABLE}
    known = services.dropna(subset=["east_m", "north_m"]).sort_values("service_id", ignore_index=True)
    if known.empty:
        return {"value_status": MISSING, "share_status": MISSING}
    tree = cKDTree(known[XY].to_numpy(float))
    metres, nearest = tree.query(centres[XY].to_numpy(float))
    within = residents_within(places, tree, row, len(centres))
    total = within["residents"].to_numpy()
    shares = [published_share(within[radius].to_numpy(), total) for radius in RADII_M]
    return {
        "distance_m": np.round(metres / DISTANCE_STEP_M) * DISTANCE_STEP_M,
        "value_status": OK,
        "nearest_service_id": known["service_id"].to_numpy(object)[nearest],
        "share_status": np.where(~is_registered, MISSING, np.where(total < MINIMUM_RESIDENTS, SUPPRESSED, OK)),
        **dict(zip(SHARES, shares, strict=True)),
    }


def residents_within(places: pd.DataFrame, tree: cKDTree, row: np.ndarray, areas: int) -> pd.DataFrame:
    """Counts of persons per area (in the order of `row`): residents, and one column per radius (metres).

    Not to be published: see `published_share`.
    """
    residents = places["residents"].to_numpy(float)
    metres = tree.query(places[XY].to_numpy(float))[0] if len(places) else np.empty(0)
    counts: dict[str | int, np.ndarray] = {"residents": np.bincount(row, residents, minlength=areas)}
    for radius in RADII_M:
        counts[radius] = np.bincount(row, residents * (metres <= radius), minlength=areas)
    return pd.DataFrame(counts).round().astype("int64")


def published_share(within: np.ndarray, residents: np.ndarray) -> np.ndarray:
    """Share of residents within reach in whole percent, NaN for fewer than 100; shapes (areas,).

    within is rounded to the nearest multiple of five first. Beside the published population a plain share would tell
    single persons: 1 % of 100 is one, 41 % less 40 % too. So, each share leaves at least five neighbouring counts open
    (but for those that lie outside 0 … residents), and no count, no ring between two radii and no rest of an area can
    be told to be one or two persons: nobody, or three and more, remain possible. So 0 % may be two persons, and 100 %
    all but two.
    """
    enough = residents >= MINIMUM_RESIDENTS
    fives = np.minimum(ROUNDED_TO * np.floor((within + ROUNDED_TO // 2) / ROUNDED_TO), residents)
    return np.where(enough, np.floor(100.0 * fives / np.maximum(residents, 1) + 0.5), np.nan)
