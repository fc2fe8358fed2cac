"""What a new version of a Kommune's Sozialräume changed: which ids persist, split, merge, move, appear or vanish.

Pure functions on polygons and counts; files and questions to the register are `crosswalk`'s. An overlap or a difference
narrower than `TOLERANCE_METRES` is a border drawn more exactly, not a border moved.
"""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

TOLERANCE_METRES = 1.0
SAME, MOVED, SPLIT, MERGED, REDRAWN, RENAMED, NEW, GONE = (
    "unveraendert", "verschoben", "geteilt", "zusammengelegt", "neu_zugeschnitten", "umbenannt", "neu", "entfallen",
)  # fmt: skip
KINDS = (SAME, MOVED, SPLIT, MERGED, REDRAWN, RENAMED, NEW, GONE)
PAIR = ["ags", "old_valid_from", "new_valid_from", "old_area_id", "new_area_id"]
SHARES = ["population_share", "population_share_back", "area_share", "area_share_back"]
CORRESPONDENCE = [*PAIR, "kind", "persons", *SHARES, "is_next", "is_newest"]


def correspondence(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame, persons: pd.DataFrame) -> pd.DataFrame:
    """What became of each area of one version in a later one of the same Kommune.

    old, new: columns sozialraum_id, geometry (metres). persons: columns old_area_id, new_area_id, persons; empty
    without a register. One row per pair with a common part, and per area without successor or predecessor (the other
    id is missing), ordered. Columns old_area_id, new_area_id, kind (`KINDS`), population_share and area_share (of
    the old area; their sum is 1), their _back (of the new area), persons; NaN where unknown.
    """
    pairs = _overlaps(old, new)
    pairs["kind"] = _kinds(pairs, set(old["sozialraum_id"]), set(new["sozialraum_id"]))
    pairs = pairs.merge(persons.astype({"old_area_id": str, "new_area_id": str}), how="left")
    counted = pairs["persons"].fillna(0.0) if len(persons) else pairs["persons"]
    for name, amount in (("area", pairs["sqm"]), ("population", counted)):
        for suffix, of in (("", "old_area_id"), ("_back", "new_area_id")):
            whole = amount.groupby(pairs[of]).transform("sum")
            pairs[f"{name}_share{suffix}"] = (amount / whole.where(whole > 0)).astype(float)
    alone = [(i, None, GONE) for i in old["sozialraum_id"] if i not in set(pairs["old_area_id"])]
    alone += [(None, i, NEW) for i in new["sozialraum_id"] if i not in set(pairs["new_area_id"])]
    columns = ["old_area_id", "new_area_id", "kind"]
    found = pairs[[*columns, *SHARES]].assign(persons=counted)
    rows = pd.concat([found, pd.DataFrame(alone, columns=columns)]) if alone else found
    return rows.sort_values(columns[:2], ignore_index=True, na_position="last")


def correspondences(versions: gpd.GeoDataFrame, persons: pd.DataFrame) -> pd.DataFrame:
    """`correspondence` between each version of a Kommune and its next one, and each and the newest.

    versions: as `areas.load_versions` gives them; persons: columns `PAIR` and persons. Columns `CORRESPONDENCE`.
    """
    parts = [pd.DataFrame(columns=CORRESPONDENCE)]
    for ags, areas in versions.groupby("ags", sort=True):
        for before, after, is_next, is_newest in version_pairs(areas["valid_from"]):
            key = (persons["ags"] == ags) & (persons["old_valid_from"] == before) & (persons["new_valid_from"] == after)
            pair = correspondence(
                areas[areas["valid_from"] == before],
                areas[areas["valid_from"] == after],
                persons.loc[key, ["old_area_id", "new_area_id", "persons"]],
            )
            known = {"ags": ags, "old_valid_from": before, "new_valid_from": after}
            parts.append(pair.assign(**known, is_next=is_next, is_newest=is_newest))
    rows = pd.concat([part for part in parts if len(part)] or parts[:1])
    ordered = rows[CORRESPONDENCE].sort_values(PAIR, ignore_index=True)
    return ordered.astype({"is_next": bool, "is_newest": bool})


