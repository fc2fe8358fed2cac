"""What the steward sees in the terminal: the matrix of deliveries, their history, what needs attention.

Reads the directory of deliveries (`control/`) and the decisions; judges nothing.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter

import click
import duckdb
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestration.feeds.declaration import Feed, load_feeds
from orchestration.feeds.finding import counted
from orchestration.feeds.landing import refused_entries, waiting_files
from orchestration.feeds.names import shown
from orchestration.gates.states import STATE_TITLES
from orchestration.home import Home

IN_FORCE, WARNED, REJECTED, STILL, WITHDRAWN, MISSING, NOT_DUE = "✔", "✔!", "✖", "✔✖", "↶", "?", "·"
LEGEND = (
    f"{IN_FORCE} in Kraft   {WARNED} in Kraft, mit Hinweisen   {STILL} in Kraft, spätere Lieferung abgewiesen   "
    f"{REJECTED} abgewiesen, nichts in Kraft   {WITHDRAWN} zurückgenommen, nichts in Kraft   {MISSING} fehlt   "
    f"{NOT_DUE} nicht erwartet   7/8 sieben von acht Lieferanten in Kraft"
)
PLAIN_WIDTH = 120
"""Of output that is no terminal."""
NAME_WIDTH = 28
YEAR_WIDTH = 5
STYLES = {
    IN_FORCE: "green",
    WARNED: "yellow",
    REJECTED: "bold red",
    STILL: "red",
    WITHDRAWN: "red",
    MISSING: "magenta",
    NOT_DUE: "dim",
}
HAS_DATA = {IN_FORCE, WARNED, STILL}
States = dict[tuple[str, str, int], str]


def delivery_states(home: Home) -> States:
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
            ) as rejected_later,
            coalesce(bool_or(state = 'rejected'), false) as rejected
        from read_parquet(?)
        group by feed, deliverer, year
        """,
        [str(directory)],
    ).fetchall()
    return {
        (feed, deliverer, year): (STILL if later else WARNED if warned else IN_FORCE)
        if in_force
        else (REJECTED if rejected else WITHDRAWN)
        for feed, deliverer, year, in_force, warned, later, rejected in rows
    }


def sign(states: States, feed: Feed, deliverer: str, year: int) -> str:
    """The sign of one cell of the matrix."""
    due = year in feed.years and feed.deliverers[deliverer].expected
    return states.get((feed.name, deliverer, year)) or (MISSING if due else NOT_DUE)


def print_status(home: Home, only: str | None = None, console: Console | None = None) -> None:
    """One row per feed (deliverers that differ from the others below it), or one feed in full; then what is open."""
    console = console or _console()
    feeds = _feeds(only)
    states = delivery_states(home)
    years = sorted({y for feed in feeds.values() for y in feed.years} | {key[2] for key in states if key[0] in feeds})
    columns = _newest_that_fit(years, console.width)
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("Lieferung" if only is None else "Lieferant", width=NAME_WIDTH, no_wrap=True, overflow="ellipsis")
    for year in columns:
        table.add_column(str(year), justify="center", no_wrap=True)
    for feed in feeds.values():
        rows = _compact(states, feed, columns) if only is None else _in_full(states, feed, columns)
        for name, cells in rows:
            table.add_row(escape(name), *[_styled(cell) for cell in cells])
    if only is not None:
        console.print(f"[bold]{escape(feeds[only].title)}[/] ({only})", highlight=False)
    console.print(table)
    if len(columns) < len(years):
        console.print(f"Ältere Jahre ({years[0]} bis {columns[0] - 1}): breiteres Fenster oder `--verlauf`.")
    console.print()
    console.print(LEGEND, highlight=False)
    _print_open(home, feeds, console)
    _print_waivers(home, feeds, console)
    if "einwohner" in feeds:
        _print_open_streets(home, console)
    waiting = waiting_files(home)
    if waiting:
        wait = "wartet 1 Datei" if len(waiting) == 1 else f"warten {len(waiting)} Dateien"
        console.print(f"\nIm Abgabeordner {wait} auf den nächsten Lauf (`ipso run`).")
    for name, what in refused_entries(home):
        console.print(f"\nBleibt im Abgabeordner: {shown(name)}: {what}", markup=False, highlight=False)


