"""Places where areas are broken: what is wrong there, how large, where. Numbered, so that text and map speak alike.

Records and words only. What makes a place broken is decided in coverage.py and gates/borders.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from orchestration.feeds.finding import german_number

INVALID, OVERLAP, GAP, SPLINTER, ISLAND = "ungueltig", "ueberlappung", "luecke", "splitter", "insel"
OUTSIDE, UNCOVERED = "ausserhalb", "randluecke"
MOST_TOLD = 3
"""Places of one kind told per area; all are on the map."""
PLACE_TYPE = pa.list_(
    pa.struct([("nummer", pa.int32()), ("art", pa.string()), ("andere", pa.int32()), ("wkb", pa.binary())])
)


@dataclass(frozen=True)
class Place:
    """`area` and `other` are positions of areas, `geometry` is in EPSG:25832; `number` is 0 before `numbered`."""

    kind: str
    area: int
    geometry: shapely.Geometry
    other: int | None = None
    number: int = 0

    @property
    def sqm(self) -> float:
        return float(shapely.area(self.geometry))

    @property
    def spot(self) -> tuple[int, int]:
        """Ostwert and Nordwert of a point in it, in whole metres."""
        point = shapely.point_on_surface(self.geometry)
        return round(point.x), round(point.y)

    def told(self, beside: str | None) -> str:
        """`Stelle 3: 900 m² gemeinsam mit 05378004-02 bei Ost 366501, Nord 5650502`."""
        east, north = self.spot
        size = f" {german_number(max(1, round(self.sqm)))} m²" if self.sqm else ""
        shared = f" gemeinsam mit {beside}" if beside else ""
        return f"Stelle {self.number}:{size}{shared} bei Ost {east}, Nord {north}"


def numbered(places: Iterable[Place], start: int = 1) -> list[Place]:
    """The places in a fixed order, by kind and from west to east, numbered."""
    ordered = sorted(places, key=lambda p: (p.area, p.kind, p.spot))
    return [replace(place, number=number) for number, place in enumerate(ordered, start)]


def columns_of(kind: str, places: Sequence[Place], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Per area `<kind>_qm`, the largest of its places in m² (0 where it has none), and `<kind>_stelle`, their text."""
    sqm = np.zeros(len(names))
    texts: list[list[str]] = [[] for _ in names]
    for place in places:
        if place.kind != kind:
            continue
        both = [(place.area, place.other)] + ([(place.other, place.area)] if place.other is not None else [])
        for area, other in both:
            assert area is not None
            sqm[area] = max(sqm[area], place.sqm)
            texts[area].append(place.told(None if other is None else names[other]))
    told = [", ".join([*some[:MOST_TOLD], *(["…"] if len(some) > MOST_TOLD else [])]) or None for some in texts]
    return {f"{kind}_qm": sqm, f"{kind}_stelle": np.array(told, dtype=object)}


def as_column(places: Sequence[Place], n_areas: int) -> pa.Array:
    """One list per area, to travel with the areas' table."""
    lists: list[list[dict[str, Any]]] = [[] for _ in range(n_areas)]
    for place in places:
        wkb = shapely.to_wkb(place.geometry)
        lists[place.area].append({"nummer": place.number, "art": place.kind, "andere": place.other, "wkb": wkb})
    return pa.array(lists, PLACE_TYPE)


def from_column(column: pa.ChunkedArray) -> list[Place]:
    """What `as_column` was given, by number."""
    places = [
        Place(entry["art"], area, shapely.from_wkb(entry["wkb"]), entry["andere"], entry["nummer"])
        for area, entries in enumerate(column.to_pylist())
        for entry in entries
    ]
    return sorted(places, key=lambda place: place.number)
