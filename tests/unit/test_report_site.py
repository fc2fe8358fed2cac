"""What the report does around Evidence: handing over tables, drawing areas, finishing and serving pages."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from orchestration import report

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests" / "fixtures" / "report"))

from fixture_release import write_fixture_release  # noqa: E402


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_fixture_release(tmp_path_factory.mktemp("release"))


def read_table(folder: Path, name: str) -> pa.Table:
    return pa.ipc.open_stream((folder / "ipso" / name / f"{name}.arrow").read_bytes()).read_all()


def test_every_source_query_is_handed_over_and_listed(release: Path, tmp_path: Path) -> None:
    sizes = report.write_sources(release, tmp_path / "data")

    queries = {file.stem for file in (report.REPORTS / "sources" / "ipso").glob("*.sql")}
    assert set(sizes) == queries | {"form"}
    manifest = json.loads((tmp_path / "data" / "manifest.json").read_text(encoding="utf-8"))
    assert len(manifest["renderedFiles"]["ipso"]) == len(sizes)
    assert all(path.startswith("static/data/ipso/") for path in manifest["renderedFiles"]["ipso"])


def test_suppressed_and_missing_values_stay_empty(release: Path, tmp_path: Path) -> None:
    report.write_sources(release, tmp_path / "data")

    rows = read_table(tmp_path / "data", "wert").to_pylist()
    hidden = [row for row in rows if row["value_status"] in ("suppressed", "missing", "not_applicable")]
    assert {row["value_status"] for row in hidden} == {"suppressed", "missing", "not_applicable"}
    assert all(row["value"] is None and row["numerator"] is None and row["ci_lower"] is None for row in hidden)


def test_analyses_of_secret_figures_are_handed_over_empty_with_their_reason(release: Path, tmp_path: Path) -> None:
    report.write_sources(release, tmp_path / "data")

    smoothed = read_table(tmp_path / "data", "geglaettet").to_pylist()
    hidden = [row for row in smoothed if row["geglaettet_status"] == "suppressed"]
    assert hidden and all(row[name] is None for row in hidden for name in ("geglaettet", "geglaettet_von", "cluster"))
    projected = {
        (row["area_id"], row["year"]): row for row in read_table(tmp_path / "data", "vorausberechnung").to_pylist()
    }
    assert projected["05378", 2030]["erwartet_gedruckt"] == 52 and projected["05378", 2040]["erwartet"] is None
    kreis, secret = projected["05378", 2040], projected["05378004-02", 2040]
    assert (kreis["niedrig"], kreis["mittel"], kreis["hoch"]) == (1_080, 1_200, 1_320)
    assert secret["value_status"] == "suppressed"
    assert [secret[name] for name in ("basis", "niedrig", "mittel", "hoch")] == [None] * 4
    ranks = read_table(tmp_path / "data", "prioritaet").to_pylist()
    assert {(r["value_status"], r["rang"] is None, r["punkte"]) for r in ranks} == {
        *(("suppressed", True, None), ("ok", True, 0.0), ("ok", False, 2.0))
    }


def test_secrecy_is_counted_per_theme_level_and_year_and_no_reason_is_told(release: Path, tmp_path: Path) -> None:
    report.write_sources(release, tmp_path / "data")

    rows = read_table(tmp_path / "data", "geheim").to_pylist()
    table = {row["level"]: row for row in rows if row["reihenfolge"] == 0}
    assert 0 < table["sozialraum"]["geheim"] < table["sozialraum"]["werte"]
    assert table["kommune"]["geheim"] == 0
    assert set(rows[0]) == {"thema", "reihenfolge", "level", "year", "werte", "geheim"}
    blank = [r for r in read_table(tmp_path / "data", "wert").to_pylist() if r["value_status"] == "suppressed"]
    assert sum(r["geheim"] for r in rows if r["reihenfolge"] > 0) == len(blank)


def test_nothing_lies_in_memory_under_a_null() -> None:
    leftover = pa.array([1.5, 2.5]).buffers()[1]
    column = pa.Array.from_buffers(pa.float64(), 2, [pa.py_buffer(b"\x01"), leftover])
    assert column.to_pylist() == [1.5, None]

    emptied = report._plain_types(pa.table({"value": column}))["value"].chunk(0)

    assert emptied.to_pylist() == [1.5, None]
    assert memoryview(emptied.buffers()[1]).cast("d")[1] == 0.0


def test_texts_that_repeat_are_shipped_once_and_read_back_the_same(release: Path, tmp_path: Path) -> None:
    texts = pa.table({"often": ["ab", None, "ab", "cd"] * 50, "once": [str(n) for n in range(200)], "n": [1.5] * 200})

    shorter = report._each_text_once(texts)

    assert shorter.to_pylist() == texts.to_pylist()
    assert pa.types.is_dictionary(shorter.schema.field("often").type) and shorter["once"].type == pa.string()
    assert shorter["often"].chunk(0).indices.fill_null(0).to_pylist() == [0, 0, 0, 1] * 50
    # Each reader's browser fetches the whole table.
    assert report.write_sources(release, tmp_path / "data")["wert"] < 8_000_000


def test_dates_and_booleans_keep_their_nulls() -> None:
    table = pa.table({"day": pa.array([None, 19_000], type=pa.int32()).cast(pa.date32()), "sure": [True, None]})

    assert report._plain_types(table).equals(table)


def test_two_runs_hand_over_the_same_bytes(release: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        report.write_sources(release, tmp_path / name)

    files = sorted(path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*") if path.is_file())
    assert files
    assert all((tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes() for file in files)


def test_nothing_of_an_earlier_run_stays(release: Path, tmp_path: Path) -> None:
    stale = tmp_path / "data" / "ipso" / "alt" / "alt.arrow"
    stale.parent.mkdir(parents=True)
    stale.write_bytes(b"old")

    report.write_sources(release, tmp_path / "data")

    assert not stale.exists()


def test_unfitting_release_is_refused_with_the_query_named(tmp_path: Path, release: Path) -> None:
    import duckdb

    (tmp_path / "areas.geojson").write_bytes((release / "areas.geojson").read_bytes())
    duckdb.connect(str(tmp_path / "ipso.duckdb")).close()

    with pytest.raises(report.ReportError, match=r"Abfrage \w+\.sql passt nicht zur Veröffentlichung"):
        report.write_sources(tmp_path, tmp_path / "data")


def test_areas_are_drawn_north_up_and_as_wide_as_the_county(release: Path) -> None:
    shapes = {row["area_id"]: row for row in report.area_shapes(release / "areas.geojson").to_pylist()}

    assert min(row["links"] for row in shapes.values()) == 0
    assert max(row["rechts"] for row in shapes.values()) == pytest.approx(report.MAP_WIDTH)
    assert shapes["05378004"]["oben"] < shapes["05378032"]["oben"], "the fixture puts 004 north of 032"
    assert shapes["05378004-07"]["pfad"].startswith("M") and shapes["05378004-07"]["pfad"].endswith("Z")


def test_pages_are_marked_german(tmp_path: Path) -> None:
    (tmp_path / "seite").mkdir()
    (tmp_path / "seite" / "index.html").write_text('<!doctype html>\n<html lang="en"><body>ü</body>', encoding="utf-8")

    assert report.finish_pages(tmp_path) == 1
    assert '<html lang="de">' in (tmp_path / "seite" / "index.html").read_text(encoding="utf-8")


def test_failing_tool_is_reported_with_the_end_of_its_output() -> None:
    script = "print('viel Text'); print('der Grund'); raise SystemExit(3)"

    with pytest.raises(report.ReportError, match="der Grund"):
        report._run([sys.executable, "-c", script], {}, 30, "Probe", lambda line: None)


def test_tool_that_hangs_is_ended_with_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report, "HEARTBEAT_SECONDS", 1)
    mark = tmp_path / "pid"
    child = "import time; time.sleep(60)"
    script = (
        "import subprocess, sys, pathlib\n"
        f"child = subprocess.Popen([sys.executable, '-c', {child!r}])\n"
        f"pathlib.Path({str(mark)!r}).write_text(str(child.pid))\n"
        "child.wait()"
    )
    lines: list[str] = []

    with pytest.raises(report.ReportError, match="abgebrochen"):
        report._run([sys.executable, "-c", script], {}, 1, "Probe", lines.append)

    assert any("Probe … " in line for line in lines), "no sign of life"
    state = Path("/proc") / mark.read_text() / "stat"
    assert not state.exists() or state.read_text().split()[2] == "Z"


def test_site_appears_whole_and_replaces_the_old_one(tmp_path: Path) -> None:
    built, target = tmp_path / "build", tmp_path / "site" / "x"
    built.mkdir()
    (built / "index.html").write_text("neu")
    target.mkdir(parents=True)
    (target / "alt.html").write_text("alt")

    report._move_into_place(built, target)

    assert [path.name for path in target.iterdir()] == ["index.html"]
    assert [path.name for path in target.parent.iterdir()] == ["x"], "something was left beside the site"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    site = tmp_path / "site"
    (site / "seite").mkdir(parents=True)
    (site / "index.html").write_text("Start", encoding="utf-8")
    (site / "seite" / "index.html").write_text("Seite", encoding="utf-8")
    (site / "404.html").write_text("Diese Seite gibt es nicht", encoding="utf-8")
    (site / "a.wasm").write_bytes(b"\0asm")
    (site / "leer").mkdir()
    (tmp_path / "geheim.txt").write_text("geheim", encoding="utf-8")
    (site / "hinaus").symlink_to(tmp_path / "geheim.txt")
    (tmp_path / "current").symlink_to(site)
    server = report.site_server(tmp_path / "current", 0)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=5)
    yield connection
    connection.close()
    server.shutdown()
    server.server_close()


@pytest.mark.enable_socket
@pytest.mark.parametrize(("path", "body"), [("/", b"Start"), ("/seite/", b"Seite")])
def test_pages_are_served(served: http.client.HTTPConnection, path: str, body: bytes) -> None:
    served.request("GET", path)
    answer = served.getresponse()

    assert (answer.status, answer.read()) == (200, body)


@pytest.mark.enable_socket
def test_wasm_has_the_type_that_browsers_insist_on(served: http.client.HTTPConnection) -> None:
    served.request("GET", "/a.wasm")

    assert served.getresponse().headers["Content-Type"] == "application/wasm"


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    "path", ["/nichts", "/../geheim.txt", "/%2e%2e/geheim.txt", "/..%2fgeheim.txt", "/hinaus", "/leer/"]
)
def test_everything_outside_the_site_is_unknown(served: http.client.HTTPConnection, path: str) -> None:
    served.request("GET", path)
    answer = served.getresponse()

    assert answer.status == 404
    assert answer.read() == b"Diese Seite gibt es nicht"


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("withUnit(11.161, 'percent')", "11,2\u00a0%"),
        ("withUnit(4240, 'count')", "4.240"),
        ("withUnit(283271, 'count')", "283.271"),
        ("withUnit(46.44, 'sqm_per_person')", "46,4\u00a0m²"),
        ("number(-0.04, 1)", "0,0"),
        ("cell(null, 'suppressed', 'percent').text", "•"),
        ("cell(null, 'missing', 'percent').text", "…"),
        ("cell(null, 'not_applicable', 'percent').text", "x"),
        ("cell(null, 'unreliable', 'percent').text", "/"),
        ("cell(12.34, 'unreliable', 'percent').text", "(12,3\u00a0%)"),
        ("cell(0, 'zero', 'percent').text", "0"),
        ("cell(null, 'ok', 'percent').text", "…"),
        ("cell(undefined, undefined, 'count').text", "…"),
        ("spoken(null, 'suppressed', 'percent')", "geheim gehalten"),
        ("signed(-1.25, 1)", "−1,3"),
        ("signed(0.01, 1)", "±0,0"),
        ("number(-0.5, 1)", "−0,5"),
        ("day(new Date(0))", ""),
        ("day(null)", ""),
        ("day(new Date('2023-12-31T00:00:00Z'))", "31.12.2023"),
        ("day('2014-10-31')", "31.10.2014"),
        ("listed(['Overath', 'Rösrath', 'Odenthal'])", "Overath, Rösrath und Odenthal"),
        ("change({ is_break: true, change_absolute: 3 }, 'percent').text", "Bruch"),
        ("change({ change_absolute: 0.5, change_percent: -4.1 }, 'percent').text", "+0,5\u00a0P. (−4,1\u00a0%)"),
    ],
)
def test_german_texts(expression: str, expected: str) -> None:
    names = "cell, change, day, listed, number, signed, spoken, withUnit"
    module = (report.REPORTS / "components" / "deutsch.js").as_uri()
    script = f"import {{ {names} }} from '{module}'; process.stdout.write(String({expression}))"

    answer = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        env=report.node_environment(),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )

    assert answer.stdout == expected
