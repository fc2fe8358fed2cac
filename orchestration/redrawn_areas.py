"""The command `ipso gebiete`: what new versions of Sozialräume changed, and the steward's confirmation. German."""

from __future__ import annotations

import datetime as dt

import click
import pandas as pd
from rich.console import Console
from rich.table import Table

from orchestration.decide import NEXT_RUN, Refused, checked_reason, record
from orchestration.gates import decisions as made
from orchestration.gates.decisions import CONFIRMATION, Decision, german_date, load_decisions
from orchestration.gates.redrawn import KIND_TITLES, changes, confirmation, find_kommune, redrawn_versions
from orchestration.home import Home

PLAIN_WIDTH = 110


def print_redrawn(home: Home, console: Console | None = None) -> int:
    """A table per Kommune and redrawn version; exit status 0."""
    console = console or Console(width=None if Console().is_terminal else PLAIN_WIDTH)
    versions, rows = redrawn_versions(home), changes(home)
    if versions.empty:
        console.print("Bisher hat keine Kommune ihre Sozialräume neu zugeschnitten.")
    by_id = {d.decision_id: d for d in load_decisions(home).all}
    for version in versions.itertuples():
        state = _state(by_id.get(str(version.confirmed)))
        console.print(f"\n{version.area_name}, Zuschnitt seit {version.valid_from_text}: {state}", highlight=False)
        part = rows[(rows["ags"] == version.area_id) & (rows["new_valid_from"] == version.valid_from)]
        console.print(_table(part))
    if len(versions) and versions["confirmed"].isna().any():
        console.print('\nBestätigen: `ipso gebiete bestaetigen KOMMUNE TT.MM.JJJJ --grund "…"`', highlight=False)
    return 0


def confirm(home: Home, kommune: str, day: str, reason: str | None, by: str | None) -> int:
    """Record that the steward agrees with what the comparison found; exit status 0 recorded, 1 refused."""
    try:
        ags = find_kommune(kommune)
        if ags is None:
            raise Refused(f"Eine Kommune „{kommune}“ gibt es nicht; bitte Name oder AGS nennen.")
        wanted = _day(day)
        versions = redrawn_versions(home)
        found = versions[(versions["area_id"] == ags) & (versions["valid_from"] == wanted)]
        if found.empty:
            raise Refused(
                f"Zum {german_date(wanted)} hat diese Kommune nichts neu zugeschnitten. Was es gibt: `ipso gebiete`."
            )
        delivery = found["delivery_id"].iloc[0]
        if confirmation(home, ags, wanted, delivery):
            raise Refused("Dieser Zuschnitt ist schon bestätigt.")
        decision = Decision(
            "",
            CONFIRMATION,
            made.now(),
            by or made.os_user(),
            checked_reason(reason),
            delivery_id=delivery,
            ags=ags,
            valid_from=wanted.isoformat(),
        )
        recorded = record(home, decision)
    except Refused as refusal:
        click.echo(str(refusal), err=True)
        return 1
    click.echo(f"Bestätigt als {recorded.decision_id}: {found['area_name'].iloc[0]}, seit {german_date(wanted)}.")
    click.echo(NEXT_RUN)
    return 0


def _state(decision: Decision | None) -> str:
    if decision is None:
        return "noch nicht bestätigt"
    return f"bestätigt am {made.german_moment(decision.decided)} von {decision.by}: {decision.reason}"


def _table(rows: pd.DataFrame) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    for title in ("vorher", "jetzt", "was"):
        table.add_column(title)
    for title in ("Einwohner: vom alten", "vom neuen", "Fläche: vom alten", "vom neuen"):
        table.add_column(title, justify="right")
    shares = ("population_share", "population_share_back", "area_share", "area_share_back")
    for row in rows.to_dict("records"):
        names = [row[key] if isinstance(row[key], str) else "–" for key in ("old_area_id", "new_area_id")]
        table.add_row(*names, KIND_TITLES[row["kind"]], *[_percent(row[share]) for share in shares])
    return table


def _percent(share: float) -> str:
    return "–" if pd.isna(share) else f"{100 * share:.0f} %"


def _day(text: str) -> dt.date:
    for form in ("%d.%m.%Y", "%Y-%m-%d"):
        try:
            return dt.datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise Refused(f"„{text}“ ist kein Datum der Form TT.MM.JJJJ.")
