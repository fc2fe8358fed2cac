"""Header paths: how stacked header cells, and the categories of long tables, become one header."""

from __future__ import annotations

import re
from collections.abc import Iterable

SEPARATOR = " / "


def path(parts: Iterable[str]) -> str:
    """Parts from the top down, joined by ` / `; empty parts and repetitions of the one above left out."""
    kept: list[str] = []
    for part in map(tidy, parts):
        if part and (not kept or kept[-1] != part):
            kept.append(part)
    return SEPARATOR.join(kept)


def tidy(part: str) -> str:
    """One part without surplus blanks; its own ` / ` loses its blanks, so that a path can be taken apart again."""
    return re.sub(r" / ", "/", re.sub(r"\s+", " ", part)).strip()
