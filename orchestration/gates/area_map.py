"""A small map (PNG) of the places where delivered areas are broken: the whole, and each of the first places from near.

The numbers are those of the findings. Drawing only; what is broken was found by coverage.py and borders.py.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from PIL import ImageDraw
    from shapely import Geometry

    from orchestration.geography.places import Place

WIDTH, TALLEST, TILE, GAP = 900, 900, 294, 9
MOST_TILES = 6
SCALE = 2
"""Drawn so many times larger and then reduced: smooth lines."""
AROUND_M = 60.0
"""At least so much of the surroundings shows from near."""
PAPER, LAND, LINE, FAULT = "#ffffff", "#eef1f4", "#5b6770", "#c8102e"
Box = tuple[float, float, float, float]


def draw(areas: pa.Table, places: Sequence[Place]) -> bytes | None:
    """PNG of the areas (`geometry_wkb`, EPSG:25832) and the numbered places; None where there are none."""
    if not places:
        return None
    import shapely
    from PIL import Image

    shapes = shapely.from_wkb(np.array(areas["geometry_wkb"].to_pylist(), dtype=object))
    everything = _padded(tuple(shapely.total_bounds([*shapes, *(p.geometry for p in places)])), 0.03)
    west, south, east, north = everything
    height = int(min(TALLEST, max(200, WIDTH * (north - south) / (east - west))))
    tiles = list(places)[:MOST_TILES]
    rows = -(-len(tiles) // 3)
    page = Image.new("RGB", (WIDTH, height + rows * (TILE + GAP)), PAPER)
    page.paste(_picture(shapes, places, everything, (WIDTH, height)), (0, 0))
    for number, place in enumerate(tiles):
        near = _padded(_around(place), 0.0)
        left, top = (number % 3) * (TILE + GAP), height + GAP + (number // 3) * (TILE + GAP)
        page.paste(_picture(shapes, places, near, (TILE, TILE)), (left, top))
    buffer = io.BytesIO()
    page.quantize(64).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _padded(bounds: Box, share: float) -> Box:
    west, south, east, north = bounds
    pad = max(east - west, north - south) * share + 1.0
    return west - pad, south - pad, east + pad, north + pad


def _around(place: Place) -> Box:
    """A square around the place, its size and more of the surroundings."""
    import shapely

    west, south, east, north = shapely.bounds(place.geometry)
    half = max(east - west, north - south, 2 * AROUND_M) * 0.75
    x, y = (west + east) / 2, (south + north) / 2
    return x - half, y - half, x + half, y + half


def _picture(shapes: np.ndarray, places: Sequence[Place], extent: Box, size: tuple[int, int]):  # type: ignore[no-untyped-def]
    """One frame of the map, as an image of that size in pixels."""
    import shapely
    from PIL import Image, ImageDraw

    width, height = size[0] * SCALE, size[1] * SCALE
    west, south, east, north = extent
    metres = max((east - west) / width, (north - south) / height)
    middle_x, middle_y = (west + east) / 2, (south + north) / 2

    def pixels(coordinates: np.ndarray) -> list[tuple[float, float]]:
        x = (coordinates[:, 0] - middle_x) / metres + width / 2
        y = height / 2 - (coordinates[:, 1] - middle_y) / metres
        return list(zip(x.tolist(), y.tolist(), strict=True))

    image = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(image)
    # A little more than the frame, so that cut edges do not show.
    frame = _padded(extent, 0.3)
    for shape in shapely.clip_by_rect(shapely.simplify(shapes, metres / 2), *frame):
        _polygon(pen, shape, pixels, LAND, LINE)
    for place in places:
        _polygon(pen, shapely.clip_by_rect(place.geometry, *frame), pixels, FAULT, FAULT)
    for place in places:
        if shapely.intersects_xy(shapely.box(*extent), *place.spot):
            _number(pen, place.number, pixels(np.array([place.spot], dtype=float))[0])
    _scale_bar(pen, metres, height)
    pen.rectangle((0, 0, width - 1, height - 1), outline=LINE, width=SCALE)
    return image.resize(size, Image.Resampling.LANCZOS)


def _polygon(pen: ImageDraw.ImageDraw, shape: Geometry, pixels, fill: str, line: str) -> None:  # type: ignore[no-untyped-def]
    import shapely

    for part in shapely.get_parts(shapely.get_parts(shape)):
        if shapely.get_type_id(part) != 3 or part.is_empty:
            continue
        rings = [part.exterior, *part.interiors]
        for ring, inside in zip(rings, [fill, *[PAPER] * len(part.interiors)], strict=True):
            points = pixels(shapely.get_coordinates(ring))
            pen.polygon(points, fill=inside)
            pen.line(points, fill=line, width=SCALE, joint="curve")


def _number(pen: ImageDraw.ImageDraw, number: int, at: tuple[float, float]) -> None:
    from PIL import ImageFont

    radius, (x, y) = 11 * SCALE, at
    x, y = x + radius, y - radius
    pen.line([at, (x, y)], fill=FAULT, width=2 * SCALE)
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=FAULT, outline=PAPER, width=SCALE)
    pen.text((x, y), str(number), fill=PAPER, font=ImageFont.load_default(13 * SCALE), anchor="mm")


def _scale_bar(pen: ImageDraw.ImageDraw, metres: float, height: int) -> None:
    """The longest round length of at most 80 pixels, bottom left."""
    from PIL import ImageFont

    most = 80 * SCALE * metres
    power = 10.0 ** np.floor(np.log10(most))
    length = float(max(step * power for step in (1, 2, 5) if step * power <= most))
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m".replace(".", ",")
    left, bottom = 10 * SCALE, height - 10 * SCALE
    pen.line([(left, bottom), (left + length / metres, bottom)], fill=LINE, width=2 * SCALE)
    pen.text((left, bottom - 4 * SCALE), text, fill=LINE, font=ImageFont.load_default(12 * SCALE), anchor="lb")