def print_history(
    home: Home, feed: str | None, deliverer: str | None, year: int | None, console: Console | None = None
) -> None:
    """Every delivery of that address, oldest first: received, state, reason."""
    console = console or _console()
    feeds = _feeds(feed)
    directory = home.control / "delivery.parquet"
    if not directory.exists():
        console.print("Es ist noch keine Lieferung verarbeitet.")
        return
    rows = duckdb.execute(
        """
        select delivery_id, feed, deliverer, year, received, state, row_count, n_warnings, reason, file_name
        from read_parquet(?)
        where ($2 is null or feed = $2) and ($3 is null or deliverer = $3) and ($4 is null or year = $4)
        order by feed, deliverer, year, received, delivery_id
        """.replace("(?)", "($1)"),
        [str(directory), feed, deliverer, year],
    ).fetchall()
    if not rows:
        console.print("Dazu gibt es keine Lieferung.")
    before = None
    for delivery_id, name, who, when, received, state, row_count, n_warnings, reason, file_name in rows:
        if (name, who, when) != before:
            before = name, who, when
            console.print(f"\n[bold]{escape(_title(feeds, name, who, when))}[/]", highlight=False)
        hints = (
            f", {counted(n_warnings, 'Hinweis', 'Hinweise')}"
            if n_warnings and state in ("accepted", "superseded")
            else ""
        )
        told = escape(
            f"{_german(received)}  {delivery_id}  {counted(row_count, 'Zeile', 'Zeilen')}{hints}  ({file_name})"
        )
        style = {"accepted": "green", "rejected": "red", "withdrawn": "red"}.get(state, "dim")
        console.print(f"  [{style}]{STATE_TITLES[state]:<15}[/] {told}", highlight=False, soft_wrap=True)
        if reason:
            console.print(f"  {'':<15} {reason}", markup=False, highlight=False, soft_wrap=True)


# --- the matrix ------------------------------------------------------------------------------------------------------


def _compact(states: States, feed: Feed, years: list[int]) -> list[tuple[str, list[str]]]:
    """The feed's row; below it every deliverer that is not like most in some year."""
    by_deliverer = {slug: [sign(states, feed, slug, year) for year in years] for slug in feed.deliverers}
    columns = list(zip(*by_deliverer.values(), strict=True))
    rows = [(feed.name, [_summary(column) for column in columns])]
    if len(by_deliverer) == 1:
        return rows
    usual = [Counter(column).most_common(1)[0][0] for column in columns]
    for slug, signs in by_deliverer.items():
        odd = [
            mark if mark != most and not (mark in HAS_DATA - {STILL} and most in HAS_DATA) else " "
            for mark, most in zip(signs, usual, strict=True)
        ]
        if any(mark != " " for mark in odd):
            rows.append((f"  {feed.deliverers[slug].name}", odd))
    return rows


def _summary(signs: tuple[str, ...]) -> str:
    """One sign where all deliverers agree or there is one; else how many are in force."""
    if len(signs) == 1 or (len(set(signs)) == 1 and signs[0] == NOT_DUE):
        return signs[0]
    return f"{sum(mark in HAS_DATA for mark in signs)}/{sum(mark != NOT_DUE for mark in signs)}"


def _in_full(states: States, feed: Feed, years: list[int]) -> list[tuple[str, list[str]]]:
    return [
        (deliverer.name, [sign(states, feed, slug, year) for year in years])
        for slug, deliverer in feed.deliverers.items()
    ]


def _styled(cell: str) -> str:
    if "/" in cell:
        here, expected = cell.split("/")
        style = "green" if here == expected else "magenta" if here == "0" else "yellow"
    else:
        style = STYLES.get(cell, "")
    return f"[{style}]{cell}[/]" if style else cell


