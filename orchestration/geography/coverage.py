"""Areas among themselves: are they valid, without overlaps, gaps and splinters? What is wrong by little is mended.

Pure functions on polygons in EPSG:25832 (metres). How much is little stands in tolerances.py; which finding follows is
the suites' business (expectations/flaechen.json); whether areas fill their Kommune is gates/borders.py's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import shapely

from orchestration.feeds.cells import PLACES
from orchestration.geography import places
from orchestration.geography.places import Place
from orchestration.geography.tolerances import (
    NARROW_M,
    NARROW_SQM,
    NEGLIGIBLE_SQM,
    REPORT_SQM,
    SMALL_SQM,
    SMALLEST_AREA_SQM,
    SNAP_M,
)

NOTHING = shapely.Polygon()


@dataclass(frozen=True)
class Examined:
    """`shapes`: the areas, mended where that was possible. `moved_sqm`: per area what mending gave it or took from it
    (0 where an overlap or fault of it is not mended). `broken`: areas that are no polygon or cross themselves by more
    than is mended. `places`: what was not mended."""

    shapes: np.ndarray
    moved_sqm: np.ndarray
    broken: np.ndarray
    places: list[Place]


def examine(delivered: np.ndarray, names: Sequence[str]) -> Examined:
    """Judge and mend the areas of one delivery (array of geometries, None allowed)."""
    shapes, broken, faults = _made_valid(delivered)
    whole = shapes.copy()
    shapes, pieces = _without_crumbs(shapes, broken)
    overlaps = _overlaps(shapes)
    shapes = _glued(shapes)
    gaps = _gaps(shapes)
    shapes, left = _filled(shapes, gaps)
    # What an area lacks that crosses itself is no gap of its own.
    left = [place for place in left if not _touches(place.geometry, whole[broken])]
    found = places.numbered([*faults, *pieces, *overlaps, *left])
    changed = ~shapely.equals_identical(whole, shapes)
    moved = np.zeros(len(shapes))
    moved[changed] = shapely.area(shapely.symmetric_difference(whole[changed], shapes[changed]))
    moved += np.abs(_area(delivered) - shapely.area(whole))
    # Of what is rejected nothing was mended.
    wrong = [area for p in [*faults, *overlaps] for area in (p.area, p.other) if area is not None]
    moved[wrong] = 0
    moved[broken] = 0
    return Examined(shapes, moved, broken, found)


def examined_columns(table: pa.Table, key: str) -> pa.Table:
    """A table of areas (`key`, `geometry_wkb`) with mended geometry and what the suites judge, in m² and words."""
    names = [name or "ohne Schlüssel" for name in table[key].to_pylist()]
    delivered = shapely.from_wkb(np.array(table["geometry_wkb"].to_pylist(), dtype=object))
    result = examine(delivered, names)
    kinds = (places.INVALID, places.OVERLAP, places.GAP, places.SPLINTER, places.ISLAND)
    columns = {k: v for kind in kinds for k, v in places.columns_of(kind, result.places, names).items()}
    shapes = shapely.to_wkb(result.shapes, byte_order=1)
    added = {
        "geometry_wkb": pa.array(shapes, pa.binary()),
        "area_sqm": pa.array(shapely.area(result.shapes), pa.float64()),
        "flaeche_gueltig": pa.array(~result.broken, pa.bool_()),
        "verschoben_qm": pa.array(result.moved_sqm.round(1), pa.float64()),
        **{k: pa.array(v, pa.float64() if k.endswith("_qm") else pa.string()) for k, v in columns.items()},
        PLACES: places.as_column(result.places, len(names)),
    }
    kept = table.drop_columns([name for name in added if name in table.column_names])
    for name, values in added.items():
        kept = kept.append_column(name, values)
    return kept


def is_little(shapes: np.ndarray) -> np.ndarray:
    """Places that are mended: smaller than a house, or so narrow that no house is in them."""
    area = shapely.area(shapes)
    narrow = shapely.is_empty(shapely.buffer(shapes, -NARROW_M / 2))
    return (area <= SMALL_SQM) | (narrow & (area <= NARROW_SQM))


def polygons(geometries: np.ndarray, smallest_sqm: float = NEGLIGIBLE_SQM) -> tuple[np.ndarray, np.ndarray]:
    """Every polygon of at least that size in these geometries, and the position of the geometry it belongs to."""
    parts, of = shapely.get_parts(geometries, return_index=True)
    # Collections hold multi-polygons.
    parts, inner = shapely.get_parts(parts, return_index=True)
    keep = (shapely.get_type_id(parts) == 3) & (shapely.area(parts) >= smallest_sqm)
    return parts[keep], of[inner][keep]


# --- one area ------------------------------------------------------------------------------------------------------


def _area(shapes: np.ndarray) -> np.ndarray:
    return np.nan_to_num(shapely.area(shapes))


def _made_valid(delivered: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[Place]]:
    """Valid polygonal areas, which of them were broken beyond mending, and where. What is no area becomes empty."""
    is_area = np.isin(shapely.get_type_id(delivered), [3, 6])
    valid = shapely.is_valid(delivered) & is_area
    shapes = delivered.copy()
    shapes[~is_area] = NOTHING
    crossed = np.flatnonzero(is_area & ~valid)
    shapes[crossed] = shapely.make_valid(shapes[crossed], method="structure", keep_collapsed=False)
    empty = shapely.is_empty(shapes)
    broken = ~is_area | empty | (~valid & (np.abs(_area(delivered) - shapely.area(shapes)) > SMALL_SQM))
    faults = [Place(places.INVALID, int(i), spot) for i in np.flatnonzero(broken) if (spot := _fault(delivered[i]))]
    return shapes, broken, faults


def _fault(shape: shapely.Geometry | None) -> shapely.Geometry | None:
    """The point where a geometry is invalid."""
    reason = str(shapely.is_valid_reason(shape)) if shape is not None else ""
    match = re.search(r"\[(\S+) (\S+)\]", reason)
    if match:
        return shapely.Point(float(match[1]), float(match[2]))
    return None if shape is None or shape.is_empty else shapely.Point(shape.representative_point())


def _without_crumbs(shapes: np.ndarray, broken: np.ndarray) -> tuple[np.ndarray, list[Place]]:
    """Areas without the little pieces that lie apart from their largest one; the larger ones are places."""
    several = np.flatnonzero((shapely.get_num_geometries(shapes) > 1) & ~broken)
    found: list[Place] = []
    shapes = shapes.copy()
    for area in several:
        parts = shapely.get_parts(shapes[area])
        size = shapely.area(parts)
        apart = np.arange(len(parts)) != int(np.argmax(size))
        little = is_little(parts) & apart
        for part, sqm in zip(parts[apart & ~little], size[apart & ~little], strict=True):
            kind = places.SPLINTER if sqm < SMALLEST_AREA_SQM else places.ISLAND
            found.append(Place(kind, int(area), part))
        if little.any():
            kept = parts[~little]
            shapes[area] = kept[0] if len(kept) == 1 else shapely.multipolygons(kept)
    return shapes, found


# --- areas among themselves ----------------------------------------------------------------------------------------


def _overlaps(shapes: np.ndarray) -> list[Place]:
    """What two areas have in common and is too much to mend."""
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = left < right
    left, right = left[pairs], right[pairs]
    parts, of = polygons(shapely.intersection(shapes[left], shapes[right]))
    too_much = ~is_little(parts)
    return [
        Place(places.OVERLAP, int(left[pair]), part, int(right[pair]))
        for part, pair in zip(parts[too_much], of[too_much], strict=True)
    ]


def _glued(shapes: np.ndarray) -> np.ndarray:
    """Neighbours share every corner, and nothing lies in two areas: it goes where it has the longest border."""
    filled = np.flatnonzero(~shapely.is_empty(shapes))
    if not len(filled) or shapely.coverage_is_valid(shapes[filled]):
        return shapes
    shapes = shapes.copy()
    shapes[filled] = shapely.coverage_clean(shapes[filled], snapping_distance=SNAP_M)
    return shapes


def _gaps(shapes: np.ndarray) -> np.ndarray:
    """What lies in no area: holes in the whole, and slits between neighbours that run out to its edge."""
    whole = shapely.union_all(shapes)
    holes = shapely.difference(shapely.union_all(shapely.polygons(_exteriors(whole))), whole)
    # Widened and narrowed again, what is narrower than that has closed.
    closed = shapely.buffer(shapely.buffer(whole, NARROW_M / 2), -NARROW_M / 2)
    slits, _ = polygons(np.array([shapely.difference(shapely.difference(closed, whole), holes)]), REPORT_SQM)
    tree = shapely.STRtree(shapes)
    at, _ = tree.query(shapely.buffer(slits, SNAP_M), predicate="intersects")
    between = np.bincount(at, minlength=len(slits)) > 1
    return np.concatenate([polygons(np.array([holes]))[0], slits[between]])


def _exteriors(whole: shapely.Geometry) -> np.ndarray:
    return shapely.get_exterior_ring(polygons(np.array([whole]))[0])


def _filled(shapes: np.ndarray, gaps: np.ndarray) -> tuple[np.ndarray, list[Place]]:
    """Little gaps go to the neighbour with the longest common border; the others are places of that neighbour."""
    if not len(gaps):
        return shapes, []
    owner = _longest_neighbour(shapes, gaps)
    little = is_little(gaps)
    shapes = shapes.copy()
    for area in np.unique(owner[little]):
        shapes[area] = shapely.union_all([shapes[area], *gaps[little & (owner == area)]])
    left = [Place(places.GAP, int(a), gap) for gap, a in zip(gaps[~little], owner[~little], strict=True)]
    return (_glued(shapes) if little.any() else shapes), left


def _longest_neighbour(shapes: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Per gap the position of the area that borders on most of it; the first of equals."""
    rims = shapely.buffer(gaps, SNAP_M)
    gap, area = shapely.STRtree(shapes).query(rims, predicate="intersects")
    shared = shapely.length(shapely.intersection(shapely.boundary(shapes[area]), rims[gap])).round(3)
    order = np.lexsort((area, -shared, gap))
    first = np.unique(gap[order], return_index=True)[1]
    return area[order][first]


def _touches(place: shapely.Geometry, shapes: np.ndarray) -> bool:
    return bool(len(shapes)) and bool(shapely.dwithin(place, shapes, SNAP_M).any())
