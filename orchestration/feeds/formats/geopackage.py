"""GeoPackage with one layer of areas: bytes → cells as text plus the geometry as WKB in EPSG:25832.

Reading only; whether the areas overlap or leave gaps is the suite's and geography's business.
"""

from __future__ import annotations

import warnings

import numpy as np
import pyarrow as pa

from orchestration.feeds.cells import Cells
from orchestration.feeds.declaration import Deliverer, Feed
from orchestration.feeds.finding import Finding, structural

CRS = "EPSG:25832"
MAGIC = b"SQLite format 3\x00"


def read(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells of the first layer; `geometry_wkb`, `area_sqm`, `flaeche_gueltig` and `ueberlappung_sqm`
    (the largest area shared with another one) as typed extra columns."""
    if not data.startswith(MAGIC):
        return Cells(findings=[_broken("Die Datei ist kein GeoPackage")])
    declared_size = int.from_bytes(data[16:18], "big") * int.from_bytes(data[28:32], "big")
    if declared_size > len(data):
        return Cells(findings=[_broken("Das GeoPackage ist beschädigt oder abgeschnitten")])
    import pyogrio  # type: ignore[import-untyped]
    import shapely

    try:
        with warnings.catch_warnings():
            # Archived bytes carry no file extension, which GDAL remarks upon.
            warnings.simplefilter("ignore", RuntimeWarning)
            frame = pyogrio.read_dataframe(data)
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pyogrio.errors.FeatureError):
        return Cells(findings=[_broken("Das GeoPackage ist beschädigt oder abgeschnitten")])
    if frame.crs is None:
        return Cells(findings=[_no_crs()])
    frame = frame.to_crs(CRS)
    shapes = shapely.force_2d(frame.geometry.to_numpy())
    attributes = [name for name in frame.columns if name != frame.geometry.name]
    polygon = shapely.is_valid(shapes) & np.isin(shapely.get_type_id(shapes), [3, 6])
    return Cells(
        headers=attributes,
        columns=[pa.array([_text(value) for value in frame[name]], pa.string()) for name in attributes],
        zeile=pa.array(range(1, len(frame) + 1), pa.int32()),
        extra={
            "geometry_wkb": pa.array(shapely.to_wkb(shapes, byte_order=1), pa.binary()),
            "area_sqm": pa.array(shapely.area(shapes), pa.float64()),
            "flaeche_gueltig": pa.array(polygon, pa.bool_()),
            "ueberlappung_sqm": pa.array(_overlaps(shapes), pa.float64()),
        },
    )


def _overlaps(shapes: np.ndarray) -> np.ndarray:
    """Per area the largest area in m² that it shares with another one; 0 where it shares none."""
    import shapely

    usable = shapely.is_valid(shapes) & ~shapely.is_empty(shapes)
    tree = shapely.STRtree(shapes)
    left, right = tree.query(shapes, predicate="intersects")
    pairs = (left < right) & usable[left] & usable[right]
    left, right = left[pairs], right[pairs]
    shared = shapely.area(shapely.intersection(shapes[left], shapes[right]))
    largest = np.zeros(len(shapes))
    np.maximum.at(largest, left, shared)
    np.maximum.at(largest, right, shared)
    return largest


def _text(value: object) -> str | None:
    if value is None or value != value:
        return None
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value)).lower()
    isoformat = getattr(value, "isoformat", None)
    if isoformat is not None:
        return str(isoformat())[:10]
    return str(value)


def _broken(found: str) -> Finding:
    return structural(
        "file_is_complete", found, "ein lesbares GeoPackage", "Bitte neu ausgeben und vollständig übertragen"
    )


def _no_crs() -> Finding:
    return structural(
        "crs_is_known",
        "Das Koordinatenreferenzsystem fehlt",
        f"ein angegebenes Koordinatenreferenzsystem, am besten {CRS}",
        "Bitte mit Koordinatenreferenzsystem ausgeben",
    )
