"""Delivered areas beside the borders of their Kommunen (feed `gemeindegrenzen`) and beside official areas.

Adds columns in m² and words to the frame that the suite judges, and places to the map. Which borders count is decided
by judgement.py; how far apart is too far stands in geography/tolerances.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from orchestration.feeds.declaration import official_areas
from orchestration.geography import places
from orchestration.geography.coverage import is_little, polygons
from orchestration.geography.places import Place
from orchestration.geography.tolerances import BORDER_LINE_M, BORDER_M, SNAP_M

SUITE = "flaechen_gemeindegrenze"


def beside_official(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with `amtlich_abweichung_prozent`: all areas of the Kommune together beside its official area."""
    delivered = frame.groupby("ags")["area_sqm"].transform("sum") / 1e6
    official = frame["ags"].map(official_areas())
    return frame.assign(amtlich_abweichung_prozent=(100 * (delivered / official - 1)).round(1))


def beside_borders(
    frame: pd.DataFrame, raw: pa.Table, found: Sequence[Place], borders: Sequence[Path], key: str
) -> tuple[pd.DataFrame, list[Place]]:
    """The frame with what lies outside of the Kommune or is left out of it, and all places, numbered on.

    `raw`: the same areas in the same order. `borders`: raw Parquet of the feed of borders; the last of a Kommune
    counts. Without a border of its Kommune an area has `ohne_grenze`, and nothing is measured.
    """
    shapes = shapely.from_wkb(np.array(raw["geometry_wkb"].to_pylist(), dtype=object))
    known = _borders(borders)
    kommune = frame["ags"].to_numpy()
    usable = frame["flaeche_gueltig"].to_numpy(bool)
    has_border = np.array([ags in known for ags in kommune])
    more: list[Place] = []
    off = np.zeros(len(frame))
    for ags in sorted({str(ags) for ags in kommune[has_border]}):
        mine = np.flatnonzero(kommune == ags)
        outside = _outside(shapes, mine[usable[mine]], known[ags], off)
        more += outside + _uncovered(shapes, mine, usable, known[ags], found, off)
    more = places.numbered(more, start=len(found) + 1)
    names = [str(name) for name in frame[key]]
    columns = {**places.columns_of(places.OUTSIDE, more, names), **places.columns_of(places.UNCOVERED, more, names)}
    beside = frame.assign(
        ohne_grenze=frame["ags"].where(~has_border),
        grenzabweichung_qm=off.round(0),
        **columns,
    )
    return beside, [*found, *more]


def _borders(paths: Sequence[Path]) -> dict[str, shapely.Geometry]:
    """AGS → border."""
    known: dict[str, shapely.Geometry] = {}
    for path in paths:
        table = pq.read_table(path, columns=["ags", "geometry_wkb"])
        shapes = shapely.from_wkb(np.array(table["geometry_wkb"].to_pylist(), dtype=object))
        known.update(zip(table["ags"].to_pylist(), shapes, strict=True))
    return known


def _outside(shapes: np.ndarray, mine: np.ndarray, border: shapely.Geometry, off: np.ndarray) -> list[Place]:
    """Parts of areas too far beyond the border; adds to `off` what lies beyond its line at all."""
    beyond = shapely.difference(shapes[mine], shapely.buffer(border, BORDER_LINE_M))
    off[mine] += shapely.area(beyond)
    parts, of = polygons(shapely.difference(beyond, shapely.buffer(border, BORDER_M)))
    too_far = ~is_little(parts)
    return [Place(places.OUTSIDE, int(mine[a]), part) for part, a in zip(parts[too_far], of[too_far], strict=True)]


def _uncovered(
    shapes: np.ndarray,
    mine: np.ndarray,
    usable: np.ndarray,
    border: shapely.Geometry,
    found: Sequence[Place],
    off: np.ndarray,
) -> list[Place]:
    """Parts of the Kommune in no area, each with the area that lies next to it; what is a gap already is left out."""
    gaps = [place.geometry for place in found if place.kind == places.GAP]
    covered = shapely.union_all([*shapes, *gaps])
    lacking = shapely.difference(border, covered)
    tree = shapely.STRtree(shapes[mine])
    line, _ = polygons(np.array([shapely.intersection(lacking, shapely.buffer(border, -BORDER_LINE_M))]))
    np.add.at(off, mine[tree.nearest(line)], shapely.area(line))
    parts, _ = polygons(np.array([shapely.intersection(lacking, shapely.buffer(border, -BORDER_M))]))
    parts = parts[~is_little(parts)]
    # What an area lacks that is broken itself is not known.
    broken = shapes[mine[~usable[mine]]]
    if len(broken):
        parts = parts[~np.array([shapely.dwithin(part, broken, SNAP_M).any() for part in parts], dtype=bool)]
    nearest = mine[tree.nearest(parts)]
    return [Place(places.UNCOVERED, int(area), part) for part, area in zip(parts, nearest, strict=True)]