def _newest_that_fit(years: list[int], width: int) -> list[int]:
    room = max((width - NAME_WIDTH - 2) // YEAR_WIDTH, 1)
    return years[-room:]


# --- what is open ----------------------------------------------------------------------------------------------------


def _print_open(home: Home, feeds: dict[str, Feed], console: Console) -> None:
    """Rejections that nothing has replaced, and withdrawn deliveries in whose place there is nothing."""
    directory = home.control / "delivery.parquet"
    if not directory.exists():
        console.print("\nEs ist noch keine Lieferung verarbeitet.")
        return
    rows = duckdb.execute(
        """
        select delivery_id, feed, file_name, reason, state from read_parquet($1) as d
        where state = 'rejected' and not exists (
            from read_parquet($1) as later
            where later.feed = d.feed and later.deliverer = d.deliverer and later.year = d.year
                and later.received > d.received and later.state != 'withdrawn'
        ) or state = 'withdrawn' and not exists (
            from read_parquet($1) as other
            where other.feed = d.feed and other.deliverer = d.deliverer and other.year = d.year
                and other.state = 'accepted'
        )
        order by received, delivery_id
        """,
        [str(directory)],
    ).fetchall()
    for delivery_id, feed, file_name, reason, state in rows:
        if feed is None or feed in feeds:
            title = "Abgewiesen" if state == "rejected" else "Zurückgenommen"
            console.print(f"\n[bold red]{title}:[/] {escape(file_name)} ({delivery_id})", highlight=False)
            console.print(f"  {reason}", markup=False, highlight=False)
        if state == "rejected" and (feed is None or feed in feeds):
            _print_mending(home, delivery_id, console)


def _print_mending(home: Home, delivery_id: str, console: Console) -> None:
    rules = duckdb.execute(
        "select distinct expectation from read_parquet(?)"
        " where delivery_id = ? and not passed and severity = 'error' order by 1",
        [str(home.control / "finding_delivery.parquet"), delivery_id],
    ).fetchall()
    names = ", ".join(name for (name,) in rules)
    if names:
        console.print(f"  Regeln: [{names}]", markup=False, highlight=False)
    report = home.rejected / delivery_id / "rueckmeldung.html"
    console.print(f"  Rückmeldung zum Weiterleiten: {report} (auch .xlsx)", markup=False, highlight=False)


def _print_waivers(home: Home, feeds: dict[str, Feed], console: Console) -> None:
    """Exceptions in force, soon to end first in sight, and those that ended lately."""
    from orchestration.decide import is_in_force, scope, validity
    from orchestration.gates.decisions import load_decisions

    decisions = load_decisions(home)
    current = [w for w in decisions.waivers if w.feed in feeds and is_in_force(decisions, w)]
    for waiver in sorted(current, key=lambda w: str(w.expires)):
        console.print(f"\n[bold yellow]Ausnahme[/] {escape(validity(decisions, waiver))}: {escape(scope(waiver))}")
        console.print(f"  {waiver.reason} ({waiver.decision_id})", markup=False, highlight=False)


def _print_open_streets(home: Home, console: Console) -> None:
    from orchestration.addresses import open_streets

    if waiting := open_streets(home):
        streets = counted(waiting, "Straße aus einem Melderegister steht", "Straßen aus Melderegistern stehen")
        console.print(f"\n{streets} nicht im Adressverzeichnis: `ipso adressen`.", highlight=False)


# --- small things ----------------------------------------------------------------------------------------------------


def _console() -> Console:
    return Console(width=None if sys.stdout.isatty() else PLAIN_WIDTH)


def _feeds(only: str | None) -> dict[str, Feed]:
    feeds = {name: feed for name, feed in load_feeds().items() if only in (None, name)}
    if not feeds:
        raise click.UsageError(f"Die Art „{only}“ gibt es nicht. Es gibt: {', '.join(load_feeds())}.")
    return feeds


def _title(feeds: dict[str, Feed], feed: str | None, deliverer: str | None, year: int | None) -> str:
    if feed not in feeds:
        return "Keiner Lieferart zuzuordnen"
    who = feeds[feed].deliverers.get(str(deliverer))
    return f"{feeds[feed].title} ({feed}), {who.name if who else deliverer}, {year}"


def _german(received: dt.datetime) -> str:
    from orchestration.gates.decisions import german_moment

    return german_moment(received.replace(tzinfo=dt.UTC).isoformat())
