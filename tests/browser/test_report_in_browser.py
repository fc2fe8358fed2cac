"""Every kind of page in Chromium: German, complete, silent, and without a request to any other host."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from decoded import blank_counts, finds, leaks
from marked import PERSON, PERSON_MARKERS

from orchestration.home import REPOSITORY, Home

pytestmark = pytest.mark.browser

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
PAGES = {
    "start": "/",
    "kommunen": "/kommune/",
    "kommune": "/kommune/05378004/",
    "sozialraum": "/sozialraum/05378004-07/",
    "indikatoren": "/indikator/",
    "indikator": "/indikator/sgb2_under_15_share/",
    "indikator-ohne-sozialraum": "/indikator/dwellings_per_1000/",
    "indikator-anzahl": "/indikator/population/",
    "prioritaeten": "/prioritaeten/",
    "sozialindex": "/status-und-dynamik/",
    "vorausberechnung": "/vorausberechnung/",
    "vorausberechnung-kommune": "/vorausberechnung/05378004/",
    "datenqualitaet": "/datenqualitaet/",
    "geheimhaltung": "/geheimhaltung/",
    "methode": "/methode/",
}
SHOWS_SOZIALRAEUME = [
    name
    for name in PAGES
    if name not in ("indikatoren", "indikator-ohne-sozialraum", "vorausberechnung", "datenqualitaet")
]
KOMMUNEN = 8
SOZIALRAEUME = 87
ENGLISH = re.compile(r"\b(Loading|No Results|records|Search|Error|Download|undefined|NaN)\b|\[object")
NO_DAY = "01.01.1970"
RANK = re.compile(r"\d+\.$|keine|[•–x…]")
"""What may stand in a cell of the matrix of priorities; signs are followed by the word that is read aloud."""
ENGLISH_NUMBER = re.compile(r"\d\.\d(?!\d)\s*%|\d,\d{3}(?!\d)")


def whole(text: str) -> int:
    return int(text.replace(".", ""))


def german(number: str) -> str:
    return number.replace("-", "−").replace(".", ",")


class Visit:
    """One open tab, with everything that it asked for and complained about."""

    def __init__(self, tab: Any, address: str) -> None:
        self.tab = tab
        self.address = address
        self.requests: list[str] = []
        self.failed: list[str] = []
        self.complaints: list[str] = []
        tab.on("request", lambda request: self.requests.append(request.url))
        tab.on("response", lambda answer: self.failed.append(answer.url) if answer.status >= 400 else None)
        tab.on("requestfailed", self._note_failure)
        tab.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _note_failure(self, request: Any) -> None:
        """Arrow's reader hangs up after the mark that ends a stream: answered, and no failure."""
        answer = request.response()
        if not (request.url.endswith(".arrow") and answer is not None and answer.status == 200):
            self.failed.append(request.url)

    def go(self, path: str) -> Visit:
        self.tab.goto(self.address + path, wait_until="networkidle")
        return self

    @property
    def foreign(self) -> list[str]:
        own = urlsplit(self.address).netloc
        return [
            url for url in self.requests if urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != own
        ]

    @property
    def text(self) -> str:
        return str(self.tab.inner_text("body")).replace("\u00a0", " ")

    def rows(self) -> list[list[str]]:
        """Every table row of the page as its cells' text."""
        script = "rows => rows.map(row => [...row.children].map(cell => cell.innerText.trim()))"
        rows = self.tab.eval_on_selector_all("main tr", script)
        return [[cell.replace("\u00a0", " ") for cell in row] for row in rows]


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visit]:
    tab = browser.new_page()
    tab.set_viewport_size({"width": 1280, "height": 900})
    yield Visit(tab, address)
    tab.close()


@pytest.mark.parametrize("width", [1280, 400])
@pytest.mark.parametrize("name", PAGES)
def test_page_is_german_complete_and_silent(visit: Visit, screenshots: Path, name: str, width: int) -> None:
    visit.tab.set_viewport_size({"width": width, "height": 900})

    visit.go(PAGES[name])
    visit.tab.screenshot(path=str(screenshots / f"{name}-{width}.png"), full_page=True)

    assert visit.foreign == [], "requests to another host"
    assert visit.failed == [], "requests that failed"
    assert visit.complaints == [], "errors in the console"
    database = [url for url in visit.requests if "duckdb" in url or url.endswith(".wasm")]
    assert database == [], "a reader on a slow line must not wait for 35 MB: queries are answered at build time"
    if name in SHOWS_SOZIALRAEUME:
        assert "Synthetische Demodaten." in visit.text, "invented areas without a label"
    assert visit.tab.get_attribute("html", "lang") == "de"
    assert visit.tab.locator("h1").count() == 1
    assert ENGLISH.search(visit.text) is None, ENGLISH.search(visit.text)
    assert NO_DAY not in visit.text, "a missing day"
    assert ENGLISH_NUMBER.search(visit.text) is None, ENGLISH_NUMBER.search(visit.text)
    assert visit.tab.evaluate("document.documentElement.scrollWidth") <= width, "the page is wider than the screen"


