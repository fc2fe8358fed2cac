"""The same archive gives the same verdicts, whatever was judged when, and what broke on the way."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import wait
from pathlib import Path

import pytest

from orchestration.decide import add_waiver, withdraw
from orchestration.feeds.declaration import load_feeds
from orchestration.feeds.intake import deliveries, pending, receive
from orchestration.gates import delivery as gate
from orchestration.gates.delivery import GateDefects, judge, judge_ahead, write_control
from orchestration.gates.suites import GateDefect
from orchestration.gates.verdicts import Verdict, load_verdict
from orchestration.home import Home
from tests.fixtures.feeds import deliveries as files

FEED = "arbeitslose"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "data").create()


def figures(year: int, first: int = 1000) -> bytes:
    """Unemployment of a Stichtag, another figure in every area."""
    header, *lines = files.unemployed_lines(year)
    rows = [line.replace(";1.200;100;", f";{first + n};1{n:02d};") for n, line in enumerate(lines, start=10)]
    return files.text_file([header, *rows])


def receive_file(home: Home, year: int, data: bytes) -> str:
    path = home.landing / "jobcenter" / f"{FEED}_{year}.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    [delivery] = receive(home, settle_seconds=0)
    return delivery.delivery_id


def contents(home: Home) -> dict[str, bytes]:
    return {
        str(path.relative_to(home.root)): path.read_bytes()
        for folder in (home.raw, home.control, home.rejected)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rebuilt(home: Home, tmp_path: Path) -> dict[str, bytes]:
    """What judging the archive from the beginning gives."""
    fresh = Home(tmp_path / "rebuilt").create()
    shutil.copytree(home.archive, fresh.archive, dirs_exist_ok=True)
    judge(fresh, FEED)
    write_control(fresh)
    return contents(fresh)


def of(verdicts: list[Verdict], delivery_id: str) -> Verdict:
    return next(verdict for verdict in verdicts if verdict.delivery_id == delivery_id)


@pytest.mark.parametrize("judged_after_each", [True, False])
def test_re_deliveries_late_years_waivers_and_withdrawals_give_what_a_rebuild_gives(
    home: Home, tmp_path: Path, judged_after_each: bool
) -> None:
    def judged() -> None:
        if judged_after_each:
            judge(home, FEED)
            write_control(home)

    a, b = figures(2020), figures(2020, 1040)
    first = receive_file(home, 2020, a)
    judged()
    receive_file(home, 2021, figures(2021, 1080))
    judged()
    receive_file(home, 2020, b)
    judged()
    again = receive_file(home, 2020, a)
    assert again == f"{first}-2"
    judged()
    receive_file(home, 2022, figures(2022, 20_000))  # ten times as many: rejected
    judged()
    receive_file(home, 2019, figures(2019))  # late: 2020 has been judged without it
    receive_file(home, 2020, b"not a table")
    judge(home, FEED)
    write_control(home)
    assert withdraw(home, again, "falsche Datei", undo=False, by="Test") == 0
    judged()
    waiver = (FEED, "unit_is_the_agreed", "31.12.2027", "neue Zählung", None, None, (2022,), "Test")
    assert add_waiver(home, *waiver) == 0
    judge(home, FEED)
    write_control(home)
    assert pending(home, FEED) == []
    assert contents(home) == rebuilt(home, tmp_path)


def break_once(monkeypatch: pytest.MonkeyPatch, delivery_id: str) -> None:
    """The check of one delivery fails as a full memory makes it fail: the next time it does not."""
    whole: Callable = gate.decide
    broken = [delivery_id]

    def decide(prepared, feed, delivery, *more):
        if delivery.delivery_id in broken:
            broken.clear()
            raise GateDefect.of(FEED, None, "MemoryError")
        return whole(prepared, feed, delivery, *more)

    monkeypatch.setattr(gate, "decide", decide)


def test_a_defect_that_passes_leaves_no_verdict_that_was_made_without_its_delivery(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    middle = receive_file(home, 2020, figures(2020))
    next_year = receive_file(home, 2021, figures(2021))
    other_year = receive_file(home, 2023, figures(2023))
    break_once(monkeypatch, middle)
    with pytest.raises(GateDefects, match=f"{next_year}: wartet auf die Prüfung von {middle}"):
        judge(home, FEED)
    assert [d.delivery_id for d in pending(home, FEED)] == [middle, next_year]
    assert load_verdict(home, other_year) is not None, "nothing that waits has a say in it"
    verdict = of(judge(home, FEED), next_year)
    assert "column_is_new" in {finding.expectation for finding in verdict.findings if finding.is_warning}
    write_control(home)
    assert contents(home) == rebuilt(home, tmp_path)


def test_a_broken_comparison_is_our_defect_and_quotes_nothing(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    receive_file(home, 2020, figures(2020))
    receive_file(home, 2021, figures(2021))
    monkeypatch.setattr("orchestration.gates.predecessor.VALUES", "select 'geheim'::int from present")
    with pytest.raises(GateDefects, match=r"Fehler in der Prüfung selbst.*ConversionException") as raised:
        judge(home, FEED)
    assert "geheim" not in str(raised.value)
    assert [d.year for d in pending(home, FEED)] == [2021]


def test_what_was_judged_ahead_is_told_although_it_is_stored_already(home: Home) -> None:
    ids = [receive_file(home, year, figures(year)) for year in range(2015, 2023)]
    judge_ahead(home, [load_feeds()[FEED]])
    wait(gate._started[home.root, FEED])
    assert pending(home, FEED) == []
    lines: list[str] = []
    assert [v.delivery_id for v in judge(home, FEED, progress=lines.append)] == ids
    assert len(lines) == len(ids)
    assert judge(home, FEED) == []


def test_a_run_that_was_given_up_leaves_nothing_to_the_next(home: Home) -> None:
    for year in range(2015, 2022):
        receive_file(home, year, figures(year))
    judge_ahead(home, [load_feeds()[FEED]])
    wait(gate._started[home.root, FEED])
    late = receive_file(home, 2022, figures(2022))
    judge_ahead(home, [load_feeds()[FEED]])
    assert [v.delivery_id for v in judge(home, FEED)] == [late]


def test_bytes_that_were_replaced_under_a_wrong_year_may_come_under_the_right_one(home: Home) -> None:
    mistaken = receive_file(home, 2020, figures(2021))  # rejected: another year's Stichtag
    right = receive_file(home, 2021, figures(2021))
    verdicts = judge(home, FEED)
    assert not of(verdicts, mistaken).accepted and of(verdicts, right).accepted


def test_a_twin_counts_only_while_it_is_in_force(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orchestration.gates.judgement._parameters", _any_date)
    shared = figures(2021)
    receive_file(home, 2020, shared)
    twin = receive_file(home, 2021, shared)
    receive_file(home, 2020, figures(2020, 1300))
    later = receive_file(home, 2022, shared)
    verdicts = judge(home, FEED)
    assert "delivery_is_new" in {f.expectation for f in of(verdicts, twin).findings if f.is_error}
    assert "delivery_is_new" not in {f.expectation for f in of(verdicts, later).findings}
    assert len(deliveries(home)) == 4


def _any_date(feed, deliverer, year, rows, official):
    import pandas as pd

    from orchestration.feeds.declaration import KREIS, kommunen

    ags = [place for place, _ in kommunen().values()]
    dates = [pd.Timestamp(y, 12, 31) for y in range(2015, 2024)]
    return {"stichtag": dates, "gebiete": [KREIS, *ags], "jahr": str(year), "zeilen": rows, "amtlich": official}
