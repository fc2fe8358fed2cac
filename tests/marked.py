"""A person who is nobody else, in a population register: whatever finds one of these marks has found her."""

from __future__ import annotations

import re
from collections.abc import Mapping

PERSON, STREET, NUMBER = "KNR7F3A9Q", "Kanarienvogelgasse", "4711kv"
PERSON_MARKERS = [PERSON, STREET, NUMBER]
COLUMNS = {"Ordnungsmerkmal|OM|PERSNR|Pers.*": PERSON, "Stra.e.*|STR|Str\\.": STREET, "Haus.?n.*|HNR": NUMBER}
"""Header of the column (pattern) -> mark."""


def marked_register(text: str, more: Mapping[str, str] = {}) -> str:
    """The register (CSV with `;`) in which the first person has all marks, and `more` of the same kind."""
    head, first, *rest = text.splitlines()
    columns, cells = head.split(";"), first.split(";")
    for name, value in {**COLUMNS, **more}.items():
        cells[next(i for i, column in enumerate(columns) if re.fullmatch(name, column))] = value
    return "\n".join([head, ";".join(cells), *rest, ""])
