"""Areas and places as vector files (GeoPackage, zipped Shapefile, GeoJSON): bytes → cells as text plus the geometry.

The geometry comes out as WKB in EPSG:25832. Reading only; whether areas overlap or leave gaps is geography's and the
suite's business. What the three formats do not share is how they are opened and where the reference system stands.
"""

from __future__ import annotations

import io
import json
import tempfile
import warnings
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from orchestration.feeds.cells import Cells
from orchestration.feeds.declaration import Deliverer, Feed, fold
from orchestration.feeds.encoding import detect
from orchestration.feeds.finding import Finding, structural
from orchestration.feeds.formats import faults, position
from orchestration.feeds.formats.kinds import TITLES
from orchestration.feeds.formats.notation import text

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

CRS = "EPSG:25832"
DBF_NAME_BYTES = 10
DBF_MOMENT = (r"^(\d{4})/(\d\d)/(\d\d)( 00:00:00)?$", r"\1-\2-\3")
"""A .dbf knows no points in time: GDAL writes their text."""
MAX_GEOJSON = 200_000_000  # bytes; the parsed text takes some ten times as much memory
SHAPEFILE_PARTS = (".shp", ".shx", ".dbf", ".prj", ".cpg")


def read_geopackage(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells of the declared layer, else of the only one."""
    declared_size = int.from_bytes(data[16:18], "big") * int.from_bytes(data[28:32], "big")
    if declared_size > len(data):
        return Cells(findings=[faults.broken(TITLES["geopackage"])])
    import pyogrio

    try:
        with _without_remarks():
            layers = [str(name) for name in pyogrio.list_layers(data)[:, 0]]
    except pyogrio.errors.DataSourceError:
        return Cells(findings=[faults.broken(TITLES["geopackage"])])
    wanted = [name for name in layers if deliverer.sheet is None or fold(name) == fold(deliverer.sheet)]
    if len(wanted) != 1:
        return Cells(findings=[_not_one_layer(len(layers), deliverer.sheet)])
    return _cells(*_opened(data, "geopackage", layer=wanted[0]), feed, deliverer)


def read_geojson(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells of a FeatureCollection: EPSG:4326 (RFC 7946), or what the older member `crs` says."""
    if len(data) > MAX_GEOJSON:
        return Cells(findings=[faults.too_large("höchstens 200 MB; für mehr Flächen ein GeoPackage")])
    try:
        parsed = json.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except (ValueError, RecursionError):
        return Cells(findings=[faults.broken(TITLES["geojson"])])
    if parsed.get("type") != "FeatureCollection" or not isinstance(parsed.get("features"), list):
        return Cells(findings=[_not_geojson()])
    if not parsed["features"]:
        return Cells(findings=[faults.empty()])
    return _cells(*_opened(data, "geojson"), feed, deliverer)


def read_shapefile(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells of the only shapefile in a ZIP archive, whatever folder of it that lies in."""
    try:
        parts, finding = _shapefile_parts(data)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError):
        finding = faults.broken(TITLES["shapefile"])
    if finding:
        return Cells(findings=[finding])
    with tempfile.TemporaryDirectory(prefix="ipso-") as folder:
        for ending, content in parts.items():
            (Path(folder) / f"layer{ending}").write_bytes(content)
        frame, findings = _opened(Path(folder) / "layer.shp", "shapefile", encoding=_dbf_encoding(parts, deliverer))
    cells = _cells(frame, findings, feed, deliverer)
    cells.headers = _whole_names(cells.headers, feed)
    cells.columns = [pc.replace_substring_regex(column, *DBF_MOMENT) for column in cells.columns]
    return cells


def _whole_names(headers: list[str], feed: Feed) -> list[str]:
    """A .dbf cuts field names to ten bytes: the declared headers that were meant, each where only one can be.

    `sozialraum` is `sozialraum_id` cut, unless no other field can be the name of the Sozialraum.
    """
    folded = [fold(header) for header in headers]
    whole = []
    for header, cut in zip(headers, folded, strict=True):
        others = set(folded) - {cut}
        open_columns = [column for column in feed.columns if not others & {fold(name) for name in column.headers}]
        meant = [name for column in open_columns for name in column.headers if fold(name).startswith(cut)]
        exact = [name for name in meant if fold(name) == cut]
        may_be_cut = len(header.encode()) >= DBF_NAME_BYTES - 1
        whole.append(meant[0] if may_be_cut and not exact and len(meant) == 1 else header)
    return whole


def _shapefile_parts(data: bytes) -> tuple[dict[str, bytes], Finding | None]:
    """Ending → bytes of the parts of the only shapefile. Members' names never become paths."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [member for member in archive.infolist() if "__MACOSX" not in member.filename]
        names = {member.filename.lower(): member for member in members}
        shapes = [PurePosixPath(name) for name in names if name.endswith(".shp")]
        if len(shapes) != 1:
            return {}, _not_one_layer(len(shapes), None)
        wanted = {ending: names.get(str(shapes[0].with_suffix(ending))) for ending in SHAPEFILE_PARTS}
        missing = [ending for ending in SHAPEFILE_PARTS[:3] if wanted[ending] is None]
        if missing:
            return {}, _missing_parts(missing)
        found = {ending: member for ending, member in wanted.items() if member is not None}
        return {ending: archive.read(member) for ending, member in found.items()}, None


def _dbf_encoding(parts: dict[str, bytes], deliverer: Deliverer) -> str | None:
    """None where the file says it itself (.cpg, or the language byte of the .dbf); else what its bytes are."""
    dbf = parts[".dbf"]
    if ".cpg" in parts or dbf[29:30] not in (b"", b"\x00"):
        return None
    records = dbf[int.from_bytes(dbf[8:10], "little") :]
    actual = detect(records)
    known = {"utf_8": "UTF-8", "cp1252": "CP1252", "iso8859_15": "ISO-8859-15", "cp850": "CP850"}
    return known.get(actual or "") or known.get(deliverer.encoding or "", "CP1252")


@contextmanager
def _without_remarks() -> Iterator[None]:
    """Archived bytes carry no file extension, which GDAL remarks upon."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        yield


def _opened(source: bytes | Path, kind: str, **options: Any) -> tuple[GeoDataFrame | None, list[Finding]]:
    import pyogrio
    import shapely

    unreadable = (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        pyogrio.errors.FeatureError,
        pyogrio.errors.GeometryError,
        shapely.errors.ShapelyError,
        ValueError,
        # What pyogrio stumbles over where a damaged .prj is no UTF-8.
        UnboundLocalError,
    )
    try:
        with _without_remarks():
            return pyogrio.read_dataframe(source, **options), []
    except unreadable:
        return None, [faults.broken(TITLES[kind])]


def _cells(frame: GeoDataFrame | None, findings: list[Finding], feed: Feed, deliverer: Deliverer) -> Cells:
    """Attributes as text; `geometry_wkb` as a typed extra column. Points also give the columns Ostwert and Nordwert in
    metres."""
    if frame is None:
        return Cells(findings=findings)
    import shapely
    from pyproj.exceptions import ProjError

    if "geometry" not in frame or frame.geometry.isna().all():
        return Cells(findings=[_no_geometry()])
    if not position.is_known(frame.crs):
        if deliverer.crs is None:
            return Cells(findings=[position.no_crs(frame.total_bounds)])
        frame = frame.set_crs(deliverer.crs, allow_override=True)
    if frame.crs.is_geographic and _beyond_degrees(frame.total_bounds):
        return Cells(findings=[_not_degrees()])
    if feed.grain == "geography" and (finding := position.misplaced(frame.total_bounds, frame.crs)):
        return Cells(findings=[finding])
    try:
        projected = frame.to_crs(CRS)
    except ProjError:
        return Cells(findings=[position.unfit_crs()])
    shapes = shapely.force_2d(projected.geometry.to_numpy())
    if not np.isfinite(projected.total_bounds).all():
        return Cells(findings=[position.unfit_crs()])
    attributes = [name for name in frame.columns if name != frame.geometry.name]
    columns = {name: pa.array([text(v, feed, deliverer) for v in frame[name]], pa.string()) for name in attributes}
    if (shapely.get_type_id(shapes) == 0).all():
        places = {"Ostwert": shapely.get_x(shapes), "Nordwert": shapely.get_y(shapes)}
        for name, metres in places.items():
            columns[name] = pa.array([text(float(v), feed, deliverer) for v in metres.round(3)], pa.string())
    return Cells(
        headers=list(columns),
        columns=list(columns.values()),
        zeile=pa.array(range(1, len(frame) + 1), pa.int32()),
        extra={"geometry_wkb": pa.array(shapely.to_wkb(shapes, byte_order=1), pa.binary())},
    )


def _beyond_degrees(bounds: np.ndarray) -> bool:
    """Metres under the name of degrees: GeoJSON is often written in EPSG:25832 without saying so."""
    return bool((np.abs(bounds[[0, 2]]) > 180).any() or (np.abs(bounds[[1, 3]]) > 90).any())


def _not_one_layer(number: int, wanted: str | None) -> Finding:
    if wanted is not None:
        return structural(
            "layer_exists",
            f"Die vereinbarte Ebene „{wanted}“ fehlt; die Datei hat {number} Ebenen",
            f"eine Ebene „{wanted}“",
            "Bitte die Ebene wie vereinbart benennen",
        )
    return structural(
        "layer_is_unique",
        f"Die Datei enthält {number} Ebenen",
        "genau eine Ebene",
        "Bitte nur die vereinbarte Ebene ausgeben",
    )


def _missing_parts(missing: list[str]) -> Finding:
    return structural(
        "file_is_complete",
        f"Dem Shapefile fehlen die Teile {', '.join(missing)}",
        "alle Teile des Shapefiles (.shp, .shx, .dbf, .prj, .cpg) in einem ZIP-Archiv",
        "Bitte alle Teile packen",
    )


def _not_geojson() -> Finding:
    return structural(
        "format_is_geojson",
        "Die JSON-Datei ist keine GeoJSON-Sammlung",
        "GeoJSON mit „type: FeatureCollection“ und Objekten",
        "Bitte als GeoJSON ausgeben",
    )


def _no_geometry() -> Finding:
    return structural(
        "geometry_exists",
        "Die Datei enthält keine Geometrien",
        "eine Geometrie je Zeile",
        "Bitte mit Geometrie ausgeben",
    )


def _not_degrees() -> Finding:
    return structural(
        "crs_is_known",
        "Die Koordinaten sind keine Grad, obwohl das Koordinatenreferenzsystem Grad verlangt",
        f"Länge und Breite in Grad (GeoJSON), oder ein Format mit angegebenem {CRS}",
        "Bitte nach EPSG:4326 umrechnen oder als GeoPackage ausgeben",
    )
