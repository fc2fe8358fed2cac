"""What the steward gets to see: the same findings in the terminal, in the reports to send back, and in Dagster."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from python_calamine import CalamineWorkbook
from rich.console import Console

from demo.corrupt import KINDS
from demo.deliveries import write_deliveries
from orchestration.cli import main
from orchestration.feeds.assets import CHECK, build_feed_asset, gate_result, inbox
from orchestration.feeds.declaration import load_feeds
from orchestration.feeds.finding import Finding
from orchestration.feeds.intake import Delivery, deliveries, receive
from orchestration.feeds.names import in_markdown
from orchestration.gates import judgement
from orchestration.gates.delivery import judge, write_control
from orchestration.gates.findings_table import HEADERS, MOST_LINES, findings_workbook
from orchestration.gates.verdicts import REPORT, TABLE, Verdict, load_verdict
from orchestration.home import REPOSITORY, Home
from orchestration.resources import HomeResource
from orchestration.status import delivery_states, print_status
from tests.fixtures.feeds import deliveries as files

REGISTER = "bergisch-gladbach/einwohner_2020.csv"
SGB2 = "jobcenter/sgb2_2021.xlsx"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data").create()


def drop(home: Home, name: str, data: bytes) -> Delivery:
    path = home.landing / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    receive(home, settle_seconds=0)
    return deliveries(home)[-1]


def rejected(home: Home, name: str, data: bytes) -> tuple[Delivery, Verdict]:
    delivery = drop(home, name, data)
    judge(home, delivery.feed)
    verdict = load_verdict(home, delivery.delivery_id)
    assert verdict is not None and not verdict.accepted
    return delivery, verdict


def table(data: bytes, sheet: str = "Befunde") -> list[list[object]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_name(sheet).to_python()


def check(home: Home, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`ipso check` as a steward types it, in a process of its own."""
    command = [str(Path(sys.executable).parent / "ipso"), "--home", str(home.root), "check", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=False)


def told(output: str) -> dict[str, tuple[list[str], str]]:
    """Path → (messages, result) of the files of one call."""
    files_told, messages = {}, []
    for line in output.splitlines():
        if found := re.fullmatch(r"  (?:FEHLER |Hinweis)  (.*) \[\w+\]", line):
            messages.append(found[1])
        else:
            path, _, result = line.partition(": ")
            files_told[path] = messages, result
            messages = []
    return files_told


# --- in the terminal -----------------------------------------------------------------------------------------------


def test_check_finds_for_every_kind_of_corruption_what_the_gate_finds(home: Home, tmp_path: Path) -> None:
    source = tmp_path / "quelle"
    write_deliveries(source, years=[2020, 2021], only={"einwohner"}, scale=0.02, progress=lambda line: None)
    paths = {kind: tmp_path / kind / "overath" / "einwohner_2021.csv" for kind in KINDS}
    for kind, path in paths.items():
        path.parent.mkdir(parents=True)
        KINDS[kind](source / "overath" / path.name, path)
    drop(home, "overath/einwohner_2020.csv", (source / "overath" / "einwohner_2020.csv").read_bytes())
    judge(home, "einwohner")
    result = check(home, *paths.values())
    checked = told(result.stdout)
    assert result.returncode == 2, "the worst of all"
    for kind, path in paths.items():
        delivery = drop(home, "overath/einwohner_2021.csv", path.read_bytes())
        judge(home, "einwohner")
        verdict = load_verdict(home, delivery.delivery_id)
        assert verdict is not None
        messages, conclusion = checked[str(path)]
        assert messages == [f.full_message for f in verdict.findings if not f.passed] != [], kind
        unreadable = kind in {"wrong_encoding", "wrong_encoding_cp850", "truncated", "empty"}
        assert conclusion == ("nicht lesbar, würde abgewiesen." if unreadable else "würde abgewiesen."), kind


