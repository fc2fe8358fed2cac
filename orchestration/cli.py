"""The command `ipso`: what the steward and the operator type. Texts are German.

Thin: each command calls one function of the package and says what came out. Imports are inside the commands,
so that `ipso --help` and `ipso status` answer at once.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from orchestration.german_click import GermanCommand, GermanGroup
from orchestration.home import Home, default_home

CONTEXT = {"help_option_names": ["-h", "--help"]}


@click.group(cls=GermanGroup, context_settings=CONTEXT)
@click.option(
    "--home",
    "folder",
    type=click.Path(path_type=Path),
    help="Ordner der Installation (sonst IPSO_HOME oder ./data).",
)
@click.pass_context
def main(context: click.Context, folder: Path | None) -> None:
    """ipSo – das offene Sozialmonitoring: von den Lieferungen zum Bericht."""
    context.obj = Home(folder.resolve()) if folder else default_home()


@main.command(cls=GermanCommand, context_settings=CONTEXT)
@click.pass_obj
def setup(home: Home) -> None:
    """Einrichten, was sonst beim ersten Lauf geschieht: npm-Pakete des Berichts, Plan von dbt."""
    from orchestration.dbt import prepare_manifest
    from orchestration.report import install_packages

    click.echo("Einrichten: Pakete des Berichts, Plan von dbt")
    install_packages(lambda line: click.echo(f"  {line}"))
    prepare_manifest(home)


@main.command(cls=GermanCommand, context_settings=CONTEXT)
@click.option("--neu", is_flag=True, help="Auch dann schreiben, wenn diese Demo schon geliefert wurde.")
@click.pass_obj
def demo(home: Home, neu: bool) -> None:
    """Die Lieferungen des synthetischen Demo-Kreises in den Abgabeordner legen."""
    from demo import DEMO_VERSION

    home.create()
    stamp = home.root / ".demo-version"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == DEMO_VERSION and not neu:
        click.echo("Demo-Lieferungen: schon geliefert, nichts zu tun.")
        return
    from demo.deliveries import write_deliveries

    click.echo("Demo-Kreis: Lieferungen 2009 bis 2023 schreiben (synthetisch, deterministisch)")
    paths = write_deliveries(home.landing, progress=lambda line: click.echo(f"  {line}"), with_faults=True)
    stamp.write_text(DEMO_VERSION, encoding="utf-8")
    click.echo(f"{len(paths)} Dateien liegen in {home.landing}")
    click.echo("  Wie im Leben: eine Lieferung kommt nicht, eine ist fehlerhaft (`ipso status` zeigt beide).")


@main.command(cls=GermanCommand, context_settings=CONTEXT)
@click.option("--year", "--jahr", "year", type=int, help="Nur Lieferungen dieses Jahres verarbeiten.")
@click.pass_obj
def run(home: Home, year: int | None) -> None:
    """Alles Neue verarbeiten: prüfen, aufbereiten, schützen, veröffentlichen, Bericht bauen."""
    from orchestration.run import run_job

    sys.exit(run_job(home, year))


@main.command(cls=GermanCommand, context_settings=CONTEXT)
@click.argument("dateien", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--feed", help="Art der Lieferung, wenn der Dateiname sie nicht nennt (z. B. einwohner).")
@click.option("--lieferant", help="Wer liefert, wenn der Ordner es nicht nennt (z. B. burscheid).")
@click.option("--jahr", type=int, help="Berichtsjahr, wenn der Dateiname es nicht nennt.")
@click.pass_obj
def check(home: Home, dateien: tuple[Path, ...], feed: str | None, lieferant: str | None, jahr: int | None) -> None:
    """Dateien gegen ihre Vereinbarung prüfen, ohne sie zu liefern."""
    from orchestration.check import print_check

    sys.exit(max(print_check(home, path, feed, lieferant, jahr) for path in dateien))


@main.command(cls=GermanCommand, context_settings=CONTEXT)
@click.option("--feed", help="Nur diese Art der Lieferung, je Lieferant und Jahr.")
@click.option("--lieferant", help="Nur dieser Lieferant, mit allen seinen Lieferungen.")
@click.option("--jahr", type=int, help="Nur dieses Jahr, mit allen seinen Lieferungen.")
@click.option("--verlauf", is_flag=True, help="Jede Lieferung mit Zustand, Eingang und Grund statt der Übersicht.")
@click.pass_obj
def status(home: Home, feed: str | None, lieferant: str | None, jahr: int | None, verlauf: bool) -> None:
    """Welche Lieferung da ist, fehlt oder abgewiesen wurde: je Art, Lieferant und Jahr."""
    from orchestration.status import print_history, print_status

    if verlauf or lieferant or jahr:
        print_history(home, feed, lieferant, jahr)
    else:
        print_status(home, feed)


@main.command(cls=GermanCommand, context_settings=CONTEXT)
@click.option("--feed", help="Art der Lieferung, z. B. einwohner.")
@click.option("--regel", help="Name der Regel, wie `ipso check` und `ipso status` ihn in eckigen Klammern nennen.")
@click.option("--bis", help="Letzter Tag (TT.MM.JJJJ), an dem eine Lieferung eingehen darf; höchstens zwei Jahre.")
@click.option("--grund", "--reason", "reason", help="Warum; wird mit dem Bericht veröffentlicht (keine Personen).")
@click.option("--spalte", help="Nur Befunde dieser Spalte.")
@click.option("--lieferant", help="Nur Lieferungen dieses Lieferanten.")
@click.option("--jahr", "jahre", type=int, multiple=True, help="Nur Lieferungen für dieses Jahr; mehrfach möglich.")
@click.option("--von", "by", help="Wer das entscheidet (sonst: wer angemeldet ist).")
@click.option("--list", "--liste", "listed", is_flag=True, help="Die Ausnahmen zeigen.")
@click.option("--end", "--beenden", "ends", metavar="KENNUNG", help="Eine Ausnahme von jetzt an beenden.")
@click.pass_obj
def waive(
    home: Home,
    feed: str | None,
    regel: str | None,
    bis: str | None,
    reason: str | None,
    spalte: str | None,
    lieferant: str | None,
    jahre: tuple[int, ...],
    by: str | None,
    listed: bool,
    ends: str | None,
) -> None:
    """Eine befristete Ausnahme eintragen: ein Fehler wird zum Hinweis, mit Grund und Ablauf."""
    from orchestration import decide

    if listed:
        sys.exit(decide.print_waivers(home))
    if ends:
        sys.exit(decide.end_waiver(home, ends, reason, by))
    sys.exit(decide.add_waiver(home, feed, regel, bis, reason, spalte, lieferant, jahre, by))


@main.command(cls=GermanCommand, context_settings=CONTEXT)
@click.argument("kennung")
@click.option("--reason", "--grund", "reason", help="Warum; wird mit dem Bericht veröffentlicht (keine Personen).")
@click.option("--undo", "--doch", is_flag=True, help="Die Rücknahme aufheben: die Lieferung zählt wieder.")
@click.option("--von", "by", help="Wer das entscheidet (sonst: wer angemeldet ist).")
@click.pass_obj
def withdraw(home: Home, kennung: str, reason: str | None, undo: bool, by: str | None) -> None:
    """Eine angenommene Lieferung zurücknehmen; die vorige tritt wieder in Kraft. KENNUNG wie in `ipso status`."""
    from orchestration import decide

    sys.exit(decide.withdraw(home, kennung, reason, undo, by))


@main.group(cls=GermanGroup, context_settings=CONTEXT, invoke_without_command=True)
@click.pass_context
def gebiete(context: click.Context) -> None:
    """Was Neuzuschnitte von Sozialräumen geändert haben; `bestaetigen` trägt die Zustimmung ein."""
    from orchestration.redrawn_areas import print_redrawn

    if context.invoked_subcommand is None:
        sys.exit(print_redrawn(context.obj))


@gebiete.command("bestaetigen", cls=GermanCommand, context_settings=CONTEXT)
@click.argument("kommune")
@click.argument("datum")
@click.option("--grund", "--reason", "reason", help="Warum; steht bei der Entscheidung (keine Personen).")
@click.option("--von", "by", help="Wer das entscheidet (sonst: wer angemeldet ist).")
@click.pass_obj
def bestaetigen_gebiete(home: Home, kommune: str, datum: str, reason: str | None, by: str | None) -> None:
    """Den neuen Zuschnitt einer KOMMUNE (Name oder AGS) seit DATUM (TT.MM.JJJJ) bestätigen."""
    from orchestration.redrawn_areas import confirm

    sys.exit(confirm(home, kommune, datum, reason, by))


@main.group(cls=GermanGroup, context_settings=CONTEXT, invoke_without_command=True)
@click.option("--kommune", help="Nur diese Kommune, z. B. roesrath.")
@click.option("--alle", is_flag=True, help="Auch was schon bestätigt oder abgelehnt ist.")
@click.pass_context
def adressen(context: click.Context, kommune: str | None, alle: bool) -> None:
    """Straßen, die das Adressverzeichnis so nicht kennt: Vorschläge sehen, bestätigen, ablehnen.

    Bestätigt wird eine Schreibweise einmal; von da an gilt sie für alle Register dieser Kommune. Ablehnen nimmt auch
    eine Bestätigung zurück.
    """
    from orchestration import addresses

    if context.invoked_subcommand is None:
        sys.exit(addresses.print_review(context.obj, kommune, alle))


@adressen.command(cls=GermanCommand, context_settings=CONTEXT)
@click.argument("kennungen", nargs=-1, required=True, metavar="KENNUNG...")
@click.option("--strasse", help="Eine andere Straße des Adressverzeichnisses als die vorgeschlagene.")
@click.option("--grund", "reason", help="Warum (bleibt im Archiv, wird nicht veröffentlicht).")
@click.option("--von", "by", help="Wer das entscheidet (sonst: wer angemeldet ist).")
@click.pass_obj
def bestaetigen(
    home: Home, kennungen: tuple[str, ...], strasse: str | None, reason: str | None, by: str | None
) -> None:
    """Die vorgeschlagene (oder mit --strasse genannte) Straße ist gemeint."""
    from orchestration import addresses

    sys.exit(addresses.confirm(home, kennungen, strasse, reason, by))


@adressen.command(cls=GermanCommand, context_settings=CONTEXT)
@click.argument("kennungen", nargs=-1, required=True, metavar="KENNUNG...")
@click.option("--grund", "reason", help="Warum (bleibt im Archiv, wird nicht veröffentlicht).")
@click.option("--von", "by", help="Wer das entscheidet (sonst: wer angemeldet ist).")
@click.pass_obj
def ablehnen(home: Home, kennungen: tuple[str, ...], reason: str | None, by: str | None) -> None:
    """Die vorgeschlagene Straße ist nicht gemeint; sie wird nicht wieder vorgeschlagen."""
    from orchestration import addresses

    sys.exit(addresses.reject(home, kennungen, reason, by))


@adressen.command(cls=GermanCommand, context_settings=CONTEXT)
@click.argument("datei", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def liste(home: Home, datei: Path) -> None:
    """Die offenen Vorschläge als CSV zum Ausfüllen schreiben (Spalte „Entscheidung“: ja oder nein)."""
    from orchestration import addresses

    sys.exit(addresses.write_list(home, datei))


@adressen.command(cls=GermanCommand, context_settings=CONTEXT)
@click.argument("datei", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--von", "by", help="Wer das entscheidet (sonst: wer angemeldet ist).")
@click.pass_obj
def einlesen(home: Home, datei: Path, by: str | None) -> None:
    """Eine ausgefüllte Liste übernehmen; Zeilen ohne Entscheidung bleiben offen."""
    from orchestration import addresses

    sys.exit(addresses.read_list(home, datei, by))


@main.command(cls=GermanCommand, context_settings=CONTEXT)
@click.argument("feed")
@click.option("--lieferant", help="Nur die Vereinbarung mit diesem Lieferanten.")
@click.option(
    "--nach",
    type=click.Path(file_okay=False, path_type=Path),
    help="Je Lieferant eine HTML-Seite zum Drucken und Versenden in diesen Ordner schreiben.",
)
@click.option("--odcs", is_flag=True, help="Als Open Data Contract (ODCS 3.2, YAML) ausgeben.")
def vertrag(feed: str, lieferant: str | None, nach: Path | None, odcs: bool) -> None:
    """Die schriftliche Vereinbarung über eine Lieferung: wer, was, bis wann, in welcher Form, welche Regeln."""
    from orchestration.feeds.agreement import print_agreement

    print_agreement(feed, lieferant, nach, odcs)


@main.command(cls=GermanCommand, context_settings=CONTEXT)
@click.argument("gebiet")
@click.argument("indikator")
@click.argument("jahr", type=int)
@click.pass_obj
def trace(home: Home, gebiet: str, indikator: str, jahr: int) -> None:
    """Eine veröffentlichte Zahl zurückverfolgen: GEBIET (z. B. 05378004-07), INDIKATOR, JAHR."""
    from orchestration.trace import print_trace

    sys.exit(print_trace(home, gebiet, indikator, jahr))


@main.command(cls=GermanCommand, context_settings=CONTEXT)
@click.argument("veroeffentlichung", default="current")
@click.option("--allein", is_flag=True, help="Ohne das, was frühere Veröffentlichungen daneben verraten.")
@click.option(
    "--mindestens", default=3, show_default="3", help="Kleinste Anzahl, die gezeigt werden darf, wo keine Regel steht."
)
@click.pass_obj
def audit(home: Home, veroeffentlichung: str, allein: bool, mindestens: int) -> None:
    """Prüfen, ob sich aus allen Zahlen einer Veröffentlichung Geheimes errechnen lässt (Ordner oder Kennung)."""
    from orchestration.disclosure.audit_command import print_audit

    sys.exit(print_audit(home, veroeffentlichung, allein, mindestens))


@main.command(cls=GermanCommand, context_settings=CONTEXT)
@click.option("--port", default=8080, show_default="8080", help="Anschluss des Berichts.")
@click.option("--dagster-port", default=3000, show_default="3000", help="Anschluss der Dagster-Oberfläche.")
@click.pass_obj
def up(home: Home, port: int, dagster_port: int) -> None:
    """Dagster-Oberfläche mit Zeitplänen und den Bericht starten (nur auf diesem Rechner: 127.0.0.1)."""
    from orchestration.up import start

    sys.exit(start(home, port, dagster_port))


if __name__ == "__main__":
    main()