def test_start_page_shows_the_printed_table_of_2009_and_2014(visit: Visit) -> None:
    rows = {row[0]: row for row in visit.go("/").rows() if row}

    assert rows["Rheinisch-Bergischer Kreis"][1:3] == ["10,8 %", "11,2 %"]
    assert rows["Bergisch Gladbach"][1:3] == ["13,7 %", "14,7 %"]
    assert rows["Odenthal"][1:3] == ["3,9 %", "3,0 %"]
    assert len([row for row in rows if row in ("Burscheid", "Kürten", "Overath", "Rösrath", "Wermelskirchen")]) == 5


def test_start_page_draws_every_sozialraum_with_a_value_or_a_reason(visit: Visit) -> None:
    visit.go("/")

    assert visit.tab.locator(".karte a path").count() == SOZIALRAEUME
    titles = visit.tab.eval_on_selector_all(".karte a path title", "all => all.map(title => title.textContent)")
    reasons = ("geheim gehalten", "fehlt", "unsicher", "nicht anwendbar")
    assert all(re.search(r": \(?\d+,\d.%\)?$|: 0$", title) or title.endswith(reasons) for title in titles), titles
    assert "© GeoBasis-DE / BKG" in visit.text


def test_reference_dates_of_numerator_and_denominator_differ_in_2014(visit: Visit) -> None:
    rows = visit.go("/indikator/sgb2_under_15_share/").rows()

    assert ["2014", "31.10.2014", "31.12.2013"] in rows


def test_suppressed_value_shows_its_sign_and_never_a_number(visit: Visit) -> None:
    rows = visit.go("/indikator/sgb2_under_15_share/").rows()
    hidden = [row for row in rows if len(row) > 4 and row[2].startswith("•")]

    assert hidden, "no suppressed Sozialraum on the page; the demo county has some in every year"
    for row in hidden:
        assert "geheim gehalten" in row[2]
        assert not re.search(r"\d", "".join(row[2:])), row


def test_value_below_its_finest_level_is_not_applicable(visit: Visit) -> None:
    rows = {row[0]: row for row in visit.go("/sozialraum/05378004-07/").rows() if row}

    assert rows["Wohnungen je 1.000 Einwohner"][1].startswith("x")
    assert "nicht anwendbar" in rows["Wohnungen je 1.000 Einwohner"][1]


def test_sozialraum_page_says_why_and_how_sure(visit: Visit) -> None:
    rows = visit.go("/sozialraum/05378004-01/").rows()

    reasons = [row[2] for row in rows if len(row) == 3 and "als der Kreis" in row[2]]
    assert reasons, "Bergisch Gladbach 01 is the poorest of the demo"
    assert all(re.search(r"\d+,\d (%|je 1\.000) \(95-%-Bereich \d+,\d bis \d+,\d", reason) for reason in reasons), (
        reasons
    )
    index = {row[0]: row for row in rows if len(row) == 6 and row[5].isdigit()}
    assert set(index) == {"Rheinisch-Bergischer Kreis", "Bergisch Gladbach"}
    assert index["Rheinisch-Bergischer Kreis"][1] in ("niedrig", "sehr niedrig")
    assert re.fullmatch(r"\d+ %", index["Rheinisch-Bergischer Kreis"][2])


def test_kommune_page_ranks_its_sozialraeume_and_says_why(visit: Visit) -> None:
    rows = visit.go("/kommune/05378004/").rows()

    script = "all => all.map(li => [li.value, ...li.innerText.split('\\n')])"
    first = visit.tab.eval_on_selector_all("ol.raenge li", script)
    assert [rank for rank, _, _ in first] == sorted(rank for rank, _, _ in first) and first[0][0] == 1
    for rank, of_what, why in first:
        assert why.startswith(f"Rang {rank} in Bergisch Gladbach: {of_what}, mit ")
        assert re.search(
            r"Schwächen bei \d+ von \d+ bewertbaren Indikatoren, im Mittel \d+.% vom Wert des Kreises", why
        )
    matrix = {row[0]: row[1:] for row in rows if len(row) > 6 and all(RANK.match(cell) for cell in row[1:])}
    assert len(matrix) == 24, "every Sozialraum of Bergisch Gladbach"
    ranks = [int(cell[:-1]) for cells in matrix.values() for cell in cells if cell[0].isdigit()]
    assert len(ranks) > len(first) and min(ranks) == 1
    assert any(cell.startswith("keine") for cells in matrix.values() for cell in cells)


