"""Education, health, participation, safety and planning: the gate takes the demo's files and refuses what it must."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from demo.deliveries import write_deliveries
from demo.files import csv_file
from demo.themes import bildung, gesundheit, planung, sicherheit, teilhabe
from orchestration.feeds.cells import SYMBOL
from orchestration.feeds.declaration import EXTENSIONS, load_feeds
from orchestration.feeds.reader import raw_rows, read_delivery
from orchestration.gates.delivery import Verdict, check_file

FEEDS = {**bildung.FEEDS, **gesundheit.FEEDS, **teilhabe.FEEDS, **sicherheit.FEEDS, **planung.FEEDS}
YEARS = (2015, 2022, 2023)
SCALE = 0.25
AGGREGATED = sorted(name for name in FEEDS if load_feeds()[name].grain == "aggregate")
# Columns of which the first is the sum of the others.
SUMS = {
    "hilfen_zur_erziehung": ("hilfen", "hilfen_ambulant", "hilfen_teilstationaer", "hilfen_stationaer"),
    "schuluebergaenge": (
        *("uebergaenge", "gymnasium", "gesamtschule", "realschule", "hauptschule", "sekundarschule", "sonstige"),
    ),
    "schulabschluesse": (
        *("abgaenge", "ohne_abschluss", "hauptschulabschluss", "mittlerer_abschluss", "fachhochschulreife"),
        "hochschulreife",
    ),
}


@pytest.fixture(scope="module")
def landing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("landing")
    write_deliveries(folder, years=YEARS, only=set(FEEDS), progress=lambda line: None, scale=SCALE)
    return folder


def file_of(landing: Path, feed: str, year: int) -> Path:
    [deliverer] = load_feeds()[feed].deliverers.values()
    return landing / deliverer.slug / f"{feed}_{year}.{EXTENSIONS[deliverer.format]}"


def table_of(landing: Path, feed: str, year: int) -> pd.DataFrame:
    """The file as it is read, one row per area."""
    [deliverer] = load_feeds()[feed].deliverers.values()
    reading = read_delivery(file_of(landing, feed, year).read_bytes(), load_feeds()[feed], deliverer)
    assert reading.table is not None
    return reading.table.to_pandas().set_index("gebiet")


def wrong(verdict: Verdict) -> list[str]:
    return [finding.message for finding in verdict.findings if not finding.passed]


DELIVERED = [(feed, max({*YEARS} & {*demo.years})) for feed, demo in sorted(FEEDS.items())]


@pytest.mark.parametrize(
    ("feed", "year"),
    [(feed, year) for feed, year in [*DELIVERED, ("pflege", 2015), ("adressen", 2015)]],
)
def test_the_gate_accepts_a_demo_delivery_without_a_word(landing: Path, feed: str, year: int) -> None:
    verdict = check_file(file_of(landing, feed, year))
    assert wrong(verdict) == []
    assert verdict.accepted
    assert verdict.row_count > 0


def test_a_demo_feed_is_delivered_in_exactly_the_declared_years() -> None:
    assert {name: demo.years for name, demo in FEEDS.items()} == {name: load_feeds()[name].years for name in FEEDS}


def test_a_year_alone_has_the_same_bytes(landing: Path, tmp_path: Path) -> None:
    written = write_deliveries(tmp_path, years=[2023], only=set(FEEDS), progress=lambda line: None, scale=SCALE)
    assert {path.name.rsplit("_", 1)[0] for path in written} == {n for n, demo in FEEDS.items() if 2023 in demo.years}
    for path in written:
        assert path.read_bytes() == (landing / path.relative_to(tmp_path)).read_bytes(), path.name


@pytest.mark.parametrize("feed", sorted(SUMS))
def test_parts_of_a_row_add_up(landing: Path, feed: str) -> None:
    table = table_of(landing, feed, 2023)
    whole, *parts = SUMS[feed]
    known = table[[whole, *parts]].dropna()
    assert len(known)
    assert (known[whole] == known[parts].sum(axis=1)).all()


@pytest.mark.parametrize("feed", sorted(set(AGGREGATED) - {"pflege"}))
def test_kommunen_add_up_to_the_kreis(landing: Path, feed: str) -> None:
    table = table_of(landing, feed, 2022 if 2022 in load_feeds()[feed].years else 2023)
    kommunen = table[table.index.str.len() == 8]
    assert len(kommunen) == 8
    counted = [c.name for c in load_feeds()[feed].measures if not c.name.endswith("_percent")]
    complete = [name for name in counted if kommunen[name].notna().all() and pd.notna(table.loc["05378", name])]
    assert complete
    for name in complete:
        assert kommunen[name].sum() == table.loc["05378", name], name


@pytest.mark.parametrize("feed", [name for name in AGGREGATED if load_feeds()[name].confidentiality.minimum])
def test_no_small_count_of_persons_leaves_its_deliverer(landing: Path, feed: str) -> None:
    declared = load_feeds()[feed]
    table = table_of(landing, feed, 2022 if 2022 in declared.years else 2023)
    for column in declared.measures:
        if not column.name.startswith(("plaetze", "vereine")):
            assert not table[column.name].between(1, 2).any(), column.name


@pytest.mark.parametrize("feed", sorted(SUMS))
def test_a_blank_cell_never_stands_alone_in_its_row(landing: Path, feed: str) -> None:
    table = table_of(landing, feed, 2023)
    blank = table[[f"{name}{SYMBOL}" for name in SUMS[feed]]].isin(["*", "."])
    others = table[list(SUMS[feed])[1:]].fillna(0).gt(0).any(axis=1)
    assert not ((blank.sum(axis=1) == 1) & others).any()
    assert blank.any(axis=None)


def test_grades_of_care_make_no_sense_before_2017(landing: Path) -> None:
    grades = [f"pflegegrad_{n}{SYMBOL}" for n in range(1, 6)]
    assert set(table_of(landing, "pflege", 2015)[grades].iloc[0]) == {"x"}
    assert table_of(landing, "pflege", 2023)[grades].iloc[0].isna().all()


def test_a_list_keeps_its_columns_as_declared(landing: Path) -> None:
    feed = load_feeds()["angebote"]
    reading = read_delivery(file_of(landing, "angebote", 2023).read_bytes(), feed, feed.deliverers["kreis"])
    raw = raw_rows(reading, feed, "d", "kreis", 2023)
    kinds = {field.name: str(field.type) for field in raw.schema}
    assert list(kinds)[:4] == ["delivery_id", "deliverer", "delivery_year", "zeile"]
    assert (kinds["ags"], kinds["ostwert"], kinds["seit"]) == ("string", "double", "date32[day]")
    assert set(raw.column("thema").to_pylist()) <= {
        "bildung",
        "partizipation",
        "gesundheit",
        "einkommen",
        "arbeit",
        "wohnen",
    }


# --- what the gate refuses -----------------------------------------------------------------------------------------

FEEDBACK = ["Nummer", "Konferenz", "Datum", "Gruppe", "Gebiet", "Thema", "Rückmeldung"]


def feedback(folder: Path, *texts: str) -> Verdict:
    """The verdict on a file of these Rückmeldungen."""
    path = folder / "kreis" / "rueckmeldungen_2022.csv"
    path.parent.mkdir(exist_ok=True)
    rows = [
        [f"R{number}", "Konferenz", "14.03.2022", "Bevölkerung", "05378004", "Wohnen", text]
        for number, text in enumerate(texts)
    ]
    path.write_bytes(csv_file(FEEDBACK, rows, encoding="utf-8"))
    return check_file(path)


HARMLESS = "Seit dem 01.03.2021 fehlen 120 Plätze (2020/2021: 0,5 % mehr); 51465 ist betroffen, § 24 Abs. 2 gilt."


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Bitte an erika.mustermann@example.org schreiben.", "text_names_no_address"),
        ("Bitte an erika(at)example.org schreiben.", "text_names_no_address"),
        ("Ich bin unter 02202 13-4567 zu erreichen.", "text_names_no_number"),
        ("Mobil 0171/1234567, gern abends.", "text_names_no_number"),
        ("Anruf: +49 171 1234567", "text_names_no_number"),
        ("Es fehlt an Wohnungen. " * 44, "text_is_short"),
    ],
)
def test_contact_data_and_long_texts_are_refused_and_not_repeated(tmp_path: Path, text: str, rule: str) -> None:
    verdict = feedback(tmp_path, HARMLESS, text)
    assert [finding.expectation for finding in verdict.findings if finding.is_error] == [rule]
    [finding] = [finding for finding in verdict.findings if finding.is_error]
    assert finding.rows == (3,)
    assert finding.column_name == "Rückmeldung"
    told = " ".join(wrong(verdict))
    for secret in ("erika", "13-4567", "1234567", "Es fehlt an Wohnungen"):
        assert secret not in told


def test_dates_percentages_and_postcodes_are_no_telephone_numbers(tmp_path: Path) -> None:
    assert wrong(feedback(tmp_path, HARMLESS, "Es fehlt an Wohnungen. " * 43)) == []


@pytest.mark.parametrize(
    ("feed", "old", "new", "rule"),
    [
        ("ziele", "council_turnout", "council_turnaround", "indicator_is_known"),
        ("ziele", ";2025;", ";2019;", "target_is_after_baseline"),
        ("angebote", ";05378004;", ";05382004;", "area_is_known"),
        ("angebote", ";Wohnen;", ";Verkehr;", "cell_is_readable"),
        ("rueckmeldungen", ".2023;", ".2021;", "reference_date_is_expected"),
    ],
)
def test_a_wrong_list_is_refused(landing: Path, tmp_path: Path, feed: str, old: str, new: str, rule: str) -> None:
    text = file_of(landing, feed, 2023).read_text(encoding="utf-8-sig")
    assert old in text
    path = tmp_path / "kreis" / f"{feed}_2023.csv"
    path.parent.mkdir()
    path.write_bytes(text.replace(old, new).encode())
    verdict = check_file(path)
    assert [finding.expectation for finding in verdict.findings if finding.is_error] == [rule]
