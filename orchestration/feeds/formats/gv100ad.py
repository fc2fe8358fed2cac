"""GV100AD, the fixed-width Gemeindeverzeichnis of the statistical offices: bytes → cells as text.

Positions from the offices' Datensatzbeschreibung (GV100AD ASCII, record length 220). Record types: 10 Land,
20 Regierungsbezirk, 30 Region, 40 Kreis, 50 Gemeindeverband, 60 Gemeinde; a declaration chooses by the column Satzart.
Fields that a record type does not have are empty. Positions count characters, so the encoding must be right first.
"""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from orchestration.feeds.cells import Cells
from orchestration.feeds.declaration import Deliverer, Feed
from orchestration.feeds.encoding import decode
from orchestration.feeds.finding import MAX_ROWS, Finding, structural
from orchestration.feeds.formats import faults


class Part(NamedTuple):
    """One field: first and last character, counted from 1 as in the Datensatzbeschreibung."""

    header: str
    first: int
    last: int


LAYOUT = [
    Part("Satzart", 1, 2),
    Part("Gebietsstand", 3, 10),
    Part("Land", 11, 12),
    Part("Regierungsbezirk", 13, 13),
    Part("Kreis", 14, 15),
    Part("Gemeinde", 16, 18),
    Part("Gemeindeverband", 19, 22),
    Part("Bezeichnung", 23, 72),
    Part("Sitz der Verwaltung", 73, 122),
    Part("Textkennzeichen", 123, 124),
    Part("Fläche in ha", 129, 139),
    Part("Bevölkerung insgesamt", 140, 150),
    Part("Bevölkerung männlich", 151, 161),
    Part("PLZ", 166, 170),
    Part("PLZ eindeutig", 171, 175),
    Part("Finanzamtsbezirk", 178, 181),
    Part("Gerichtsbarkeit", 182, 185),
    Part("Arbeitsagenturbezirk", 186, 190),
    Part("Bundestagswahlkreis von", 191, 193),
    Part("Bundestagswahlkreis bis", 194, 196),
]
KEY = Part("AGS", 11, 18)
RECORD = r"^[1-6]0\d{8}\d{2}[\d ]{10}.+$"


def read(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells under the headers of `LAYOUT`, and the area key as `AGS`; rows are numbered from 1."""
    text, findings = decode(data, deliverer.encoding or "utf_8")
    if findings:
        return Cells(findings=findings)
    lines = pa.array(text.splitlines(), pa.string())
    zeile = pa.array(range(1, len(lines) + 1), pa.int32())
    filled = pc.not_equal(pc.utf8_trim_whitespace(lines), "")
    lines, zeile = lines.filter(filled), zeile.filter(filled)
    if not len(lines):
        return Cells(findings=[faults.empty()])
    wrong = pc.invert(pc.match_substring_regex(lines, RECORD))
    if pc.any(wrong).as_py():
        return Cells(findings=[_not_a_record(zeile.filter(wrong).to_pylist())])
    parts = [*LAYOUT, KEY]
    return Cells(
        headers=[part.header for part in parts],
        columns=[pc.utf8_trim_whitespace(pc.utf8_slice_codeunits(lines, p.first - 1, p.last)) for p in parts],
        zeile=zeile,
    )


def _not_a_record(rows: list[int]) -> Finding:
    return structural(
        "format_is_gv100ad",
        "Zeilen sind keine Sätze des Gemeindeverzeichnisses GV100AD",
        "Sätze fester Länge mit den Satzarten 10 bis 60",
        "Bitte die Datei GV100AD des Statistischen Bundesamtes unverändert liefern",
        rows=tuple(rows[:MAX_ROWS]),
        n_rows=len(rows),
    )
