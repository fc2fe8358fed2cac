"""The indicator catalogue as a page for people: `python -m orchestration.catalogue > docs/indikatoren.md`.

Reads the seeds only; what an indicator is worth anywhere is not its business.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from orchestration.home import REPOSITORY

LEVELS = {"kreis": "Kreis", "kommune": "Kommune", "sozialraum": "Sozialraum"}
CADENCES = {"annual": "jährlich", "biennial": "alle zwei Jahre", "irregular": "in Wahljahren"}
INTERVALS = {"wilson": "Wilson", "byar": "Byar", "none": "–"}


def catalogue_page(seeds: Path = REPOSITORY / "seeds") -> str:
    """German Markdown: a table per theme, the core set first; formulas are those of docs/methods.md."""
    indicators, measures, themes = (_rows(seeds / f"{name}.csv") for name in ("indicators", "measures", "themes"))
    titles = {measure["measure_id"]: measure["title"] for measure in measures}
    core = sum(indicator["is_core"] == "true" for indicator in indicators)
    lines = [
        "# Die Indikatoren",
        "",
        f"{len(indicators)} Indikatoren, davon {core} Kernindikatoren (●). Erzeugt aus `seeds/indicators.csv` mit",
        "`python -m orchestration.catalogue > docs/indikatoren.md`; Formeln und Grenzen: [methods.md](methods.md).",
    ]
    for theme in themes:
        own = [indicator for indicator in indicators if indicator["theme_id"] == theme["theme_id"]]
        lines += [
            "",
            f"## {theme['title']}",
            "",
            "| | Indikator | Zähler | Nenner | bis | Takt | Bereich | zu beachten |",
        ]
        lines += ["|---|---|---|---|---|---|---|---|"]
        for indicator in sorted(own, key=lambda row: (row["is_core"] != "true", int(row["sort_order"]))):
            lines.append("| " + " | ".join(_cells(indicator, titles)) + " |")
    return "\n".join(lines) + "\n"


def _cells(indicator: dict[str, str], titles: dict[str, str]) -> list[str]:
    scale = f" × {int(float(indicator['scale'])):,}".replace(",", ".") if indicator["scale"] != "1" else ""
    return [
        "●" if indicator["is_core"] == "true" else "",
        f"{indicator['title']} (`{indicator['indicator_id']}`)",
        titles[indicator["numerator_measure"]],
        titles.get(indicator["denominator_measure"], "–") + scale,
        LEVELS[indicator["finest_level"]],
        CADENCES[indicator["cadence"]],
        INTERVALS[indicator["interval_method"]],
        indicator["caveat"],
    ]


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


if __name__ == "__main__":
    sys.stdout.write(catalogue_page())
