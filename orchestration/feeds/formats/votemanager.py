"""votemanager CSV (elections): delimited text; one row per area; an empty cell means not yet counted.

Three layouts, recognised by their headers and given the names of the present one:

- present: `datum;wahl;ags;gebiet-nr;gebiet-name;max-schnellmeldungen;anz-schnellmeldungen;A1;A2;A3;A;B;B1;C;D;D1…`.
  Where lists and candidates are voted for, a list's total has another name: `D1_summe_liste_kandidaten` (beside
  `D1_liste` and `D1_<candidate>`), since 2026 `D1_4` (beside `D1_1`, `D1_2_<candidate>`, `D1_3`); it becomes `D1`;
- former (until 2016): `Nr;Name;MaxSchnellmeldungen;AnzSchnellmeldungen;Wahlberechtigte;abgegeben;…;gültig;…;<party>;
  <party>_Proz`. It names neither day nor municipality: the key is the deliverer's own, the day must be agreed;
- long, as the Landeswahlleiter gives it: `wahl;wahltag;ags;gemeinde;merkmal;wert`, one row per area and number.
"""

from __future__ import annotations

import re

import pyarrow as pa

from orchestration.feeds.cells import Cells
from orchestration.feeds.declaration import Deliverer, Feed, fold
from orchestration.feeds.finding import Finding, structural
from orchestration.feeds.formats import delimited
from orchestration.feeds.formats.headers import tidy
from orchestration.feeds.formats.long import pivoted

PRESENT = ["datum", "wahl", "ags", "gebiet-nr", "gebiet-name"]
FORMER = {
    "Nr": "gebiet-nr",
    "Name": "gebiet-name",
    "MaxSchnellmeldungen": "max-schnellmeldungen",
    "AnzSchnellmeldungen": "anz-schnellmeldungen",
    "Wahlberechtigte": "A",
    "abgegeben": "B",
    "ungültig": "C",
    "gültig": "D",
}
LONG = {"wahl": "wahl", "wahltag": "datum", "ags": "ags", "gemeinde": "gebiet-name"}
# The wording changed from election to election.
LONG_VALUES = {
    "Wahlberechtigte ohne Sperrvermerk W": "A1",
    "Wahlberechtigte mit Sperrvermerk W": "A2",
    "Wahlberechtigte nach § 9 Abs. 2 Satz 2 KWahlG": "A3",
    "Wahlberechtigte insgesamt": "A",
    "Wähler": "B",
    "Wähler/-innen insgesamt": "B",
    "dar. Wähler mit Wahlschein": "B1",
    "darunter Wähler mit Wahlschein": "B1",
    "darunter mit Wahlbrief": "B1",
    "Ungültige Stimmen": "C",
    "Gültige Stimmen": "D",
}


def read(data: bytes, feed: Feed, deliverer: Deliverer) -> Cells:
    """Cells under the headers of the present layout; a finding where the file has none of the three."""
    cells = delimited.read(data, feed, deliverer)
    if cells.is_broken:
        return cells
    folded = {fold(header) for header in cells.headers}
    if {fold(name) for name in PRESENT} <= folded:
        cells.headers = _totals_of_lists(cells.headers)
        return cells
    if {fold(name) for name in FORMER} <= folded:
        return _former(cells, feed, deliverer)
    if {fold(name) for name in [*LONG, "merkmal", "wert"]} <= folded:
        return _long(cells)
    cells.findings.append(_not_votemanager([name for name in PRESENT if fold(name) not in folded]))
    return cells


def _totals_of_lists(headers: list[str]) -> list[str]:
    """`D1_4` is the fourth candidate where the lists are called `D1_liste`, and the total where they are not."""
    if any(re.fullmatch(r"D\d+_liste", header) for header in headers):
        total = re.compile(r"(D\d+)_summe_liste_kandidaten")
    elif any(re.fullmatch(r"D\d+_2_\d+", header) for header in headers):
        total = re.compile(r"(D\d+)_4")
    else:
        return headers
    return [match[1] if (match := total.fullmatch(header)) else header for header in headers]


def _former(cells: Cells, feed: Feed, deliverer: Deliverer) -> Cells:
    present = {fold(name): new for name, new in FORMER.items()}
    cells.headers = [present.get(fold(header), header) for header in cells.headers]
    key = next((c.name for c in feed.columns if "ags" in map(fold, c.headers)), None)
    if key and deliverer.ags:
        cells.constants[key] = deliverer.ags
    return cells


def _long(cells: Cells) -> Cells:
    places = {fold(header): column for header, column in zip(cells.headers, cells.columns, strict=True)}
    letters = {fold(name): letter for name, letter in LONG_VALUES.items()}
    named = places["merkmal"].dictionary_encode()
    # Parties and percentages keep their names.
    headers = [letters.get(fold(name), tidy(name)) for name in named.dictionary.to_pylist()]
    table = {new: places[name] for name, new in LONG.items()}
    table["header"] = pa.array(headers, pa.string()).take(named.indices)
    table["wert"] = places["wert"]
    found = pivoted(pa.table({**table, "zeile": cells.zeile}), list(LONG.values()))
    found.findings = cells.findings + found.findings
    return found


def _not_votemanager(missing: list[str]) -> Finding:
    return structural(
        "format_is_votemanager",
        f"Die Datei ist kein votemanager-Export; es fehlen: {', '.join(missing)}",
        "die Kopfzeile des votemanager (datum;wahl;ags;gebiet-nr;gebiet-name;…)",
        "Bitte den CSV-Export des votemanager unverändert liefern",
    )
