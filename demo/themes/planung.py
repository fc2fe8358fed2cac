"""Planning lists of the Kreis: addresses, services, goals, measures, feedback. All entries are invented.

Goals and feedback name indicators and themes of the seeds; services stand at addresses of `demo/geography.py`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from functools import lru_cache

import numpy as np
import pandas as pd

from demo.benefits import SGB2_UNDER_15_2014
from demo.files import DEMO_LABEL, KREIS, DemoFeed, File, csv_file, german, workbook
from demo.geography import Addresses, addresses
from demo.reference import Kommune, kommunen

LISTED = (2021, 2022, 2023)
_THEMES = {
    "demographie": "Demographische Daten",
    "einkommen": "Einkommen und Transferleistungen",
    "arbeit": "Arbeit",
    "wohnen": "Wohnen",
    "bildung": "Erziehung und Bildung",
    "gesundheit": "Gesundheit",
    "partizipation": "Partizipation und Teilhabe",
    "sicherheit": "Sicherheit",
}
_PROVIDERS = ("Wohlfahrtsverband A (Demo)", "Wohlfahrtsverband B (Demo)", "Kirchengemeinde (Demo)", "Verein (Demo)")


def _random(*key: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(list(key)))


def _day(day: dt.date) -> str:
    return day.strftime("%d.%m.%Y")


# --- adressen: Gebäudereferenzen NRW ------------------------------------------------------------------------------

_SINCE_2015 = 0.045
"""Share of today's addresses that were built after the extract of 2015."""


def _gebref(kommune: Kommune, places: Addresses, year: int) -> pd.DataFrame:
    """The Kommune's addresses in the columns of gebref.txt, without those whose coordinates got lost."""
    ags = kommune.area_id
    street = pd.Series(places.street.astype(str))
    number = pd.Series(places.house_number.astype(str)).str.extract(r"^(\d+)(.*)$")
    age = _random(710, int(ags)).random(len(street))
    table = pd.DataFrame(
        {
            "nba": "N",
            "oid": [f"DENW{ags[-3:]}DEMO{i:05d}" for i in range(len(street))],
            "qua": "A",
            "landschl": "05",
            "land": "Nordrhein-Westfalen",
            "regbezschl": "3",
            "regbez": "Köln",
            "kreisschl": "78",
            "kreis": "Rheinisch-Bergischer Kreis",
            "gmdschl": ags[-3:],
            "gmd": kommune.name,
            "ottschl": "0000",
            "ott": "",
            "strschl": (pd.factorize(street)[0] + 1).astype(str),
            "str": street,
            "hnr": number[0],
            "adz": number[1],
            "zone": "32",
            "ost": [f"{value:.3f}".replace(".", ",") for value in places.east],
            "nord": [f"{value:.3f}".replace(".", ",") for value in places.north],
            "datum": np.where(age < _SINCE_2015, "2021-06-30", "2014-06-30"),
        }
    )
    table["strschl"] = table["strschl"].str.zfill(5)
    return table[places.located & ((year >= 2023) | (age >= _SINCE_2015))]


def _adressen(year: int, _: list[pd.DataFrame]) -> Iterable[File]:
    tables = [_gebref(kommune, places, year) for kommune, places in _places()]
    text = pd.concat(tables).to_csv(sep=";", header=False, index=False, lineterminator="\r\n")
    yield File("kreis", f"adressen_{year}.txt", b"\xef\xbb\xbf" + text.encode())


@lru_cache(maxsize=1)
def _places() -> list[tuple[Kommune, Addresses]]:
    return [(kommune, addresses(kommune.area_id)) for kommune in kommunen()]


# --- angebote -----------------------------------------------------------------------------------------------------

