"""The written contract of a feed, for the deliverer: a German page made from declaration and suite.

What the page says is what the gate does, for both are made from the same data. Nothing is decided here, and nothing is
read of any delivery.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import click
import yaml

from orchestration.feeds.declaration import EXTENSIONS, Column, Deliverer, Feed, load_feeds
from orchestration.feeds.encoding import TITLES
from orchestration.feeds.odcs import contract
from orchestration.gates import residents, street_rules
from orchestration.gates.contract import feed_suite
from orchestration.gates.suites import SEVERITIES
from orchestration.home import REPOSITORY

FORMATS = {
    "delimited": "Text mit Trennzeichen und einer Kopfzeile (CSV)",
    "xlsx": "Excel-Arbeitsmappe (XLSX), erstes Blatt; Titel darüber und Fußnoten darunter sind erlaubt",
    "genesis": "GENESIS-Tabelle als CSV (datencsv), unverändert",
    "votemanager": "votemanager-CSV, unverändert",
    "xls": "Excel-Arbeitsmappe alter Form (XLS), sonst wie XLSX",
    "ods": "OpenDocument-Tabelle (ODS), sonst wie XLSX",
    "ffcsv": "GENESIS-Tabelle als flache CSV (ffcsv), unverändert",
    "gv100ad": "Gemeindeverzeichnis GV100AD (feste Breite), unverändert",
    "gebref": "Adressverzeichnis gebref (Text ohne Kopfzeile), unverändert",
    "geopackage": "GeoPackage mit einer Ebene",
    "geojson": "GeoJSON",
    "shapefile": "Shapefile, alle Teile in einem ZIP-Archiv",
    "parquet": "Parquet",
}
AREAS = "GeoPackage mit einer Ebene; ebenso Shapefile (.zip) oder GeoJSON (.geojson)"
CADENCES = {
    "annual": "jährlich",
    "biennial": "alle zwei Jahre",
    "election": "nach jeder Wahl",
    "on change": "bei jeder Änderung",
    "once": "einmalig",
}
# Said once for all columns.
COMMON = {
    "cell_is_readable": "Jede Zelle ist lesbar und so angegeben, wie es unter „Spalten“ steht.",
    "value_is_not_negative": "Kein Wert ist negativ.",
}
GRAINS = {
    "person": "eine Zeile je Person",
    "aggregate": "eine Zeile je Gebiet",
    "geography": "eine Zeile je Gebiet",
    "record": "eine Zeile je Eintrag",
}
LEVELS = {
    "bund": "Bund",
    "land": "Land",
    "regierungsbezirk": "Regierungsbezirk",
    "kreis": "Kreis (05378)",
    "kommune": "Kommune (05378004)",
    "bezirk": "statistischer Bezirk (05378004-B12)",
    "sozialraum": "Sozialraum (05378004-07)",
    "nicht_verortbar": "nicht zuordenbar (05378004-00)",
}
STYLE = """
body { font: 11pt/1.45 "Segoe UI", "Liberation Sans", sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem }
th, td { border: 1px solid #767676; padding: .25rem .5rem; text-align: left; vertical-align: top }
th { background: #eee } h2 { margin-top: 2rem }
@media print { body { margin: 0; max-width: none } tr { break-inside: avoid } }
"""


def agreement(feed: Feed, deliverers: Sequence[Deliverer] = ()) -> str:
    """The agreement as Markdown: with these deliverers, or with all of the feed."""
    partners = list(deliverers) or list(feed.deliverers.values())
    parts = [
        f"# Vereinbarung über die Lieferung „{feed.title}“",
        _what(feed),
        "## Wer liefert was bis wann",
        _table(
            ["Lieferant", "Datei im Abgabeordner", "Form", "Zeichenkodierung", "Zahlen"], _partner_rows(feed, partners)
        ),
        _when(feed),
        "## Spalten",
        "Die Reihenfolge ist frei; Groß- und Kleinschreibung, Leer- und Satzzeichen der Überschriften spielen keine "
        "Rolle. Gestapelte Überschriften stehen hier mit Schrägstrich, von oben nach unten.",
        _table(
            ["Inhalt", "anerkannte Überschriften", "Angabe", "Hinweise"], [_column_row(c, feed) for c in feed.columns]
        ),
    ]
    if feed.measures:
        parts += ["## Zeichen statt Zahlen", _table(["Zeichen", "Bedeutung"], _symbols()), _confidentiality(feed)]
    parts += ["## Was geprüft wird", _rules_text(feed, partners)]
    return "\n\n".join(parts) + "\n"


def agreement_page(feed: Feed, deliverers: Sequence[Deliverer] = ()) -> str:
    """The same as an HTML page that needs nothing from elsewhere and prints well."""
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(agreement(feed, deliverers))
    return (
        '<!doctype html>\n<html lang="de">\n<head>\n<meta charset="utf-8">\n'
        f"<title>Vereinbarung {feed.name}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
    )


def _what(feed: Feed) -> str:
    note = f"\n\n{feed.note.strip()}" if feed.note else ""
    return f"Inhalt: {GRAINS[feed.grain]}. Quelle: {feed.source}. Nutzung: {feed.licence}.{note}"


def _partner_rows(feed: Feed, partners: list[Deliverer]) -> list[list[str]]:
    return [
        [
            partner.name,
            f"`{partner.slug}/{feed.name}_<Jahr>.{EXTENSIONS[partner.format]}`",
            AREAS if feed.grain == "geography" else FORMATS.get(partner.format, partner.format),
            TITLES.get(partner.encoding or "", "–"),
            f"wie {partner.numbers}",
        ]
        for partner in partners
    ]


def _when(feed: Feed) -> str:
    years = ", ".join(str(year) for year in feed.years)
    if len(feed.years) > 2 and feed.years == tuple(range(feed.years[0], feed.years[-1] + 1)):
        years = f"{feed.years[0]} bis {feed.years[-1]}"
    facts = [
        f"Rhythmus: {CADENCES.get(feed.cadence, feed.cadence)}",
        f"Jahre: {years}",
        f"Stichtag: {feed.reference_date}",
    ]
    if feed.cadence in ("annual", "biennial"):
        facts.append(f"fällig bis zum {feed.due} des folgenden Jahres")
    return "\n".join(f"- {fact}" for fact in facts)


def _column_row(column: Column, feed: Feed) -> list[str]:
    headers = ", ".join(f"„{header}“" for header in column.headers)
    return [column.title, headers, _value(column, feed), "; ".join(_remarks(column, feed)) or "–"]


def _value(column: Column, feed: Feed) -> str:
    match column.type:
        case "digits":
            return f"Schlüssel mit {column.width} Ziffern"
        case "date":
            return f"Datum ({' oder '.join(feed.date_formats)})"
        case "number":
            return "Zahl"
        case "code":
            return "; ".join(f"{code}: {', '.join(spellings)}" for code, spellings in column.codes.items())
        case "area":
            return "Gebietsschlüssel: " + ", ".join(LEVELS[level] for level in column.levels)
        case "measure":
            return "Zahl oder Zeichen"
        case _:
            return "Text"


def _remarks(column: Column, feed: Feed) -> list[str]:
    remarks = []
    if column.name in feed.key:
        remarks.append("Schlüssel der Zeile")
    if column.type == "date" and feed.format == "xlsx" and feed.grain != "person":
        remarks.append("statt in einer Spalte auch in einer Titelzeile: „Stichtag: TT.MM.JJJJ“")
    if column.personal:
        remarks.append("personenbezogen: erscheint in keiner Rückmeldung")
    if column.optional:
        remarks.append("Spalte darf fehlen")
    elif not column.required:
        remarks.append("Zelle darf leer sein")
    if column.part_of:
        remarks.append("Teil von " + " und von ".join(f"„{feed.column(whole).title}“" for whole in column.part_of))
    return remarks


def _symbols() -> list[list[str]]:
    with (REPOSITORY / "seeds" / "symbols.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [["`0`", "weniger als die Hälfte der kleinsten Einheit"], *([f"`{r['zeichen']}`", r["title"]] for r in rows)]


def _confidentiality(feed: Feed) -> str:
    secret = feed.confidentiality
    lines = ["Kleine Werte brauchen nicht gesperrt zu werden."]
    if secret.minimum:
        zeros = " (außer null)" if secret.zeros_shown else ", auch null,"
        lines = [
            f"Werte unter {secret.minimum}{zeros} und Werte, aus denen sie sich errechnen ließen, "
            "stehen als `*`. Veröffentlicht werden sie in keinem Fall."
        ]
    for column, counted in secret.counted_by.items():
        lines.append(
            f"„{feed.column(column).title}“ wird nur veröffentlicht, wenn auch „{feed.column(counted).title}“ "
            f"mindestens {secret.minimum} beträgt."
        )
    for column, rule in secret.dominance.items():
        lines.append(
            f"„{feed.column(column).title}“ bleibt geheim, wo sich ein Beitrag auf {rule.percent:g} % genau schätzen "
            f"ließe (p-%-Regel aus „{feed.column(rule.largest).title}“ und „{feed.column(rule.second).title}“)."
        )
    if secret.minimum_denominator:
        lines.append(f"Anteile an weniger als {secret.minimum_denominator} werden nicht ausgewiesen.")
    return "\n\n".join(lines)


def _rules_text(feed: Feed, partners: list[Deliverer]) -> str:
    rules: dict[str, dict[str, None]] = {"error": {}, "warning": {}}
    for partner in partners:
        for expectation in feed_suite(feed, partner)["expectations"]:
            severity = SEVERITIES[expectation.get("severity", "critical")]
            meta = expectation["meta"]
            rules[severity][COMMON.get(meta["name"], meta["note"])] = None
    beside = {"einwohner": residents.notes, "adressen": street_rules.notes}.get(feed.compare_with or "")
    for severity, note in beside() if beside else ():
        rules[severity][note] = None
    structure = ["Name, Form, Zeichenkodierung und Spalten der Datei sind wie vereinbart, die Datei ist vollständig."]
    lines = [
        "Wird eine dieser Regeln verletzt, wird die Lieferung als Ganzes abgewiesen; was vorher galt, gilt weiter:"
    ]
    lines += ["\n".join(f"- {rule}" for rule in [*structure, *rules["error"]])]
    if rules["warning"]:
        lines += ["Wird eine dieser Regeln verletzt, wird die Lieferung angenommen und nachgefragt:"]
        lines += ["\n".join(f"- {rule}" for rule in rules["warning"])]
    command = f"ipso check <Datei> --feed {feed.name} --lieferant {partners[0].slug} --jahr <Jahr>"
    lines.append(f"Vorab prüfen, ohne zu liefern: `{command}`")
    return "\n\n".join(lines)


def _table(header: list[str], rows: list[list[str]]) -> str:
    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

    return "\n".join([line(header), line(["---"] * len(header)), *(line(row) for row in rows)])


def print_agreement(name: str, slug: str | None, folder: Path | None, as_odcs: bool) -> None:
    """Print the agreement, or write one page per deliverer to `folder`. Raises click's UsageError in German."""
    feeds = load_feeds()
    if name not in feeds:
        raise click.UsageError(f"Die Art „{name}“ gibt es nicht. Es gibt: {', '.join(feeds)}.")
    feed = feeds[name]
    if slug is not None and slug not in feed.deliverers:
        raise click.UsageError(f"„{slug}“ liefert „{name}“ nicht. Es liefern: {', '.join(feed.deliverers)}.")
    chosen = [feed.deliverers[slug]] if slug else list(feed.deliverers.values())
    if as_odcs:
        text = yaml.safe_dump(contract(feed), allow_unicode=True, sort_keys=False, width=120)
        _give(text, folder and folder / f"{feed.name}.odcs.yaml")
    elif folder is None:
        _give(agreement(feed, chosen), None)
    else:
        for partner in chosen:
            _give(agreement_page(feed, [partner]), folder / f"vereinbarung_{feed.name}_{partner.slug}.html")


def _give(text: str, path: Path | None) -> None:
    if path is None:
        click.echo(text, nl=False)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    click.echo(f"{path} geschrieben")