def test_weights_of_the_priorities_stand_on_the_pages(visit: Visit) -> None:
    with (SEEDS / "profile_patterns.csv").open(encoding="utf-8") as file:
        points = {row["title"]: float(row["weight"]) for row in csv.DictReader(file)}

    rows = {row[0]: row for row in visit.go("/prioritaeten/").rows() if row}
    assert {title: rows[title][2] for title in points} == {t: f"{w:.1f}".replace(".", ",") for t, w in points.items()}
    assert rows["Einkommen und Transferleistungen"][1] == "1,0"
    assert "4 ungünstiger als der Kreis und im Trend verschlechtert" in visit.go("/kommune/05378008/").text
    assert visit.tab.locator("a[href='/prioritaeten/#gewichte']").count() == 1
    assert visit.tab.locator("a[href='/methode/#prioritaeten']").count() == 1


def test_worse_and_worsening_comes_first(visit: Visit) -> None:
    with (SEEDS / "profile_patterns.csv").open(encoding="utf-8") as file:
        order = {row["title"]: int(row["sort_order"]) for row in csv.DictReader(file)}

    rows = visit.go("/sozialraum/05378004-01/").rows()
    patterns = [order[row[1]] for row in rows if len(row) == 3 and row[1] in order]
    assert patterns == sorted(patterns) and patterns[0] == 1


def test_projection_has_three_variants_and_the_concept_beside_it(visit: Visit) -> None:
    rows = visit.go("/vorausberechnung/").rows()

    variants = [row[1:] for row in rows if len(row) == 10 and re.match(r"[\d.]+$", row[1])]
    assert len(variants) == 6
    for low, middle, high in (row[start : start + 3] for row in variants for start in (0, 3, 6)):
        assert whole(low) < whole(middle) < whole(high)
    concept = {row[0]: row for row in rows if len(row) == 8}
    assert concept["ab 65 Jahre"][1:5] == ["63.000", "80.000", "+27 %", "+27,0 %"]
    assert concept["ab 80 Jahre"][1:5] == ["16.000", "24.500", "+52 %", "+53,1 %"], "printed and recomputed differ"
    assert concept["Pflegebedürftige"][1:4] == ["9.200", "12.700", "+40 %"]
    assert concept["15 bis 64 Jahre"][1:4] == ["183.000", "155.000", "−15 %"]
    assert "keine Vorhersage" in visit.text
    assert visit.tab.locator("figure.ausblick path.erwartet").count() == 4


def test_projection_of_a_sozialraum_is_a_number_or_a_reason(visit: Visit) -> None:
    rows = visit.go("/vorausberechnung/05378004/").rows()

    areas = [row for row in rows if re.fullmatch(r"Bergisch Gladbach \d\d", row[0])]
    assert len(areas) == 24 * 6
    hidden = [row for row in areas if row[1].startswith("•")]
    assert hidden and all("geheim gehalten" in row[1] and not re.search(r"\d", "".join(row[1:])) for row in hidden)
    assert all(re.fullmatch(r"[+−±]\d+,\d %", row[-1]) for row in areas if row not in hidden)


def test_the_method_names_the_assumptions_of_the_seed(visit: Visit) -> None:
    with (SEEDS / "projection_variants.csv").open(encoding="utf-8") as file:
        low, _, high = csv.DictReader(file)

    rows = {row[0]: row[1:] for row in visit.go("/methode/").rows() if row}
    mortality = rows["Sterblichkeit, Veränderung im Jahr"]
    assert [mortality[0], mortality[2]] == [german(one["mortality_change_percent"]) + " %" for one in (low, high)]
    moves = rows["Wanderungssaldo, gegenüber dem Mittel"]
    assert [moves[0], moves[2]] == [
        german(low["moves_change_percent"]) + " %",
        "+" + high["moves_change_percent"] + " %",
    ]
    births = [round(100 * (float(one["fertility_factor"]) - 1)) for one in (low, high)]
    assert rows["Geburten je Frau, gegenüber dem Mittel"][::2] == [german(f"{births[0]} %"), f"+{births[1]} %"]


def test_smoothed_value_stands_beside_the_counted_one_with_an_interval(visit: Visit) -> None:
    rows = visit.go("/indikator/sgb2_under_15_share/").rows()

    beside = [row for row in rows if len(row) == 7 and re.fullmatch(r".+ \d\d", row[0])]
    assert len(beside) == SOZIALRAEUME
    shown = [row for row in beside if re.fullmatch(r"\d+,\d %", row[3])]
    assert len(shown) > 50
    for row in shown:
        low, high = (float(part.replace(",", ".")) for part in row[4].split(" bis "))
        assert low <= float(row[3].split()[0].replace(",", ".")) <= high, row
        assert re.search(r"\d", row[1]), "never instead of the counted value"
    for row in beside:
        assert row[1].startswith("•") <= row[3].startswith("•"), row


