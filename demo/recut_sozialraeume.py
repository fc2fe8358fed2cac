"""Development tool: the re-cut of 1 January 2019, from the committed Sozialräume of 2015.

Its result is committed (`data/sozialraeume_2019.gpkg`) and no run needs this module. Repeat it with

    python -m demo.recut_sozialraeume

The Kreis delivers the areas of all Kommunen again. Three have new ones: in one two Sozialräume are merged, in another
one is split, in the third a border is moved; the sets of the others are valid since 2015 as before. Cuts run from one
existing vertex to another, so that neighbours still share every vertex. A merged or split Sozialraum gets the next free
number of its Kommune; one whose border was moved keeps its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import combinations

import geopandas as gpd
import pandas as pd
import shapely

from demo.geography import MERGED, MOVED, SOZIALRAEUME, SOZIALRAEUME_2019, SPLIT

MOVED_SHARE = 0.15
"""Of the area that gives land to its neighbour."""
VALID_FROM = pd.Timestamp("2019-01-01")


def chords(polygon: shapely.Polygon) -> Iterator[tuple[shapely.Polygon, shapely.Polygon]]:
    """Every cut of a polygon without holes into two, along a line between two of its vertices."""
    ring = shapely.get_coordinates(polygon)[:-1]
    for i, j in combinations(range(len(ring)), 2):
        if not 1 < j - i < len(ring) - 1:
            continue
        line = shapely.linestrings([ring[i], ring[j]])
        if shapely.relate_pattern(line, polygon, "1FFF0F212"):
            yield shapely.polygons(ring[i : j + 1]), shapely.polygons([*ring[j:], *ring[: i + 1]])


def halves(polygon: shapely.Polygon) -> tuple[shapely.Polygon, shapely.Polygon]:
    """The most even cut, the northern part first."""
    first, second = min(chords(polygon), key=lambda parts: abs(parts[0].area - parts[1].area))
    return (first, second) if first.centroid.y > second.centroid.y else (second, first)


def land_for(giving: shapely.Polygon, taking: shapely.Polygon) -> tuple[shapely.Polygon, shapely.Polygon]:
    """Both polygons after about `MOVED_SHARE` of the first, along their whole common border, went to the second."""
    border = shapely.intersection(giving, taking)
    parts = [pair for first, second in chords(giving) for pair in ((first, second), (second, first))]
    beside = [
        (kept, gone) for kept, gone in parts if shapely.covers(gone, border) and not shapely.touches(kept, border)
    ]
    kept, gone = min(beside, key=lambda pair: abs(pair[1].area / giving.area - MOVED_SHARE))
    return kept, shapely.coverage_union_all([taking, gone])


def recut(areas: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """All Sozialräume as of 2019, ordered by id."""
    shape = dict(zip(areas["sozialraum_id"], areas.geometry, strict=True))
    changed = {target: shapely.coverage_union_all([shape[old] for old in parts]) for target, parts in MERGED.items()}
    for old, targets in SPLIT.items():
        changed |= dict(zip(targets, halves(shape[old]), strict=True))
    giving, taking = MOVED
    changed[giving], changed[taking] = land_for(shape[giving], shape[taking])
    gone = {old for parts in MERGED.values() for old in parts} | set(SPLIT)
    kept = areas[~areas["sozialraum_id"].isin(gone | set(changed))]
    names = {ags: name[:-3] for ags, name in zip(areas["ags"], areas["name"], strict=True)}
    new = gpd.GeoDataFrame(
        [
            {"sozialraum_id": name, "name": f"{names[name[:8]]} {name[-2:]}", "ags": name[:8], "geometry": polygon}
            for name, polygon in changed.items()
        ],
        crs=areas.crs,
    ).assign(is_synthetic=True, quelle=areas["quelle"].iloc[0])
    both = pd.concat([kept, new])
    both.loc[both["ags"].isin(set(new["ags"])), "valid_from"] = VALID_FROM
    return gpd.GeoDataFrame(both[areas.columns], crs=areas.crs).sort_values("sozialraum_id", ignore_index=True)


def main() -> None:
    areas = gpd.read_file(SOZIALRAEUME, engine="pyogrio")
    SOZIALRAEUME_2019.unlink(missing_ok=True)
    # As in cut_sozialraeume: equal input gives equal bytes.
    os.environ["OGR_CURRENT_DATE"] = "2024-01-01T00:00:00.000Z"
    recut(areas).to_file(
        SOZIALRAEUME_2019,
        layer="sozialraeume",
        engine="pyogrio",
        layer_options={
            "SPATIAL_INDEX": "NO",
            "DESCRIPTION": "Sozialräume synthetisch (ipSo-Demo), Neuzuschnitt 2019; © GeoBasis-DE / BKG",
        },
    )


if __name__ == "__main__":
    main()