def test_the_exit_status_tells_good_rejected_and_unreadable_apart(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "jobcenter" / "arbeitslose_2021.csv"
    path.parent.mkdir()

    def status(data: bytes, *more: str) -> int:
        path.write_bytes(data)
        return CliRunner().invoke(main, ["--home", str(home.root), "check", str(path), *more]).exit_code

    lines = files.unemployed_lines()
    assert status(files.text_file(lines)) == 0
    assert status(files.text_file(lines[:-1])) == 1
    assert status(files.text_file(lines, "utf-16")) == 2
    assert status(files.text_file(lines), "--feed", "gibt_es_nicht") == 2
    assert CliRunner().invoke(main, ["check", str(tmp_path / "fehlt.csv")]).exit_code == 2


def test_a_defect_of_a_check_has_an_exit_status_of_its_own_and_is_no_rejection(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from orchestration.check import print_check

    path = tmp_path / "x.csv"
    path.write_bytes(files.register())
    monkeypatch.setattr(judgement, "feed_suite", lambda feed, deliverer: broken_suite())
    assert print_check(home, path, "einwohner", "bergisch-gladbach", 2020) == 3
    said = capsys.readouterr()
    assert "Fehler in der Prüfung selbst" in said.err and "melden" in said.err and "abgewiesen" not in said.out


def test_what_is_imported_lean_is_still_the_real_thing() -> None:
    """In a process of its own, as `ipso check` has it: SQLAlchemy and SciPy's statistics can be used afterwards."""
    code = (
        "import sys; from orchestration.gates.engine import great_expectations; gx = great_expectations();"
        "assert 'sqlalchemy' not in sys.modules and 'scipy.optimize' not in sys.modules;"
        "import sqlalchemy, scipy.stats; assert sqlalchemy.create_engine and scipy.stats.norm.cdf(0) == 0.5;"
        "assert great_expectations() is gx"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)


# --- to send back ----------------------------------------------------------------------------------------------------


def test_the_table_names_row_column_finding_expectation_and_remedy(home: Home) -> None:
    lines = files.with_cell(files.unemployed_lines(), 3, "unter 25 Jahre", "1OO")
    delivery, _ = rejected(home, "jobcenter/arbeitslose_2021.csv", files.text_file(lines))
    rows = table((home.rejected / delivery.delivery_id / TABLE).read_bytes())
    assert tuple(rows[0]) == HEADERS
    assert [3, "unter 25 Jahre", "Fehler", "Buchstaben in einer Zahl („1OO“)"] in [row[:4] for row in rows]
    assert "1OO" in (home.rejected / delivery.delivery_id / REPORT).read_text(encoding="utf-8")
    facts = dict(table((home.rejected / delivery.delivery_id / TABLE).read_bytes(), "Lieferung"))
    assert facts["Kennung"] == delivery.delivery_id and facts["Ergebnis"] == "abgewiesen"


def test_a_value_that_the_deliverer_is_told_is_not_published(home: Home) -> None:
    lines = files.with_cell(files.unemployed_lines(), 3, "unter 25 Jahre", "1OO")
    rejected(home, "jobcenter/arbeitslose_2021.csv", files.text_file(lines))
    delivery, verdict = rejected(home, SGB2, files.sgb2_xlsx(replaced={("05378008", 1): 101}))
    assert "101" in (home.rejected / delivery.delivery_id / REPORT).read_text(encoding="utf-8")
    assert "101" not in (verdict.reason or "")
    control = write_control(home).set_index("delivery_id")
    published = json.dumps(pq.read_table(home.control / "finding_delivery.parquet")["message"].to_pylist())
    assert "101" not in published and "1OO" not in published
    assert "101" not in control["public_reason"][delivery.delivery_id]


def finding(n_rows: int = 0, **more: object) -> Finding:
    details = tuple((row, "falsch") for row in range(2, min(n_rows, MOST_LINES) + 2))
    return Finding("rule", "Nachricht.", found="falsch", n_rows=n_rows, details=details, **more)  # type: ignore[arg-type]


def workbook(*findings: Finding) -> bytes:
    delivery = Delivery("id", "sgb2", "jobcenter", 2021, "=1+1.xlsx", "2026-01-01T00:00:00+00:00", "0" * 64, 1)
    return findings_workbook(delivery, Verdict("id", "sgb2", "jobcenter", 2021, False, 0, "x", findings), None)


def test_a_long_table_ends_with_how_many_rows_are_not_listed() -> None:
    rows = table(workbook(finding(MOST_LINES + 2345), finding(3)))
    assert len(rows) == 1 + MOST_LINES + 2
    assert rows[-2][3] == "… und 2.345 weitere Zeilen mit demselben Befund"
    assert rows[-1][3] == "… und 3 weitere Zeilen mit demselben Befund"


def test_nothing_from_a_file_becomes_a_formula_or_a_link() -> None:
    data = workbook(finding(column_name='=HYPERLINK("http://example.org")', expected="+1", hint="@x"))
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        content = "".join(book.read(name).decode() for name in book.namelist())
    assert "<f>" not in content and "<hyperlink" not in content
    assert "=HYPERLINK" in content, "it is there as text"


# --- in Dagster ------------------------------------------------------------------------------------------------------


def broken_suite() -> dict[str, object]:
    rule = {
        "type": "expect_column_values_to_be_unique",
        "kwargs": {"column": "gibt_es_nicht"},
        "meta": {"name": "kaputt"},
    }
    return {"name": "einwohner", "expectations": [rule]}


def materialize(home: Home, feed: str) -> dg.ExecuteInProcessResult:
    assets = [inbox, build_feed_asset(load_feeds()[feed])]
    with dg.instance_for_test() as instance:
        return dg.materialize(
            assets,
            instance=instance,
            resources={"home": HomeResource(root=str(home.root))},
            tags={"dagster/asset_partition_range_start": "2020", "dagster/asset_partition_range_end": "2020"},
            raise_on_error=False,
        )


def test_a_broken_suite_fails_the_step_as_our_defect_and_rejects_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judgement, "feed_suite", lambda feed, deliverer: broken_suite())
    delivery = drop(home, REGISTER, files.register())
    result = materialize(home, "einwohner")
    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    error = failure.step_failure_data.error
    while error.cause is not None:
        error = error.cause
    assert "Fehler in der Prüfung selbst, nicht in der Lieferung" in error.message
    assert "Suite „einwohner“" in error.message and "Regel „kaputt“" in error.message
    assert delivery.delivery_id in error.message
    assert result.get_asset_check_evaluations() == [], "no check says that the delivery failed"
    assert load_verdict(home, delivery.delivery_id) is None and not list(home.rejected.iterdir())


def test_the_check_shows_the_rejection_with_its_rule_and_where_the_report_lies(home: Home) -> None:
    delivery = drop(home, REGISTER, files.register())
    result = materialize(home, "einwohner")
    assert result.success
    [evaluation] = result.get_asset_check_evaluations()
    assert evaluation.check_name == CHECK and not evaluation.passed
    shown = {key: str(value.value) for key, value in evaluation.metadata.items()}
    assert str(home.rejected / delivery.delivery_id / REPORT) in shown["abgewiesen und noch nicht ersetzt"]
    assert "`row_count_is_plausible`" in shown["Befunde dieses Laufs"]
    assert shown["Ausnahmen"] == "keine"


def test_words_of_a_file_are_no_markup_in_dagster(home: Home) -> None:
    nasty = Verdict("id", "sgb2", "jobcenter", 2021, False, 0, "a|b <img src=x> [x](http://y)\n# Titel", (finding(),))
    result = gate_result(home, dg.AssetKey("x"), [nasty], [nasty])
    text = str(result.metadata["abgewiesen und noch nicht ersetzt"].value)
    assert in_markdown(nasty.reason or "") in text and "<img" not in text and "[x](" not in text and "\n#" not in text


# --- the matrix ------------------------------------------------------------------------------------------------------


def shown(home: Home, width: int, only: str | None = None) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    print_status(home, only, console)
    return console.file.getvalue()  # type: ignore[attr-defined]


@pytest.mark.parametrize("width", [80, 120])
def test_the_matrix_fits_the_terminal_and_has_one_row_for_deliverers_that_agree(home: Home, width: int) -> None:
    drop(home, REGISTER, files.register())
    judge(home, "einwohner")
    write_control(home)
    lines = shown(home, width).splitlines()
    assert max(map(len, lines[:20])) <= width
    [row] = [line for line in lines if line.startswith("einwohner")]
    assert "0/8" in row
    [odd] = [line for line in lines if line.startswith("  Bergisch Gladbach")]
    assert odd.split() == ["Bergisch", "Gladbach", "✖"]
    assert not any("Burscheid" in line for line in lines)
    assert ("Ältere Jahre" in "\n".join(lines)) == (width == 80)


def test_names_of_files_are_no_markup_in_the_terminal(home: Home) -> None:
    drop(home, "[bold]x[/bold].csv", b"x")
    write_control(home)
    assert "[bold]x[/bold].csv" in shown(home, 120)
    assert delivery_states(home) != {}