# Name, theme, target group, how common per Sozialraum.
_SERVICES = [
    ("Offener Jugendtreff", "bildung", "Kinder und Jugendliche", 0.42),
    ("Familienzentrum", "bildung", "Familien", 0.38),
    ("Hausaufgabenhilfe", "bildung", "Kinder und Jugendliche", 0.22),
    ("Begegnungsstätte", "partizipation", "Seniorinnen und Senioren", 0.4),
    ("Nachbarschaftshilfe", "partizipation", "alle", 0.25),
    ("Pflegeberatung", "gesundheit", "Pflegebedürftige und Angehörige", 0.2),
    ("Demenzcafé", "gesundheit", "Pflegebedürftige und Angehörige", 0.16),
    ("Schuldnerberatung", "einkommen", "Menschen in Notlagen", 0.1),
    ("Tafel", "einkommen", "Menschen in Notlagen", 0.09),
    ("Beratung zum Berufseinstieg", "arbeit", "Kinder und Jugendliche", 0.1),
    ("Wohnberatung", "wohnen", "Seniorinnen und Senioren", 0.12),
]
_SERVICE_HEADER = [
    "Stand", "Nummer", "Angebot", "Träger", "Thema", "Zielgruppe", "Straße", "Hausnummer", "AGS", "Ostwert",
    "Nordwert", "seit", "bis",
]  # fmt: skip


def _angebote(year: int, _: list[pd.DataFrame]) -> Iterable[File]:
    rows = [row for kommune, places in _places() for row in _services(kommune, places, year)]
    yield File("kreis", f"angebote_{year}.csv", csv_file(_SERVICE_HEADER, rows, encoding="utf-8-sig"))


def _services(kommune: Kommune, places: Addresses, year: int) -> Iterator[list[str]]:
    """What is offered in the Kommune at the end of the year, or ended during it."""
    rng = _random(720, int(kommune.area_id))
    number = 0
    for area in range(len(places.sozialraum_ids)):
        at = np.flatnonzero((places.area == area) & places.located)
        for name, theme, group, common in _SERVICES:
            there, place, begun, ends, provider = rng.random(5)
            if there > common:
                continue
            number += 1
            since = dt.date(2004, 1, 1) + dt.timedelta(days=int(begun * 7100))
            until = max(since, dt.date(2021, 3, 31)) + dt.timedelta(days=100 + int(ends * 9000))
            if since.year > year or until.year < year:
                continue
            address = at[int(place * len(at))]
            # Some are on the move and have no address.
            located = ends > 0.02
            yield [
                f"31.12.{year}",
                f"A-{kommune.area_id[-3:]}-{number:03d}",
                f"{name} {kommune.short_name} {area + 1:02d} (Demo)",
                _PROVIDERS[int(provider * len(_PROVIDERS))],
                _THEMES[theme],
                group,
                str(places.street[address]) if located else "",
                str(places.house_number[address]) if located else "",
                kommune.area_id,
                f"{places.east[address]:.2f}".replace(".", ",") if located else "",
                f"{places.north[address]:.2f}".replace(".", ",") if located else "",
                _day(since),
                _day(until) if until.year == year else "",
            ]


# --- ziele and massnahmen -----------------------------------------------------------------------------------------

# Number, text, indicator (empty: cannot be measured), baseline and target value, target year.
_STRATEGIC = [
    ("Z-01", "Weniger Kinder wachsen in Armut auf", "sgb2_under_15_share", 11.3, 9.5, 2027),
    ("Z-02", "Langzeitarbeitslosigkeit verringern", "long_term_unemployed_share", 41.0, 36.0, 2027),
    ("Z-03", "Junge Menschen finden Ausbildung und Arbeit", "youth_unemployment_share", 3.6, 3.0, 2025),
    ("Z-04", "Mehr Menschen beteiligen sich an der Kommunalwahl", "council_turnout", 56.9, 60.0, 2025),
    ("Z-05", "Selbständig wohnen bis ins hohe Alter", "", None, None, None),
    ("Z-06", "Weniger Menschen sind auf SGB II angewiesen", "sgb2_ratio", 6.6, 6.0, 2027),
]
_DECIDED = {"Kreistag": dt.date(2020, 12, 10), "Rat": dt.date(2021, 6, 24)}
_GOAL_HEADER = [
    "Stand", "Ziel-Nr.", "Ziel", "Ebene", "Gebiet", "Indikator", "Ausgangsjahr", "Ausgangswert", "Zieljahr", "Zielwert",
    "beschlossen von", "beschlossen am",
]  # fmt: skip


