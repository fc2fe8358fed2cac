"""What the steward sees in the terminal: the matrix of deliveries, and the result of testing a file."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import duckdb
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.feeds.declaration import Feed, load_feeds
from orchestration.feeds.landing import refused_entries, waiting_files
from orchestration.feeds.names import shown
from orchestration.home import Home

IN_FORCE, WARNED, REJECTED, STILL, MISSING, NOT_DUE = "✔", "✔!", "✖", "✔✖", "?", "·"
LEGEND = (
    f"{IN_FORCE} in Kraft   {WARNED} in Kraft, mit Hinweisen   {STILL} in Kraft, spätere Lieferung abgewiesen   "
    f"{REJECTED} abgewiesen, nichts in Kraft   {MISSING} fehlt   {NOT_DUE} nicht erwartet"
)
PLAIN_WIDTH = 120
"""Of output that is no terminal."""
STYLES = {
    IN_FORCE: "green",
    WARNED: "yellow",
    REJECTED: "bold red",
    STILL: "red",
    MISSING: "magenta",
    NOT_DUE: "dim",
}


def delivery_states(home: Home) -> dict[tuple[str, str, int], str]:
    """(feed, deliverer, year) → sign, for every combination that has a delivery."""
    directory = home.control / "delivery.parquet"
    if not directory.exists():
        return {}
    rows = duckdb.execute(
        """
        select feed, deliverer, year,
            bool_or(state = 'accepted') as in_force,
            bool_or(state = 'accepted' and n_warnings > 0) as warned,
            coalesce(
                max(received) filter (state = 'rejected') > max(received) filter (state = 'accepted'), false
            ) as rejected_later
        from read_parquet(?)
        group by feed, deliverer, year
        """,
        [str(directory)],
    ).fetchall()
    return {
        (feed, deliverer, year): (STILL if later else WARNED if warned else IN_FORCE) if in_force else REJECTED
        for feed, deliverer, year, in_force, warned, later in rows
    }


def sign(states: dict[tuple[str, str, int], str], feed: Feed, deliverer: str, year: int) -> str:
    """The sign of one cell of the matrix."""
    return states.get((feed.name, deliverer, year)) or (MISSING if year in feed.years else NOT_DUE)


def print_status(home: Home, only: str | None = None, console: Console | None = None) -> None:
    """One table per feed: deliverers by years; then what was rejected, and what waits in the drop folder."""
    console = console or Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)
    feeds = {name: feed for name, feed in load_feeds().items() if only in (None, name)}
    if not feeds:
        raise click.UsageError(f"Die Art „{only}“ gibt es nicht. Es gibt: {', '.join(load_feeds())}.")
    states = delivery_states(home)
    years = sorted(
        {year for feed in feeds.values() for year in feed.years} | {key[2] for key in states if key[0] in feeds}
    )
    for name, feed in feeds.items():
        table = Table(
            title=f"{feed.title} ({name})", title_justify="left", title_style="bold", box=SIMPLE, padding=(0, 1, 0, 0)
        )
        table.add_column("Lieferant")
        for year in years:
            table.add_column(str(year), justify="center")
        for slug, deliverer in feed.deliverers.items():
            signs = [sign(states, feed, slug, year) for year in years]
            table.add_row(deliverer.name, *[f"[{STYLES[s]}]{s}[/]" for s in signs])
        console.print(table)
    console.print(LEGEND)
    _print_rejections(home, feeds, console)
    waiting = waiting_files(home)
    if waiting:
        console.print(f"\nIm Abgabeordner warten {len(waiting)} Dateien auf den nächsten Lauf (`ipso run`).")
    for name, what in refused_entries(home):
        console.print(f"\nBleibt im Abgabeordner: {shown(name)}: {what}", markup=False, highlight=False)


def _print_rejections(home: Home, feeds: dict[str, Feed], console: Console) -> None:
    directory = home.control / "delivery.parquet"
    if not directory.exists():
        console.print("\nEs ist noch keine Lieferung verarbeitet.")
        return
    rows = duckdb.execute(
        "select delivery_id, feed, file_name, reason from read_parquet(?) where state = 'rejected'"
        " order by received, delivery_id",
        [str(directory)],
    ).fetchall()
    for delivery_id, feed, file_name, reason in rows:
        if feed is None or feed in feeds:
            console.print(f"\n[bold red]Abgewiesen:[/] {escape(file_name)}", highlight=False)
            console.print(f"  {reason}", markup=False, highlight=False)
            console.print(
                f"  Rückmeldung zum Weiterleiten: {home.rejected / delivery_id / 'rueckmeldung.html'}",
                markup=False,
                highlight=False,
            )


def print_check(home: Home, path: Path, feed: str | None, deliverer: str | None, year: int | None) -> int:
    """Findings of one file. Exit status 0 would be accepted, 1 would be rejected, 2 could not be tested."""
    from orchestration.feeds import reading_room

    if not path.is_file():
        click.echo(f"{path}: Diese Datei gibt es nicht.", err=True)
        return 2
    # It imports the readers while this process imports the gate.
    reading_room.warm_up()
    from orchestration.gates.delivery import check_file

    try:
        verdict = check_file(path, feed=feed, deliverer=deliverer, year=year, home=home)
    except ValueError as error:
        click.echo(f"{path}: {error}", err=True)
        return 2
    for finding in verdict.findings:
        if not finding.passed:
            click.echo(f"  {'FEHLER ' if finding.severity == 'error' else 'Hinweis'}  {finding.full_message}")
    if verdict.accepted:
        click.echo(f"{path}: in Ordnung, {verdict.row_count} Zeilen.")
        return 0
    click.echo(f"{path}: würde abgewiesen.")
    return 1
