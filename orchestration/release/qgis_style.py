"""How the layers of `areas.gpkg` look when QGIS opens them: QML styles for the table `layer_styles`.

QGIS reads that table by default (QGIS user guide, "Managing symbology": styles saved in a GeoPackage). Builds XML only.
"""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree as ET

import numpy as np

CLASSES = 5
FILLS = ("254,235,226", "251,180,185", "247,104,161", "197,27,138", "122,1,119")
"""ColorBrewer RdPu, light to dark: readable in print and without seeing red and green apart."""
NO_VALUE = "229,229,229"
LINE = "90,90,90"

Rule = tuple[str, str, str, bool]
"""Filter expression, label, fill colour ("" for none), shown."""


def outline(width_mm: float) -> str:
    """A border without filling."""
    return _qml([("", "", "", True)], width_mm)


def versions() -> str:
    """Today's areas; older versions can be switched on."""
    return _qml(
        [
            ('"valid_to" is null', "heute gültig", "", True),
            ('"valid_to" is not null', "frühere Fassungen", "", False),
        ],
        0.3,
    )


def classes(column: str, values: np.ndarray, unit: str) -> str:
    """Five classes with as many areas each (as equal as the values allow), and what has no value in grey."""
    known = np.sort(values[~np.isnan(values)])
    rules: list[Rule] = []
    if len(known):
        edges = np.unique(np.quantile(known, np.linspace(0, 1, CLASSES + 1), method="nearest"))
        spans = list(pairwise(edges)) or [(edges[0], edges[0])]
        for number, (lower, upper) in enumerate(spans):
            above = ">=" if number == 0 else ">"
            text = f'"{column}" {above} {float(lower)!r} and "{column}" <= {float(upper)!r}'
            fill = FILLS[round(number * (CLASSES - 1) / max(len(spans) - 1, 1))]
            rules.append((text, f"{_german(lower)} bis {_german(upper)} {unit}".strip(), fill, True))
    rules.append((f'"{column}" is null', "kein Wert (Grund in der Spalte _status)", NO_VALUE, True))
    return _qml(rules, 0.2)


def _german(number: float) -> str:
    return f"{number:,.1f}".translate(str.maketrans(",.", ".,"))


def _qml(rules: list[Rule], width_mm: float) -> str:
    root = ET.Element("qgis", version="3.22", styleCategories="Symbology")
    renderer = ET.SubElement(root, "renderer-v2", type="RuleRenderer", symbollevels="0", forceraster="0")
    listed = ET.SubElement(renderer, "rules", key="rules")
    symbols = ET.SubElement(renderer, "symbols")
    for number, (text, label, fill, shown) in enumerate(rules):
        rule = ET.SubElement(listed, "rule", key=f"rule{number}", symbol=str(number), label=label)
        if text:
            rule.set("filter", text)
        if not shown:
            rule.set("checkstate", "0")
        symbol = ET.SubElement(symbols, "symbol", type="fill", name=str(number), alpha="1", clip_to_extent="1")
        layer = ET.SubElement(symbol, "layer", {"class": "SimpleFill", "enabled": "1", "pass": "0", "locked": "0"})
        options = {
            "color": f"{fill or LINE},255",
            "style": "solid" if fill else "no",
            "outline_color": f"{LINE},255",
            "outline_style": "solid",
            "outline_width": f"{width_mm}",
            "outline_width_unit": "MM",
        }
        chosen = ET.SubElement(layer, "Option", type="Map")
        for name, value in options.items():
            # QGIS before 3.26 reads `prop`, later ones `Option`.
            ET.SubElement(layer, "prop", k=name, v=value)
            ET.SubElement(chosen, "Option", name=name, value=value, type="QString")
    return "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + ET.tostring(root, encoding="unicode")