def _goals() -> list[list[str]]:
    """Strategic goals of the Kreis, and two operational ones per Kommune."""
    rows = [
        _goal(number, text, "strategisch", KREIS, indicator, values, "Kreistag (Demo)", _DECIDED["Kreistag"])
        for number, text, indicator, *values in _STRATEGIC
    ]
    for kommune in kommunen():
        ags, council = kommune.area_id, f"Rat {kommune.short_name} (Demo)"
        poor = SGB2_UNDER_15_2014[ags]
        values: list[float | None] = [poor, round(poor * 0.85, 1), 2025]
        text = f"Weniger Kinder mit SGB-II-Bezug in {kommune.short_name}"
        rows.append(
            _goal(f"Z-{ags[-3:]}-1", text, "operativ", ags, "sgb2_under_15_share", values, council, _DECIDED["Rat"])
        )
        text = f"Treffpunkte für alle Generationen in {kommune.short_name}"
        rows.append(_goal(f"Z-{ags[-3:]}-2", text, "operativ", ags, "", [None, None, None], council, _DECIDED["Rat"]))
    return rows


def _goal(
    number: str, text: str, level: str, area: str, indicator: str, values: list[float | None], by: str, on: dt.date
) -> list[str]:
    baseline, target, until = values
    known = baseline is not None and target is not None and until is not None
    measured = ["2020", german(float(baseline or 0)), str(int(until or 0)), german(float(target or 0))]
    return [number, text, level, area, indicator, *(measured if known else [""] * 4), by, _day(on)]


def _ziele(year: int, _: list[pd.DataFrame]) -> Iterable[File]:
    rows = [row for row in _goals() if dt.datetime.strptime(row[-1], "%d.%m.%Y").year <= year]
    # The councils of two Kommunen decided a year later than the others.
    rows = [row for row in rows if year > 2021 or row[3] not in ("05378020", "05378028")]
    for row in rows:
        if row[3] in ("05378020", "05378028"):
            row[-1] = "23.06.2022"
    yield File(
        "kreis",
        f"ziele_{year}.csv",
        csv_file(_GOAL_HEADER, [[f"31.12.{year}", *row] for row in rows], encoding="utf-8-sig"),
    )


_MEASURES = {
    "sgb2_under_15_share": [("Lotsinnen in Familienzentren", "Familien"), ("Ferienbetreuung", "Familien")],
    "long_term_unemployed_share": [("Begleitung in Arbeit", "Menschen in Notlagen")],
    "youth_unemployment_share": [("Jugendberufsagentur", "Kinder und Jugendliche")],
    "council_turnout": [("Demokratiewerkstatt an Schulen", "Kinder und Jugendliche")],
    "sgb2_ratio": [("Energie- und Schuldnerberatung", "Menschen in Notlagen")],
    "": [("Offener Treff", "alle"), ("Aufsuchende Seniorenberatung", "Seniorinnen und Senioren")],
}


