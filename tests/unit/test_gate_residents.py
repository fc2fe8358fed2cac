"""Addresses with more benefit recipients than residents: what is told, on which registers it rests, in which order."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demo.deliveries import write_deliveries
from orchestration.decide import withdraw
from orchestration.feeds.agreement import agreement
from orchestration.feeds.assets import build_feed_asset
from orchestration.feeds.declaration import DECLARATIONS, load_feed, load_feeds
from orchestration.feeds.finding import Finding, german_number
from orchestration.feeds.intake import deliveries, pending, receive
from orchestration.feeds.street_names import create_macros
from orchestration.gates import delivery as gate
from orchestration.gates import judgement, residents
from orchestration.gates.delivery import check_file, judge, judge_ahead, write_control
from orchestration.gates.suites import GateDefect
from orchestration.gates.verdicts import Verdict, load_verdict
from orchestration.home import Home
from tests.fixtures.feeds import deliveries as files

FEED = "sgb2_anschriften"
AGS, OTHER = "05378004", "05378008"
HEADER = "Stichtag;AGS;Straße;Hausnummer;Personen in BG"
HEADERS = {"personen": "Personen in BG", "strasse": "Straße"}
STREET = "Geheimgasse"
COUNT = 987654321


def delivered(*rows: tuple[str, str, str | None, float]) -> pa.Table:
    names = ("ags", "strasse", "hausnummer", "personen")
    return pa.Table.from_pylist([{"zeile": n, **dict(zip(names, row, strict=True))} for n, row in enumerate(rows, 2)])


@pytest.fixture
def register(tmp_path: Path) -> Path:
    """In Bergisch Gladbach 10 persons at number 1, 30 at number 2a, one without a house number, one without address."""
    lived = [(STREET.replace("gasse", "straße"), "1")] * 10 + [("Am Hof", "2a")] * 30 + [("Weiler", None), (None, None)]
    rows = [{"ags": AGS, "strasse": street, "hausnummer": number} for street, number in lived]
    rows[-3] = {**rows[-3], "hausnummer": "2", "hausnummer_zusatz": "A"}
    path = tmp_path / "register.parquet"
    schema = pa.schema([(name, pa.string()) for name in residents.REGISTER_COLUMNS])
    pq.write_table(pa.Table.from_pylist(rows, schema), path)
    return path


def told(register: Path, *rows: tuple[str, str, str | None, float]) -> dict[str, Finding]:
    findings = residents.hold_against(delivered(*rows), [register], HEADERS)
    return {finding.expectation: finding for finding in findings if not finding.passed}


HOUSE = (AGS, "Geheimstr.", "1")


@pytest.mark.parametrize("recipients", [1.0, 10.0])
def test_as_many_as_live_there_is_no_finding_and_every_rule_was_judged(register: Path, recipients: float) -> None:
    findings = residents.hold_against(delivered((*HOUSE, recipients)), [register], HEADERS)
    assert [f.expectation for f in findings if not f.passed] == []
    assert {f.expectation for f in findings} == {
        *(
            "registers_are_in_force",
            "recipients_fit_residents",
            "address_is_not_an_office",
            "address_is_in_the_register",
        )
    }


def test_more_recipients_than_residents_is_a_warning_with_its_row(register: Path) -> None:
    findings = told(register, (AGS, "Am Hof", "2 A", 30.0), (*HOUSE, 11.0))
    assert list(findings) == ["recipients_fit_residents"]
    finding = findings["recipients_fit_residents"]
    assert (finding.is_warning, finding.rows, finding.column_name) == (True, (3,), "Personen in BG")


def test_few_recipients_prove_nothing(register: Path) -> None:
    assert told(register, (AGS, "Weiler", None, 5.0)) == {}
    assert list(told(register, (AGS, "Weiler", None, 6.0))) == ["recipients_fit_residents"]


@pytest.mark.parametrize(
    ("street", "number", "recipients", "rule"),
    [
        ("Geheimstraße", "1", 51.0, "address_is_not_an_office"),
        ("Geheimstraße", "1", 50.0, "recipients_fit_residents"),
        ("Am Hof", "2a", 90.0, "recipients_fit_residents"),
        ("Am Hof", "2a", 91.0, "address_is_not_an_office"),
    ],
)
def test_an_office_is_many_recipients_and_a_multiple_of_the_residents(
    register: Path, street: str, number: str, recipients: float, rule: str
) -> None:
    assert list(told(register, (AGS, street, number, recipients))) == [rule]


def test_the_office_finding_names_the_artefact(register: Path) -> None:
    finding = told(register, (*HOUSE, 400.0))["address_is_not_an_office"]
    assert finding.is_warning and "Anschrift einer Behörde" in finding.message and "Wohnungslose" in finding.message


@pytest.mark.parametrize(("recipients", "rules"), [(20.0, []), (21.0, ["address_is_in_the_register"])])
def test_an_unknown_address_is_told_when_many_are_kept_there(
    register: Path, recipients: float, rules: list[str]
) -> None:
    assert list(told(register, (AGS, "Nirgendwo", "1", recipients))) == rules


def test_two_spellings_of_one_address_count_together(register: Path) -> None:
    finding = told(register, (AGS, "Geheim-Straße", "01", 6.0), (AGS, "GEHEIMSTRASSE", "1", 6.0))
    assert finding["recipients_fit_residents"].rows == (2, 3)


def test_a_kommune_without_a_register_is_not_compared_which_is_told_once_by_its_key(register: Path) -> None:
    rows = ((OTHER, "Am Hof", "2a", 400.0), (AGS, "Am Hof", "2a", 30.0))
    findings = told(register, *rows)
    assert list(findings) == ["registers_are_in_force"]
    assert OTHER in findings["registers_are_in_force"].message and AGS not in findings["registers_are_in_force"].message
    none = {f.expectation: f for f in residents.hold_against(delivered(*rows), [], HEADERS) if not f.passed}
    assert list(none) == ["registers_are_in_force"]


def test_a_comparison_that_breaks_is_our_defect_and_quotes_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"no parquet")
    with pytest.raises(GateDefect, match="anschriften_melderegister") as defect:
        residents.hold_against(delivered((*HOUSE, 400.0)), [broken], HEADERS)
    assert "Geheim" not in str(defect.value)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ahornstraße", "AHORN-STR.", True),
        ("Ahornstrasse", "Ahorn Str", True),
        ("Straße der Einheit", "Str. der Einheit", True),
        ("Föhrenweg", "Foehrenweg", True),
        ("Fo\u0308hrenweg", "Föhrenweg", True),
        ("Ahornstraße", "Ahornweg", False),
        ("Bergstraße", "Burgstraße", False),
    ],
)
def test_streets_are_the_same_in_usual_spellings(one: str, other: str, same: bool) -> None:
    with duckdb.connect() as connection:
        create_macros(connection)
        assert connection.execute("select street_key(?) = street_key(?)", [one, other]).fetchone() == (same,)


@pytest.mark.parametrize(
    ("number", "key"),
    [
        ("12 A", "12a"),
        ("012a", "12a"),
        ("12.0", "12"),
        ("100", "100"),
        ("12-a", "12a"),
        ("12 - 14", "12-14"),
        (None, ""),
    ],
)
def test_house_numbers_have_one_form(number: str | None, key: str) -> None:
    with duckdb.connect() as connection:
        create_macros(connection)
        assert connection.execute("select house_number_key(?)", [number]).fetchone() == (key,)


# --- in the gate --------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def official(monkeypatch: pytest.MonkeyPatch) -> None:
    figures = {(ags, year): files.N_PERSONS for ags in (AGS, OTHER) for year in range(2015, 2024)}
    monkeypatch.setattr(judgement, "official_population", lambda: figures)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data").create()


def register_file(street: str = STREET, year: int = 2020) -> bytes:
    """Everybody lives at one address."""
    header, *lines = files.register_lines(year)
    rows = [[*line.split(";")[:3], street, "7", *line.split(";")[5:]] for line in lines]
    return files.text_file([header, *map(";".join, rows)])


def addresses_file(*rows: str, year: int = 2020) -> bytes:
    return files.text_file([HEADER, *[f"31.12.{year};{row}" for row in rows]])


ADDRESSES = addresses_file(f"{AGS};Anderswo;3;2", f"{AGS};{STREET.upper()};7;{files.N_PERSONS + 1}")


def drop(home: Home, name: str, data: bytes) -> None:
    path = home.landing / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)


def receive_file(home: Home, name: str, data: bytes) -> str:
    drop(home, name, data)
    [delivery] = receive(home, settle_seconds=0)
    return delivery.delivery_id


def warnings(verdict: Verdict | None) -> list[str]:
    assert verdict is not None and verdict.accepted
    return [finding.expectation for finding in verdict.findings if finding.is_warning]


def test_the_register_of_the_same_year_is_judged_first_and_compared(home: Home) -> None:
    receive_file(home, "bergisch-gladbach/einwohner_2019.csv", register_file(year=2019))
    receive_file(home, "bergisch-gladbach/einwohner_2020.csv", register_file())
    receive_file(home, f"jobcenter/{FEED}_2020.csv", ADDRESSES)
    [verdict] = judge(home, FEED)
    assert warnings(verdict) == ["recipients_fit_residents"]
    assert pending(home, "einwohner") == []


def test_files_that_came_together_are_taken_in_the_order_in_which_they_are_needed(home: Home) -> None:
    drop(home, f"jobcenter/{FEED}_2020.csv", ADDRESSES)
    drop(home, "wermelskirchen/einwohner_2020.csv", register_file())
    assert [d.feed for d in receive(home, settle_seconds=0)] == ["einwohner", FEED]


def test_a_register_that_comes_later_changes_no_verdict(home: Home) -> None:
    addresses = receive_file(home, f"jobcenter/{FEED}_2020.csv", ADDRESSES)
    judge(home, FEED)
    receive_file(home, "bergisch-gladbach/einwohner_2020.csv", register_file())
    judge(home, "einwohner")
    assert warnings(load_verdict(home, addresses)) == ["registers_are_in_force"]
    shutil.rmtree(home.control)
    shutil.rmtree(home.raw)
    home.create()
    judge(home, FEED)
    assert warnings(load_verdict(home, addresses)) == ["registers_are_in_force"], "a rebuild gives the same"


def test_the_correction_that_was_in_force_counts_and_a_rejected_one_does_not(home: Home) -> None:
    name = "bergisch-gladbach/einwohner_2020.csv"
    receive_file(home, name, register_file("Anderswo"))
    receive_file(home, name, register_file())
    receive_file(home, name, files.text_file(files.register_lines(n=5)))
    receive_file(home, f"jobcenter/{FEED}_2020.csv", ADDRESSES)
    [verdict] = judge(home, FEED)
    assert warnings(verdict) == ["recipients_fit_residents"]


def test_a_decision_about_the_register_makes_the_verdict_stale_and_a_waiver_of_another_feed_does_not(
    home: Home,
) -> None:
    name = "bergisch-gladbach/einwohner_2020.csv"
    first = receive_file(home, name, register_file("Anderswo"))
    second = receive_file(home, name, register_file())
    addresses = receive_file(home, f"jobcenter/{FEED}_2020.csv", ADDRESSES)
    other = receive_file(home, "jobcenter/arbeitslose_2021.csv", files.text_file(files.unemployed_lines()))
    judge(home, FEED)
    judge(home, "arbeitslose")
    assert withdraw(home, other, "falscher Monat", undo=False, by="Test") == 0
    assert load_verdict(home, addresses) is not None
    assert withdraw(home, second, "falsche Datei", undo=False, by="Test") == 0
    assert load_verdict(home, addresses) is None and [d.delivery_id for d in pending(home, FEED)] == [addresses]
    judge(home, FEED)
    assert warnings(load_verdict(home, addresses)) == ["address_is_in_the_register"], "the earlier register counts"
    assert withdraw(home, first, "auch falsch", undo=False, by="Test") == 0
    judge(home, FEED)
    assert warnings(load_verdict(home, addresses)) == ["registers_are_in_force"]


def test_a_check_without_delivering_compares_too_where_the_installation_is_known(home: Home, tmp_path: Path) -> None:
    receive_file(home, "bergisch-gladbach/einwohner_2020.csv", register_file())
    judge(home, "einwohner")
    path = tmp_path / "anschriften.csv"
    path.write_bytes(ADDRESSES)
    assert warnings(check_file(path, FEED, "jobcenter", 2020, home)) == ["recipients_fit_residents"]
    assert warnings(check_file(path, FEED, "jobcenter", 2020)) == []


def test_nothing_of_an_address_is_in_findings_control_tables_or_reports(home: Home) -> None:
    """Accepted with hints, and rejected for another reason: row numbers only."""
    receive_file(home, "bergisch-gladbach/einwohner_2020.csv", register_file())
    rows = [f"{AGS};{STREET};7;{COUNT}", f"{AGS};Verborgen;8;{COUNT}"]
    receive_file(home, f"jobcenter/{FEED}_2020.csv", addresses_file(*rows))
    receive_file(home, f"jobcenter/{FEED}_2021.csv", addresses_file(*rows, rows[1], f"{AGS};{STREET};9;{COUNT}x"))
    verdicts = judge(home, FEED)
    write_control(home)
    assert [v.accepted for v in verdicts] == [True, False]
    places = [path for folder in (home.control, home.rejected) for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in places} >= {".json", ".parquet", ".html", ".xlsx"}
    texts = [repr(verdicts)]
    for path in places:
        if path.suffix == ".parquet":
            texts.append(repr(pq.read_table(path).to_pylist()))
        elif path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                texts += [book.read(name).decode("utf-8", "replace") for name in book.namelist()]
        else:
            texts.append(path.read_text(encoding="utf-8"))
    for secret in (STREET, "Verborgen", str(COUNT), german_number(COUNT)):
        assert [text for text in texts if secret in text] == [], secret
    assert "Zeile 2" in " ".join(f.message for v in verdicts for f in v.findings)


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        (f"{AGS};Am Hof;2a;0", "count_is_positive"),
        (f"{AGS};Am Hof;2a;1,5", "count_is_positive"),
        (f"{AGS};{STREET};7;3", "key_is_unique"),
        ("05315000;Am Hof;2a;3", "area_is_known"),
        (f"{AGS};;2a;3", "cell_is_readable"),
    ],
)
def test_the_feeds_own_rules_reject(tmp_path: Path, row: str, rule: str) -> None:
    path = tmp_path / "anschriften.csv"
    path.write_bytes(addresses_file(f"{AGS};{STREET};7;3", row))
    verdict = check_file(path, FEED, "jobcenter", 2020)
    assert {f.expectation for f in verdict.findings if f.is_error} == {rule}


# --- order and declaration ----------------------------------------------------------------------------------


def test_the_asset_follows_the_registers_and_the_others_do_not() -> None:
    registers = dg.AssetKey(["raw", "einwohner"])
    needed = {
        name: build_feed_asset(feed).asset_deps[dg.AssetKey(["raw", name])] for name, feed in load_feeds().items()
    }
    assert [name for name, keys in needed.items() if registers in keys] == [FEED]


def test_it_is_not_judged_ahead(home: Home) -> None:
    for year in range(2015, 2022):
        drop(home, f"jobcenter/{FEED}_{year}.csv", addresses_file(f"{AGS};{STREET};7;3", year=year))
    receive(home, settle_seconds=0)
    judge_ahead(home, load_feeds().values())
    assert (home.root, FEED) not in gate._started
    assert len(judge(home, FEED)) == 7 == len(deliveries(home))


def test_street_house_number_and_count_are_declared_personal() -> None:
    feed = load_feeds()[FEED]
    assert {column.name for column in feed.columns if column.personal} == {"strasse", "hausnummer", "personen"}
    assert "abgeschottete Statistikstelle" in feed.licence


def test_the_agreement_says_what_is_compared() -> None:
    text = agreement(load_feeds()[FEED])
    assert all(f"- {note}" in text for _, note in residents.notes())
    assert "mehr als 50 Leistungsbeziehenden" in text


def test_a_declaration_that_compares_needs_the_columns_of_an_address(tmp_path: Path) -> None:
    declared = (DECLARATIONS / f"{FEED}.yml").read_text(encoding="utf-8")
    path = tmp_path / f"{FEED}.yml"
    path.write_text(declared.replace("  personen: {", "  menschen: {"), encoding="utf-8")
    with pytest.raises(ValueError, match="compare_with without personen"):
        load_feed(path)


# --- the demo -----------------------------------------------------------------------------------------------


def test_the_demo_shows_one_office_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In full size, for the limits are numbers of persons; two of the eight registers, one of them a workbook."""
    monkeypatch.undo()
    home = Home(tmp_path / "demo").create()
    write_deliveries(home.landing, years=[2022], only={"einwohner", FEED}, progress=lambda line: None)
    for path in home.landing.glob("*/einwohner_*"):
        if path.parent.name not in ("bergisch-gladbach", "burscheid"):
            path.unlink()
    receive(home, settle_seconds=0)
    [verdict] = judge(home, FEED)
    found = {f.expectation: f for f in verdict.findings if not f.passed}
    assert set(found) == {"address_is_not_an_office", "registers_are_in_force"}
    assert AGS not in found["registers_are_in_force"].message and OTHER not in found["registers_are_in_force"].message
    [row] = found["address_is_not_an_office"].rows
    delivery = next(d for d in deliveries(home) if d.feed == FEED)
    lines = delivery.blob(home).read_bytes().decode("cp1252").splitlines()
    assert lines[row - 1].split(";")[1:4] == [AGS, "Rathausplatz", "1"]
    assert (
        4_000 < len(lines) < 7_000 and any("str.;" in line for line in lines) and not any("straße" in x for x in lines)
    )
    raw = pq.read_table(next(home.raw.glob(f"{FEED}/2022/*.parquet")))
    frame = residents._frame(raw, list(home.raw.glob("einwohner/2022/*.parquet")))
    assert frame["empfaenger_ohne_gemeldete"].isna().all(), "every address of the two is found in its register"
