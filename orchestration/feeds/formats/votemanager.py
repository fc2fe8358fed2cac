"""votemanager CSV (elections): delimited text; one row per area; empty means not yet counted.

Only what differs from delimited text belongs here: the header's cells A, B, C, D are single letters, and the key
of a municipality may carry the county's code in front or stand alone.
"""

from __future__ import annotations

from orchestration.feeds.cells import Cells
from orchestration.feeds.declaration import Deliverer, Feed
from orchestration.feeds.finding import structural
from orchestration.feeds.formats import delimited

LEADING = ["datum", "wahl", "ags", "gebiet-nr", "gebiet-name"]


def read(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells of a votemanager export; a finding where its leading columns are not those of votemanager."""
    cells = delimited.read(data, feed, deliverer)
    missing = [name for name in LEADING if name not in [header.lower() for header in cells.headers]]
    if missing and not cells.is_broken:
        cells.findings.append(
            structural(
                "format_is_votemanager",
                f"Die Datei ist kein votemanager-Export; es fehlen: {', '.join(missing)}",
                "die Kopfzeile des votemanager (datum;wahl;ags;gebiet-nr;gebiet-name;…)",
                "Bitte den CSV-Export des votemanager unverändert liefern",
            )
        )
    return cells
