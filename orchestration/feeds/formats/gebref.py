"""Gebäudereferenzen NRW (`gebref.txt`): bytes → cells as text. No header; the columns stand here.

Set-based: the file of a county has some 100,000 rows, that of the state 4 million. Coordinates come out in
EPSG:25832, whichever of the two official variants was delivered: EPSG:4647 writes the zone (32) before the easting.
`ags` is put together from its parts.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from orchestration.feeds.cells import Cells
from orchestration.feeds.declaration import Deliverer, Feed
from orchestration.feeds.encoding import decode
from orchestration.feeds.finding import Finding, structural
from orchestration.feeds.formats import delimited

HEADERS = [
    "nba", "oid", "qua", "landschl", "land", "regbezschl", "regbez", "kreisschl", "kreis", "gmdschl", "gmd",
    "ottschl", "ott", "strschl", "str", "hnr", "adz", "zone", "ost", "nord", "datum",
]  # fmt: skip
KEY_WIDTHS = {"landschl": 2, "regbezschl": 1, "kreisschl": 2, "gmdschl": 3}
ZONE_IN_FRONT = r"^32(\d{6}([.,]\d*)?)$"


def read(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells under the official names of the columns, and `ags`; rows are numbered from 1."""
    text, findings = decode(data, deliverer.encoding or "utf_8")
    if findings:
        return Cells(findings=findings)
    if "\x00" in text:
        return Cells(findings=[delimited.binary()])
    findings = [] if text.endswith(("\n", "\r")) else [delimited.no_line_end(text)]
    body = text.rstrip("\r\n")
    table, wrong = delimited.parse(body, ";", len(HEADERS), first_line=1)
    if wrong and len(wrong) > table.num_rows:
        return Cells(findings=[_not_gebref(wrong[0][1])])
    if wrong:
        return Cells(findings=[*findings, delimited.field_count(wrong, len(HEADERS), body.count("\n") + 1)])
    columns = dict(zip(HEADERS, (column.combine_chunks() for column in table.columns), strict=True))
    columns["ost"] = pc.replace_substring_regex(columns["ost"], ZONE_IN_FRONT, r"\1")
    if pc.any(pc.match_substring_regex(columns["ost"], r"^3[13]\d{6}([.,]|$)")).as_py():
        findings.append(_other_zone())
    parts = [pc.utf8_lpad(pc.utf8_trim_whitespace(columns[n]), w, padding="0") for n, w in KEY_WIDTHS.items()]
    return Cells(
        headers=[*HEADERS, "ags"],
        columns=[*columns.values(), pc.binary_join_element_wise(*parts, "")],
        zeile=pa.array(range(1, table.num_rows + 1), pa.int32()),
        findings=findings,
    )


def _not_gebref(fields: int) -> Finding:
    return structural(
        "format_is_gebref",
        f"Die Datei hat {fields} Felder je Zeile statt {len(HEADERS)}",
        f"die Gebäudereferenzen NRW mit {len(HEADERS)} Feldern, Semikolon, ohne Kopfzeile",
        "Bitte gebref.txt unverändert liefern",
    )


def _other_zone() -> Finding:
    return structural(
        "crs_is_known",
        "Ostwerte beginnen mit einer anderen Zone als 32",
        "Koordinaten in EPSG:25832 oder EPSG:4647 (Zone 32)",
        "Bitte in EPSG:25832 ausgeben",
        column="ost",
    )
