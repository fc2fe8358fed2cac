"""From a published number back to what it was made of: deliveries, files, hashes, gate results.

Reads the current release (as any reader could) and, for the files, the archive.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import duckdb

from orchestration.feeds.finding import counted
from orchestration.gates.states import STATE_TITLES
from orchestration.home import Home

STATUS_TITLES = {
    "ok": "",
    "zero": "genau null",
    "suppressed": "geheim gehalten",
    "missing": "fehlt",
    "not_applicable": "auf dieser Ebene nicht anwendbar",
    "unreliable": "nicht verlässlich",
    "break": "Bruch in der Reihe",
}


METHOD_TITLES = {
    "gezaehlt": ", dort gezählt",
    "einwohnergewichtet": ", umgerechnet nach Einwohnern",
    "flaechengewichtet": ", umgerechnet nach Fläche",
}


def print_trace(home: Home, area: str, indicator: str, year: int) -> int:
    """Exit status 0 found, 1 no such value in the current release, 2 no release."""
    path = home.releases / "current" / "ipso.duckdb"
    if not path.exists():
        click.echo("Es gibt noch keine Veröffentlichung (erst `ipso run`).", err=True)
        return 2
    with duckdb.connect(str(path), read_only=True) as release:
        fact = release.execute(
            """
            -- as counted, where the area existed in that year; else on today's areas
            select a.name, i.title, i.unit, f.value, f.value_status, f.numerator, f.denominator,
                f.numerator_date, f.denominator_date, f.boundary, f.conversion_method, f.conversion_error
            from fct_indicator as f
            join dim_area as a using (area_id)
            join dim_indicator as i using (indicator_id)
            where f.area_id = ? and f.indicator_id = ? and f.year = ?
            order by f.boundary, a.valid_from desc
            """,
            [area, indicator, year],
        ).fetchone()
        if fact is None:
            _say_what_there_is(release, area, indicator, year)
            return 1
        _print_fact(area, year, fact)
        _print_release(release)
        rows = release.execute(
            """
            select l.role, d.delivery_id, d.feed, d.deliverer, d.year, d.received, d.sha256, d.row_count, d.state
            from meta_lineage as l
            join meta_delivery as d using (delivery_id)
            where l.area_id = ? and l.indicator_id = ? and l.year = ? and l.boundary = ?
            order by l.role desc, d.delivery_id
            """,
            [area, indicator, year, fact[9]],
        ).fetchall()
        for row in rows:
            _print_delivery(home, release, row)
        _print_plausibility(release, area, year)
        if not rows:
            click.echo("Keine Lieferung: für diesen Wert gibt es keine Zahl.")
    return 0


def _print_fact(area: str, year: int, fact: tuple) -> None:
    name, title, unit, value, status, numerator, denominator, numerator_date, denominator_date, *boundary = fact
    shown = STATUS_TITLES[status] if value is None else _german(value) + (" %" if unit == "percent" else "")
    click.echo(f"{title}, {name} ({area}), {year}: {shown}")
    if numerator is not None:
        click.echo(f"  Zähler {_german(numerator)} (Stand {_date(numerator_date)})")
    if denominator is not None:
        click.echo(f"  Nenner {_german(denominator)} (Stand {_date(denominator_date)})")
    if boundary[0] == "current":
        method = METHOD_TITLES.get(boundary[1], "")
        click.echo(f"  In den heutigen Grenzen, die {year} noch nicht galten{method}.")
        if boundary[2]:
            click.echo(f"  Standardfehler der Umrechnung: {_german(round(boundary[2], 1))}")


def _print_release(release: duckdb.DuckDBPyConnection) -> None:
    release_id, created, code = release.execute(
        "select release_id, created, code_version from meta_release"
    ).fetchall()[0]
    click.echo(f"Release {release_id}, Datenstand {created:%d.%m.%Y %H:%M} UTC, Programm {code}")


def _print_delivery(home: Home, release: duckdb.DuckDBPyConnection, row: tuple) -> None:
    role, delivery_id, feed, deliverer, year, received, sha256, row_count, state = row
    click.echo(f"{'Zähler' if role == 'numerator' else 'Nenner'} ← Lieferung {delivery_id}")
    click.echo(
        f"  {feed} von {deliverer} für {year}, eingegangen {received:%d.%m.%Y %H:%M} UTC,"
        f" {counted(row_count, 'Zeile', 'Zeilen')}, {STATE_TITLES[state]}"
    )
    receipt = home.archive / "deliveries" / f"{delivery_id}.json"
    if receipt.exists():
        click.echo(f"  Datei   {json.loads(receipt.read_text(encoding='utf-8'))['file_name']}")
    blob = home.archive / "blobs" / sha256[:2] / sha256
    click.echo(f"  SHA-256 {sha256}")
    click.echo(f"  Archiv  {_relative(blob, home.root)}{'' if blob.exists() else '  (FEHLT)'}")
    passed, failed = release.execute(
        "select count(*) filter (passed), count(*) filter (not passed) from meta_finding where delivery_id = ?",
        [delivery_id],
    ).fetchall()[0]
    click.echo(f"  Liefertor: {passed} Prüfungen bestanden, {counted(failed, 'Hinweis', 'Hinweise')}")
    for (message,) in release.execute(
        "select message from meta_finding where delivery_id = ? and not passed order by message",
        [delivery_id],
    ).fetchall():
        click.echo(f"    Hinweis: {message}")


def _print_plausibility(release: duckdb.DuckDBPyConnection, area: str, year: int) -> None:
    """What the plausibility gate has to say about this area in this year."""
    messages = release.execute(
        "select message from meta_finding"
        " where gate = 'plausibility' and area_id = ? and year = ? and not passed order by message",
        [area, year],
    ).fetchall()
    click.echo(f"Plausibilitätstor: {counted(len(messages), 'Hinweis', 'Hinweise')} zu diesem Gebiet und Jahr")
    for (message,) in messages:
        click.echo(f"    Hinweis: {message}")


def _say_what_there_is(release: duckdb.DuckDBPyConnection, area: str, indicator: str, year: int) -> None:
    def known(query: str, value: str | int) -> bool:
        return release.execute(query, [value]).fetchone() is not None

    if not known("select 1 from dim_area where area_id = ?", area):
        click.echo(f"Das Gebiet „{area}“ gibt es nicht (z. B. 05378, 05378004, 05378004-07).", err=True)
    elif not known("select 1 from dim_indicator where indicator_id = ?", indicator):
        names = [row[0] for row in release.execute("select indicator_id from dim_indicator order by 1").fetchall()]
        click.echo(f"Den Indikator „{indicator}“ gibt es nicht. Es gibt: {', '.join(names)}.", err=True)
    else:
        click.echo(f"Für {year} gibt es keinen Wert dieses Indikators.", err=True)


def _german(value: float) -> str:
    text = f"{value:,.0f}" if float(value).is_integer() else f"{value:,.1f}"
    return text.translate(str.maketrans(",.", ".,"))


def _date(value: object) -> str:
    return f"{value:%d.%m.%Y}" if value else "unbekannt"


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix()
