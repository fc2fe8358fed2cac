"""Where coordinates lie: a missing or wrong reference system, and Ostwert and Nordwert exchanged, told apart.

Bounds go in, a finding comes out. A reference system is never guessed: ETRS89 and ED50 (EPSG:25832 and 23032) have the
same numbers for places some hundred metres apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from orchestration.feeds.finding import Finding, structural
from orchestration.geography.tolerances import COUNTY_BOX

if TYPE_CHECKING:
    from pyproj import CRS

METRES = "EPSG:25832"
ZONE_PREFIX = 32_000_000.0
LOOKS_LIKE = (METRES, "EPSG:4647", "EPSG:4326", "EPSG:31466", "EPSG:31467", "EPSG:3857")
"""What areas in this part of the country are delivered in, the likeliest first."""


def is_known(crs: CRS | None) -> bool:
    """False also for what GeoPackage calls an undefined reference system."""
    return crs is not None and (crs.is_geographic or crs.is_projected) and not crs.name.lower().startswith("undefined")


def no_crs(bounds: np.ndarray) -> Finding:
    """No reference system is told; `bounds`: west, south, east, north as they stand in the file."""
    likely = next((crs for crs in LOOKS_LIKE if _is_here(bounds, crs)), None)
    exchanged = next((crs for crs in LOOKS_LIKE if _is_here(_exchanged(bounds), crs)), None)
    if likely is not None:
        what = f"; dem Zahlenbereich nach könnte es {likely} sein, sicher ist das nicht"
    elif exchanged is not None:
        what = f"; dem Zahlenbereich nach könnte es {exchanged} mit vertauschten Achsen sein, sicher ist das nicht"
    else:
        what = "; die Zahlen sagen auch nicht, welches es ist"
    return structural(
        "crs_is_known",
        f"Das Koordinatenreferenzsystem fehlt in der Datei{what}",
        f"ein angegebenes Koordinatenreferenzsystem, am besten {METRES}",
        "Bitte im GIS das Koordinatenreferenzsystem zuweisen und neu ausgeben (beim Shapefile: mit der Datei .prj); "
        "lässt es sich nicht angeben, kann es in der Lieferart vereinbart werden",
    )


def unfit_crs() -> Finding:
    """The coordinates cannot be converted from the reference system that the file names."""
    return structural(
        "crs_is_known",
        "Das angegebene Koordinatenreferenzsystem passt nicht zu den Koordinaten",
        f"ein angegebenes Koordinatenreferenzsystem, am besten {METRES}",
        "Bitte mit dem richtigen Koordinatenreferenzsystem ausgeben (beim Shapefile: mit der Datei .prj)",
    )


def misplaced(bounds: np.ndarray, crs: CRS) -> Finding | None:
    """What is wrong with areas that do not lie in the Kreis; None where they do. `bounds` in the units of `crs`."""
    if _is_here(bounds, crs):
        return None
    if _is_here(_exchanged(bounds), crs):
        return _axes_exchanged(crs)
    if not crs.is_geographic and _is_here(bounds - [ZONE_PREFIX, 0, ZONE_PREFIX, 0], METRES):
        return _elsewhere(bounds, "Die Ostwerte tragen die Zonenkennung 32; das ist EPSG:4647")
    other = next((name for name in LOOKS_LIKE if _is_here(bounds, name)), None)
    return _elsewhere(bounds, f"Die Zahlen passen zu {other}" if other else "Bitte Koordinaten und Angabe prüfen")


def _is_here(bounds: np.ndarray, crs: Any) -> bool:
    """Whether these bounds lie in the Kreis and its surroundings. `crs`: anything that pyproj understands."""
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    try:
        left, bottom, right, top = (float(value) for value in bounds)
        converter = Transformer.from_crs(crs, METRES, always_xy=True)
        found = converter.transform_bounds(left, bottom, right, top, errcheck=True)
    except ProjError:
        return False
    west, south, east, north = COUNTY_BOX
    return bool(west <= found[0] and south <= found[1] and found[2] <= east and found[3] <= north)


def _exchanged(bounds: np.ndarray) -> np.ndarray:
    return np.asarray(bounds)[[1, 0, 3, 2]]


def _axes_exchanged(crs: CRS) -> Finding:
    degrees = crs.is_geographic
    first, second = ("Breite", "Länge") if degrees else ("Nordwert", "Ostwert")
    return structural(
        "axes_are_in_order",
        f"Die Koordinaten sind vertauscht: zuerst steht {first}, dann {second}",
        f"zuerst {second}, dann {first}" + (" (wie es GeoJSON verlangt)" if degrees else ""),
        "Bitte im GIS die Achsen tauschen (QGIS: Werkzeug „X- und Y-Koordinaten vertauschen“) und neu ausgeben",
    )


def _elsewhere(bounds: np.ndarray, hint: str) -> Finding:
    digits = 4 if np.abs(bounds).max() <= 360 else 0
    west, south, east, north = (f"{value:.{digits}f}" for value in bounds)
    return structural(
        "areas_lie_in_kreis",
        f"Die Flächen liegen nicht im Kreis: ihre Koordinaten reichen von {west} / {south} bis {east} / {north}",
        f"Flächen im Kreis; in {METRES} Ostwerte um 370000 und Nordwerte um 5650000",
        hint,
    )