def test_index_page_maps_every_sozialraum_and_says_how_sure(visit: Visit) -> None:
    rows = visit.go("/status-und-dynamik/").rows()

    assert visit.tab.locator(".karte a path").count() == SOZIALRAEUME
    listed = [row for row in rows if len(row) == 5 and re.fullmatch(r".+ \d\d", row[0])]
    classes = {row[1] for row in listed}
    assert {"hoch", "mittel", "niedrig", "sehr niedrig", "geheim gehalten"} <= classes
    for row in listed:
        assert bool(re.fullmatch(r"\d+ %", row[2])) == (row[1] in ("hoch", "mittel", "niedrig", "sehr niedrig")), row


def test_data_quality_names_both_totals_of_2014(visit: Visit) -> None:
    text = visit.go("/datenqualitaet/").text

    assert any("4.241" in line and "4.240" in line for line in text.splitlines())


def test_data_quality_lists_the_deliveries_of_every_kommune(visit: Visit) -> None:
    rows = visit.go("/datenqualitaet/").rows()

    for kommune in ("Bergisch Gladbach", "Burscheid", "Kürten", "Odenthal", "Overath", "Rösrath", "Wermelskirchen"):
        assert any(row[:2] == [kommune, "2023"] and row[2] in ("angenommen", "abgelehnt") for row in rows), kommune


def test_every_map_and_drawing_has_its_numbers_in_a_table(visit: Visit) -> None:
    visit.go("/kommune/05378004/")

    names = visit.tab.eval_on_selector_all("main .karte a", "all => all.map(a => a.getAttribute('href'))")
    linked = visit.tab.eval_on_selector_all("main table a", "all => all.map(a => a.getAttribute('href'))")
    assert names and set(names) <= set(linked)
    assert visit.tab.locator("figure.kurve").count() == visit.tab.locator("figure.kurve + .tafel").count() > 0


def test_reader_comes_from_the_start_to_a_sozialraum_by_clicking(visit: Visit) -> None:
    visit.go("/")
    visit.tab.click("main table >> text=Bergisch Gladbach")
    visit.tab.wait_for_url("**/kommune/05378004/")
    visit.tab.click("main table >> text=Bergisch Gladbach 03")
    visit.tab.wait_for_url("**/sozialraum/05378004-03/")

    assert visit.tab.inner_text("h1") == "Bergisch Gladbach 03"
    assert visit.complaints == []
    assert visit.foreign == []


def test_every_kommune_sozialraum_and_indicator_has_its_page(site: Path) -> None:
    assert len(list((site / "kommune").glob("*/index.html"))) == KOMMUNEN
    assert len(list((site / "sozialraum").glob("*/index.html"))) == SOZIALRAEUME
    assert len(list((site / "indikator").glob("*/index.html"))) >= 10


def test_kommunen_page_counts_every_sozialraum(visit: Visit) -> None:
    rows = {row[0]: row for row in visit.go("/kommune/").rows() if row}

    assert rows["Rheinisch-Bergischer Kreis"][-1] == str(SOZIALRAEUME)
    assert rows["Bergisch Gladbach"][-1] == "24", "25 until two were merged in 2019"


def test_unknown_address_gives_a_german_page(visit: Visit) -> None:
    answer = visit.tab.goto(visit.address + "/gibt-es-nicht/")

    assert answer.status == 404
    assert "Diese Seite gibt es nicht" in visit.text


def test_pages_are_readable_without_script(chromium: str, address: str, browser: Any) -> None:
    """Numbers, maps and drawings are in the page itself: it prints, and it can be searched."""
    answer = browser.request.get(address + "/indikator/sgb2_under_15_share/")
    html = answer.text()

    assert "<svg" in html
    assert "11,2" in html


def test_the_site_holds_no_blank_count(site: Path, county: Home) -> None:
    blank = blank_counts(county)
    assert len(blank) > 100
    assert leaks(site.resolve(), set(), blank) == []


def test_the_site_knows_no_marked_person(site: Path, county: Home) -> None:
    searched = finds(PERSON_MARKERS, county.archive, set())
    assert any(PERSON in found for found in searched), "nobody is marked; IPSO_TEST_COUNTY names a county without her"
    assert finds(PERSON_MARKERS, site.resolve(), set()) == []


def test_nothing_of_the_release_stays_in_the_folders_of_the_tool(site: Path) -> None:
    left = [name for name in (".evidence", ".svelte-kit", "build") if (REPOSITORY / "reports" / name).exists()]
    assert site.exists() and left == []
