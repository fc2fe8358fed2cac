"""`ipso check`: the findings that a file would get, in the terminal, without delivering it.

Exit status: 0 would be accepted, 1 would be rejected, 2 could not be read (or what it is meant to be is not known),
3 the check itself is defective, which is no fault of the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestration.feeds import reading_room
from orchestration.feeds.finding import counted
from orchestration.home import Home

if TYPE_CHECKING:
    from orchestration.gates.verdicts import Verdict

GOOD, REJECTED, UNREADABLE, DEFECT = 0, 1, 2, 3


def print_check(home: Home, path: Path, feed: str | None, deliverer: str | None, year: int | None) -> int:
    """Findings of one file; gives the exit status."""
    if not path.is_file():
        click.echo(f"{path}: Diese Datei gibt es nicht.", err=True)
        return UNREADABLE
    # It imports the readers while this process imports the gate.
    reading_room.warm_up()
    from orchestration.gates.delivery import UnknownAddress, check_file
    from orchestration.gates.suites import GateDefect

    try:
        verdict = check_file(path, feed=feed, deliverer=deliverer, year=year, home=home)
    except UnknownAddress as error:
        click.echo(f"{path}: {error}", err=True)
        return UNREADABLE
    except GateDefect as defect:
        click.echo(f"{path}: {defect}", err=True)
        return DEFECT
    for finding in verdict.findings:
        if not finding.passed:
            title = "FEHLER " if finding.is_error else "Hinweis"
            click.echo(f"  {title}  {finding.full_message} [{finding.expectation}]")
    click.echo(f"{path}: {_result(verdict)}")
    if verdict.accepted:
        return GOOD
    return REJECTED if verdict.could_be_read else UNREADABLE


def _result(verdict: Verdict) -> str:
    if verdict.accepted:
        return f"in Ordnung, {counted(verdict.row_count, 'Zeile', 'Zeilen')}."
    return "würde abgewiesen." if verdict.could_be_read else "nicht lesbar, würde abgewiesen."