def _massnahmen(year: int, _: list[pd.DataFrame]) -> Iterable[File]:
    rows: list[list[str | float]] = []
    for goal, row in enumerate(_goals()):
        for number, (title, group) in enumerate(_MEASURES[row[4]], 1):
            start, length, money, provider = _random(730, goal, number).random(4)
            begin = dt.date(2021, 1, 1) + dt.timedelta(days=31 * int(start * 34))
            end = begin + dt.timedelta(days=365 * (1 + int(length * 4)))
            decided = "23.06.2022" if row[3] in ("05378020", "05378028") else row[-1]
            if dt.datetime.strptime(decided, "%d.%m.%Y").year > year:
                continue
            status = "geplant" if begin.year > year else "abgeschlossen" if end <= dt.date(year, 12, 31) else "laufend"
            rows.append(
                [f"M-{row[0][2:]}-{number}", row[0], f"{title} (Demo)", _PROVIDERS[int(provider * len(_PROVIDERS))],
                 group, _day(begin), _day(end), 5000 * (1 + int(money * 40)), status]
            )  # fmt: skip
    content = workbook(
        "Maßnahmen",
        ["Maßnahmenplanung der Sozialplanung", DEMO_LABEL, f"Stichtag: 31.12.{year}"],
        [["Maßnahme-Nr.", "Ziel-Nr.", "Maßnahme", "Träger", "Zielgruppe", "von", "bis", "Budget in EUR", "Status"]],
        rows,
        ["Budget: Summe über die Laufzeit, Eigenanteile der Träger eingeschlossen"],
    )
    yield File("kreis", f"massnahmen_{year}.xlsx", content)


# --- rueckmeldungen -----------------------------------------------------------------------------------------------

_GROUPS = ("Politik und Verwaltung", "Erbringer sozialer Dienstleistungen", "Bevölkerung")
_SAYINGS = [
    ("demographie", "Der Anteil älterer Menschen steigt schneller, als neue barrierearme Wohnungen entstehen."),
    ("einkommen", "Viele Familien kennen ihre Ansprüche auf Bildung und Teilhabe nicht; die Anträge sind zu schwer."),
    ("arbeit", "Ohne Kinderbetreuung am Nachmittag kommen Alleinerziehende nicht in Arbeit."),
    ("wohnen", "Bezahlbare kleine Wohnungen fehlen; wer ausziehen will, findet im Ort nichts."),
    ("bildung", "Die Plätze für unter 3-Jährige reichen nicht; Wartelisten sind länger als ein Jahr."),
    ("bildung", "Der Jugendtreff sollte auch am Wochenende offen sein."),
    ("gesundheit", "Der Weg zur nächsten Hausarztpraxis ist ohne Auto kaum zu schaffen."),
    ("gesundheit", "Pflegende Angehörige brauchen kurzfristig Entlastung, nicht erst nach Wochen."),
    ("partizipation", "Vereine finden kaum noch Menschen, die ein Vorstandsamt übernehmen."),
    ("sicherheit", "Die Unterführung am Bahnhof ist schlecht beleuchtet und wird abends gemieden."),
]


def _rueckmeldungen(year: int, _: list[pd.DataFrame]) -> Iterable[File]:
    header = ["Nummer", "Konferenz", "Datum", "Gruppe", "Gebiet", "Thema", "Rückmeldung"]
    rows: list[list[str]] = []
    conferences = [(KREIS, "Sozialplanungskonferenz (Demo)", dt.date(year, 11, 8))] + [
        (k.area_id, f"Sozialraumkonferenz {k.short_name} (Demo)", dt.date(year, 3 + n, 14))
        for n, k in enumerate(kommunen())
    ]
    for area, conference, day in conferences:
        rng = _random(740, year, int(area))
        for group in _GROUPS:
            for saying in sorted(rng.choice(len(_SAYINGS), size=int(rng.integers(1, 4)), replace=False)):
                theme, text = _SAYINGS[int(saying)]
                number = f"R-{year}-{len(rows) + 1:03d}"
                rows.append([number, conference, _day(day), group, area, _THEMES[theme], text])
    yield File("kreis", f"rueckmeldungen_{year}.csv", csv_file(header, rows, encoding="utf-8-sig"))


FEEDS = {
    "adressen": DemoFeed((2015, 2023), _adressen, count=None),
    "angebote": DemoFeed(LISTED, _angebote, count=None),
    "ziele": DemoFeed(LISTED, _ziele, count=None),
    "massnahmen": DemoFeed(LISTED, _massnahmen, count=None),
    "rueckmeldungen": DemoFeed(LISTED, _rueckmeldungen, count=None),
}
