"""Where the demo county's people live: the committed Sozialräume, and synthetic streets and addresses inside them.

Streets and house numbers are invented; a name that also exists in the real county is a coincidence. How the
polygons were cut is in `demo/cut_sozialraeume.py`; who lives at an address is in `demo/population.py`.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from demo.reference import DATA, kommunen, sozialraum_profiles

SOZIALRAEUME = DATA / "sozialraeume.gpkg"
SOZIALRAEUME_2019 = DATA / "sozialraeume_2019.gpkg"
RECUT = 2019
"""On 1 January of this year three Kommunen have new Sozialräume (`demo/recut_sozialraeume.py`)."""
MERGED = {"05378004-26": ("05378004-24", "05378004-25")}
SPLIT = {"05378032-04": ("05378032-14", "05378032-15")}
MOVED = ("05378028-08", "05378028-09")
"""The first gives land to the second; both keep their ids."""
PERSONS_PER_ADDRESS = 4.2
SEED_ADDRESSES = 25832
OFFICE_KOMMUNE = "05378004"
OFFICE_STREET = "Rathausplatz"
LARGEST_BUILDING = 34.0
# Registers hold 0.2 to 0.6 % of persons without usable coordinates; whole addresses, so that households stay together.
NOT_LOCATABLE_SHARE = 0.0038

_FIRST = (  # noqa: SIM905
    "Ahorn Akazien Amsel Anger Apfel Auen Bach Berg Birken Blumen Brunnen Buchen Burg Dahlien Damm Distel Dohlen "
    "Drossel Eichen Elster Enzian Erlen Eschen Falken Farn Feld Fichten Finken Flieder Föhren Forst Garten Ginster "
    "Hang Hasel Heide Hirten Hof Holunder Hügel Iltis Jasmin Kamp Kapellen Kastanien Kiefern Kirsch Klee Kloster "
    "Kornblumen Kranich Kreuz Lärchen Lavendel Lerchen Linden Löwenzahn Margeriten Markt Meisen Milan Mohn Moos "
    "Mühlen Narzissen Nelken Nussbaum Obst Pappel Pfarr Primel Quellen Reh Robinien Rosen Rotdorn Salbei Sand "
    "Schlehen Schmiede Schul Schwalben See Siedlungs Sonnen Specht Star Stein Tal Tannen Teich Tulpen Ufer Ulmen "
    "Veilchen Wacholder Wald Weiden Weiher Weinberg Weißdorn Wiesen Winkel Zaunkönig Zedern Ziegel Zeisig"
).split()
_LAST = "straße weg gasse allee ring pfad platz hof steig grund busch blick garten höhe".split()  # noqa: SIM905


@dataclass(frozen=True)
class Addresses:
    """The addresses of one Kommune; arrays of equal length, ordered by Sozialraum.

    `area` is the index into `sozialraum_ids`, the areas of 2015 by which the county was settled (`areas_in` tells those
    of another year); `east`/`north` are EPSG:25832 metres (nan: no coordinates); `located` says whether the coordinates
    lie in the area's polygon; `weight` the residents to expect; `first` (length areas + 1) gives where each area's
    addresses begin. The office address comes last of its area.
    """

    sozialraum_ids: list[str]
    area: np.ndarray
    street: np.ndarray
    house_number: np.ndarray
    east: np.ndarray
    north: np.ndarray
    located: np.ndarray
    weight: np.ndarray
    first: np.ndarray
    office: int | None

    @cached_property
    def _since_recut(self) -> tuple[list[str], np.ndarray]:
        areas = recut_sozialraeume().query("ags == @ags", local_dict={"ags": self.sozialraum_ids[0][:8]})
        ids = list(areas.sozialraum_id)
        area = np.full(len(self.area), -1)
        # Backwards, so that of two areas with a common border the lower id has it.
        for index in range(len(ids) - 1, -1, -1):
            area[shapely.intersects_xy(areas.geometry.iloc[index], self.east, self.north)] = index
        successor = np.array(
            [next(i for i, new in enumerate(ids) if old in origins(new)) for old in self.sozialraum_ids]
        )
        return ids, np.where(area < 0, successor[self.area], area)

    def areas_in(self, year: int) -> tuple[list[str], np.ndarray]:
        """The Sozialräume that are valid at the end of a year, and for every address the position of its own."""
        return self._since_recut if year >= RECUT else (self.sozialraum_ids, self.area)


@lru_cache(maxsize=1)
def sozialraeume() -> gpd.GeoDataFrame:
    """The 87 Sozialräume of 2015 as committed (EPSG:25832), ordered by sozialraum_id. Do not change the frame."""
    frame: gpd.GeoDataFrame = gpd.read_file(SOZIALRAEUME, engine="pyogrio")
    return frame.sort_values("sozialraum_id", ignore_index=True)


@lru_cache(maxsize=1)
def recut_sozialraeume() -> gpd.GeoDataFrame:
    """The 87 Sozialräume since 2019, like `sozialraeume`."""
    frame: gpd.GeoDataFrame = gpd.read_file(SOZIALRAEUME_2019, engine="pyogrio")
    return frame.sort_values("sozialraum_id", ignore_index=True)


def origins(sozialraum_id: str) -> tuple[str, ...]:
    """The Sozialräume of 2015 that a Sozialraum was made of: what is invented about them also holds for it."""
    for old, new in SPLIT.items():
        if sozialraum_id in new:
            return (old,)
    return MERGED.get(sozialraum_id, (sozialraum_id,))


def street_names() -> np.ndarray:
    """All synthetic street names in one fixed shuffled order (about 1,500)."""
    names = np.array([first + last for last in _LAST for first in _FIRST])
    return np.random.Generator(np.random.PCG64(SEED_ADDRESSES)).permutation(names)


def addresses(ags: str, scale: float = 1.0) -> Addresses:
    """The synthetic addresses of one Kommune; the same at every call."""
    rng = np.random.Generator(np.random.PCG64([SEED_ADDRESSES, int(ags)]))
    mine = sozialraeume().query("ags == @ags").join(sozialraum_profiles(), on="sozialraum_id")
    names = rng.permutation(street_names())
    parts, used = [], 0
    for index, (polygon, einwohner, deprivation) in enumerate(
        zip(mine.geometry, mine.einwohner, mine.deprivation, strict=True)
    ):
        wanted = max(12, round(einwohner * scale / PERSONS_PER_ADDRESS))
        part, n_streets = _streets(polygon, wanted, np.roll(names, -used), rng)
        # Deprived areas have more large buildings; none so large that it looks like an office address.
        large = rng.random(wanted) < 0.04 + 0.22 * deprivation
        weight = np.where(large, rng.gamma(3.0, 3.5, wanted), rng.gamma(4.0, 0.35, wanted)) + 0.1
        residents = np.minimum(weight / weight.sum() * einwohner * scale, LARGEST_BUILDING)
        parts.append((np.full(wanted, index), *part, residents))
        used += n_streets
    area, street, number, east, north, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    first = np.searchsorted(area, np.arange(len(mine) + 1))
    located = np.ones(len(area), bool)
    office = None
    if ags == OFFICE_KOMMUNE:
        # The last address of the central Sozialraum stands for the town hall; nobody is settled there by chance.
        office = int(first[1] - 1)
        street[office], number[office], weight[office] = OFFICE_STREET, "1", 0.0
    _lose_coordinates(rng, east, north, located, weight, office)
    return Addresses(list(mine.sozialraum_id), area, street, number, east, north, located, weight, first, office)


def _streets(
    polygon: shapely.Geometry, wanted: int, names: np.ndarray, rng: np.random.Generator
) -> tuple[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], int]:
    """`wanted` addresses along straight streets inside `polygon`: (street, number, east, north), streets used."""
    inner = polygon.buffer(-4)
    shapely.prepare(inner)
    west, south, right, top = polygon.bounds
    settled = shapely.centroid(polygon)
    reach = np.sqrt(polygon.area) * 0.42
    street, number, east, north, n_streets, found = [], [], [], [], 0, 0
    while found < wanted:
        middle = rng.normal([settled.x, settled.y], reach, size=2)
        if not (west < middle[0] < right and south < middle[1] < top):
            continue
        plots = int(rng.integers(12, 70))
        angle = rng.uniform(0, np.pi)
        along = (np.arange(plots) // 2 - plots / 4) * rng.uniform(18, 30) + rng.normal(scale=2, size=plots)
        across = np.where(np.arange(plots) % 2 == 0, 13.0, -13.0) + rng.normal(scale=2, size=plots)
        x = (middle[0] + along * np.cos(angle) - across * np.sin(angle)).round(2)
        y = (middle[1] + along * np.sin(angle) + across * np.cos(angle)).round(2)
        keep = np.flatnonzero(shapely.contains_xy(inner, x, y))[: wanted - found]
        if not len(keep):
            continue
        letters = np.where(rng.random(len(keep)) < 0.05, "a", "")
        street.append(np.full(len(keep), names[n_streets % len(names)], dtype=object))
        number.append(np.char.add((keep + 1).astype(str), letters).astype(object))
        east.append(x[keep])
        north.append(y[keep])
        n_streets += 1
        found += len(keep)
    return tuple(np.concatenate(c) for c in (street, number, east, north)), n_streets  # type: ignore[return-value]


def _lose_coordinates(
    rng: np.random.Generator,
    east: np.ndarray,
    north: np.ndarray,
    located: np.ndarray,
    weight: np.ndarray,
    office: int | None,
) -> None:
    """Take usable coordinates from ordinary addresses until the wanted share of residents is reached."""
    order = rng.permutation(np.flatnonzero((weight > 0.5) & (weight < 8)))
    order = order[order != office] if office is not None else order
    n = max(4, int(np.searchsorted(np.cumsum(weight[order]), NOT_LOCATABLE_SHARE * weight.sum())))
    lost = order[:n]
    located[lost] = False
    east[lost[::2]] = north[lost[::2]] = np.nan
    # The other half was written in the neighbouring zone 33: plausible numbers, 400 km away.
    east[lost[1::2]] -= 412_000.0


def gpkg_paths() -> dict[int, Path]:
    """Year → committed GeoPackage, delivered as it is."""
    return {2015: SOZIALRAEUME, RECUT: SOZIALRAEUME_2019}


def write_borders(path: Path) -> None:
    """The borders of the Kommunen, laid out like the BKG's VG250: the union of their Sozialräume."""
    import pyogrio

    names = pd.DataFrame([(kommune.area_id, kommune.name) for kommune in kommunen()], columns=["AGS", "GEN"])
    borders = sozialraeume()[["ags", "geometry"]].dissolve("ags").reset_index().rename(columns={"ags": "AGS"})
    frame = borders.merge(names, on="AGS", validate="1:1")[["AGS", "GEN", "geometry"]]
    # GDAL writes this instant as the time of the last change: equal input gives equal bytes.
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": "2024-01-01T00:00:00.000Z"})
    with warnings.catch_warnings():
        # The file gets its real name once it is whole.
        warnings.filterwarnings("ignore", "The filename extension should be")
        pyogrio.write_dataframe(frame, path, layer="gemeinden", driver="GPKG", layer_options={"SPATIAL_INDEX": "NO"})
