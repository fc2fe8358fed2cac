"""`ipso audit`: can a reader work out a small count from a release? Counts per verdict, never a value.

Exit status: 0 nothing can be worked out, 1 something can, 2 there is no such release.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from orchestration.disclosure.audit import BELOW, EXACT, NARROW, SAFE, Audit, audit_release
from orchestration.disclosure.audit_files import undeclared, unequal_copies
from orchestration.disclosure.audit_history import earlier_releases
from orchestration.feeds.finding import counted
from orchestration.home import Home

SAFE_RELEASE, LEAK, NO_RELEASE = 0, 1, 2
TITLES = {
    EXACT: "genau zu errechnen",
    BELOW: "sicher kleiner als die Mindestzahl",
    NARROW: "zu eng eingegrenzt (weniger mögliche Werte als die Mindestzahl)",
    SAFE: "geschützt",
}


def print_audit(home: Home, release: str, alone: bool, minimum: int) -> int:
    """Audit one release (a folder, or its id in this installation); gives the exit status."""
    folder = find_release(home, release)
    if folder is None:
        click.echo(f"{release}: Diese Veröffentlichung gibt es nicht.", err=True)
        return NO_RELEASE
    earlier = [] if alone else earlier_releases(folder)
    found = audit_release(folder, earlier, minimum)
    click.echo(f"Veröffentlichung {folder.name}{_together(earlier)}")
    unknown, copies = undeclared(folder), unequal_copies(folder)
    for line in audit_lines(found):
        click.echo(f"  {line}")
    for title, names in (("Nicht entschieden, was sie verraten", unknown), ("Zeigen anderes als Parquet", copies)):
        if names:
            click.echo(f"  {title}: {', '.join(names)}")
    return LEAK if found.leaks or unknown or copies else SAFE_RELEASE


def audit_lines(found: Audit) -> list[str]:
    """German lines: how many counts, how many of them blank, and how many per verdict."""
    hidden = int(found.verdicts.sum())
    lines = [f"{counted(found.cells, 'Anzahl', 'Anzahlen')}, davon {hidden} geheim oder mit geheim gehalten"]
    lines += [f"{found.verdicts[verdict]:>8}  {title}" for verdict, title in TITLES.items()]
    lines += [f"{count:>8}  {title}" for title, count in found.beside.items() if count]
    if found.contradictions:
        lines.append(f"An {counted(found.contradictions, 'Stelle', 'Stellen')} widersprechen die Zahlen einander.")
    lines.append("Es lässt sich nichts errechnen." if not found.leaks else "FEHLER: Geheimes lässt sich errechnen.")
    return lines


def find_release(home: Home, release: str) -> Path | None:
    """The folder itself, or that of the release with this id (or `current`)."""
    for folder in (Path(release), home.releases / release):
        if (folder / "parquet").is_dir():
            return folder.resolve()
    return None


def _together(earlier: Sequence[Path]) -> str:
    return f", zusammen mit {counted(len(earlier), 'früheren', 'früheren')}" if earlier else ""
