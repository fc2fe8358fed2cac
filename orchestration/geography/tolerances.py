"""How exactly areas have to be drawn: every tolerance of the delivery of areas, in metres and square metres.

For the steward they are explained in docs/sozialraeume.md; suites refer to them by the names in `PARAMETERS`. What is
measured with them stands in coverage.py (the areas among themselves) and gates/borders.py (areas beside the Kommune).
"""

from __future__ import annotations

SNAP_M = 0.05
"""Corners of neighbours that lie closer together are the same corner."""
NEGLIGIBLE_SQM = 0.01
"""Smaller than what coordinates in centimetres can say: rounding, no fault."""
SMALL_SQM = 50.0
"""Up to this size a place is mended, whatever its form: smaller than a house."""
NARROW_M = 1.0
"""Up to this width a place is mended even if it is longer: a line that was drawn twice. No address lies in it."""
NARROW_SQM = 1_000.0
"""But no larger than that: a kilometre of the widest."""
REPORT_SQM = 1.0
"""What mending moves is told from this area on, per Sozialraum."""
SMALLEST_AREA_SQM = 10_000.0
"""A hectare. No Sozialraum is smaller, and no piece of one that lies apart."""
LARGEST_AREA_SQM = 200_000_000.0
BORDER_LINE_M = 1.0
"""So far areas may leave the border of their Kommune, or fall short of it, without a word."""
BORDER_M = 30.0
"""So far a border that was generalised for small scales may lie beside the surveyed one: told, not rejected."""
OFFICIAL_AREA_PERCENT = 2.0
"""The areas of a Kommune together beside its official area: projection and generalisation explain less than that."""
COUNTY_BOX = (349_000.0, 5_626_000.0, 398_000.0, 5_680_000.0)
"""EPSG:25832: the Kreis (359285 5636678 to 387504 5669218, VG250) and some ten kilometres around it."""

PARAMETERS = {
    "klein_qm": SMALL_SQM,
    "schmal_m": NARROW_M,
    "schmal_qm": NARROW_SQM,
    "melde_qm": REPORT_SQM,
    "kleinste_flaeche_qm": SMALLEST_AREA_SQM,
    "groesste_flaeche_qm": LARGEST_AREA_SQM,
    "grenzlinie_m": BORDER_LINE_M,
    "grenze_m": BORDER_M,
    "amtlich_prozent": OFFICIAL_AREA_PERCENT,
    "amtlich_prozent_weniger": -OFFICIAL_AREA_PERCENT,
}
"""As suites (`$PARAMETER`) and their German texts call them."""