def version_pairs(days: pd.Series) -> list[tuple[dt.date, dt.date, bool, bool]]:
    """(older, later, whether it is the next one, whether it is the newest), for next and newest only."""
    ordered = sorted(days.unique())
    return [
        (before, after, j == i + 1, j == len(ordered) - 1)
        for i, before in enumerate(ordered)
        for j, after in enumerate(ordered)
        if j == i + 1 or j == len(ordered) - 1 > i
    ]


def same_since(versions: gpd.GeoDataFrame) -> pd.DataFrame:
    """Since when each area of each version has had its id and its shape.

    One row per area and version: ags, sozialraum_id, valid_from, same_since (a valid_from), in the order given.
    """
    ordered = versions.sort_values(["sozialraum_id", "valid_from"])
    starts = {ags: sorted(days.unique()) for ags, days in versions.groupby("ags")["valid_from"]}
    since: list[dt.date] = []
    before: tuple[str, dt.date, shapely.Geometry] | None = None
    for ags, name, day, shape in zip(
        ordered["ags"], ordered["sozialraum_id"], ordered["valid_from"], ordered.geometry, strict=True
    ):
        is_next = before and before[0] == name and starts[ags].index(before[1]) + 1 == starts[ags].index(day)
        since.append(since[-1] if is_next and before and _same_shape(before[2], shape) else day)
        before = name, day, shape
    known = ordered[["ags", "sozialraum_id", "valid_from"]].assign(same_since=since)
    return pd.DataFrame(known).reindex(versions.index)


def _overlaps(old: gpd.GeoDataFrame, new: gpd.GeoDataFrame) -> pd.DataFrame:
    """Pairs with a common part that is wider than the tolerance: old_area_id, new_area_id, sqm, is_same."""
    before, after = old.geometry.to_numpy(), new.geometry.to_numpy()
    of_old, of_new = shapely.STRtree(after).query(before, predicate="intersects")
    common = shapely.intersection(before[of_old], after[of_new])
    wide = ~shapely.is_empty(shapely.buffer(common, -TOLERANCE_METRES / 2))
    of_old, of_new, common = of_old[wide], of_new[wide], common[wide]
    old_ids, new_ids = old["sozialraum_id"].to_numpy()[of_old], new["sozialraum_id"].to_numpy()[of_new]
    return pd.DataFrame(
        {
            "old_area_id": old_ids.astype(str),
            "new_area_id": new_ids.astype(str),
            "sqm": shapely.area(common),
            "is_same": (old_ids == new_ids) & _same_shape(before[of_old], after[of_new]),
        }
    )


def _same_shape(one: shapely.Geometry, other: shapely.Geometry) -> npt.NDArray[np.bool_]:
    difference = shapely.symmetric_difference(one, other)
    return np.asarray(shapely.is_empty(shapely.buffer(difference, -TOLERANCE_METRES / 2)))


def _kinds(pairs: pd.DataFrame, old_ids: set[str], new_ids: set[str]) -> list[str]:
    into = pairs.groupby("old_area_id")["new_area_id"].transform("size")
    out_of = pairs.groupby("new_area_id")["old_area_id"].transform("size")
    return [
        _kind(is_same, before in new_ids, after in old_ids, bool(n_into > 1), bool(n_out_of > 1))
        for before, after, is_same, n_into, n_out_of in zip(
            pairs["old_area_id"], pairs["new_area_id"], pairs["is_same"], into, out_of, strict=True
        )
    ]


def _kind(is_same: bool, old_stays: bool, new_was_there: bool, several_new: bool, several_old: bool) -> str:
    """Kind of one pair: do the ids live on, and does the old area go into, the new one come from, several?"""
    if is_same:
        return SAME
    if old_stays and new_was_there:
        return MOVED
    if several_new and several_old and not (old_stays or new_was_there):
        return REDRAWN
    if several_new:
        return SPLIT
    return MERGED if several_old else RENAMED
