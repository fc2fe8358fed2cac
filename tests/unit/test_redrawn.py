"""What the steward sees of redrawn Sozialräume, and that his confirmation is about one delivery."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from orchestration import redrawn_areas
from orchestration.gates import redrawn
from orchestration.gates.decisions import load_decisions
from orchestration.gates.directory import write_parquet
from orchestration.gates.plausibility import judge_frame
from orchestration.geography.crosswalk import CORRESPONDENCE_SCHEMA
from orchestration.home import Home

DAY = dt.date(2019, 1, 1)
SPLIT = {
    "ags": "05378028",
    "old_valid_from": dt.date(2015, 1, 1),
    "new_valid_from": DAY,
    "old_area_id": "05378028-01",
    "kind": "geteilt",
    "is_next": True,
    "is_newest": True,
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Rösrath has split a Sozialraum, three quarters to one quarter; the delivery is `sozialraeume-kreis-2019-a`."""
    home = Home(tmp_path / "data").create()
    rows = [
        {**SPLIT, "new_area_id": "05378028-02", "population_share": 0.75, "area_share": 0.5},
        {**SPLIT, "new_area_id": "05378028-03", "population_share": 0.25, "area_share": 0.5},
        {**SPLIT, "old_area_id": "05378028-07", "new_area_id": "05378028-07", "kind": "unveraendert"},
    ]
    table = pa.Table.from_pylist(rows, schema=CORRESPONDENCE_SCHEMA)
    write_parquet(table, home.raw / "verortung" / "entsprechung.parquet")
    monkeypatch.setattr(redrawn, "delivery_of", lambda home, ags, day: "sozialraeume-kreis-2019-a")
    return home


def warnings(home: Home) -> list[str]:
    frame = redrawn.redrawn_versions(home)
    return [f.message for f in judge_frame("plausibilitaet_gebietsstand", frame) if f.is_warning]


def test_the_gate_warns_until_the_steward_has_confirmed(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    [message] = warnings(home)
    assert "Rösrath" in message and "01.01.2019" in message and "geteilt" in message
    assert redrawn_areas.confirm(home, "roesrath", "01.01.2019", "Ratsbeschluss", "Kim") == 0
    assert warnings(home) == []
    [decision] = load_decisions(home).all
    assert (decision.ags, decision.valid_from, decision.by) == ("05378028", "2019-01-01", "Kim")
    redrawn_areas.print_redrawn(home)
    assert "von Kim: Ratsbeschluss" in capsys.readouterr().out


def test_another_delivery_of_the_same_version_is_confirmed_anew(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    assert redrawn_areas.confirm(home, "05378028", "2019-01-01", "Ratsbeschluss", None) == 0
    monkeypatch.setattr(redrawn, "delivery_of", lambda home, ags, day: "sozialraeume-kreis-2019-b")
    assert len(warnings(home)) == 1


def test_the_table_tells_old_new_and_shares(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert redrawn_areas.print_redrawn(home) == 0
    out = capsys.readouterr().out
    assert "05378028-01" in out and "05378028-03" in out and "75 %" in out
    assert "05378028-07" not in out


@pytest.mark.parametrize(
    ("kommune", "day", "reason", "told"),
    [
        ("Köln", "01.01.2019", "x", "gibt es nicht"),
        ("Rösrath", "1. Mai", "x", "kein Datum"),
        ("Rösrath", "01.01.2020", "x", "nichts neu zugeschnitten"),
        ("Rösrath", "01.01.2019", None, "Grund"),
    ],
)
def test_what_cannot_be_confirmed_is_refused_with_the_reason(
    home: Home, capsys: pytest.CaptureFixture[str], kommune: str, day: str, reason: str | None, told: str
) -> None:
    assert redrawn_areas.confirm(home, kommune, day, reason, None) == 1
    assert told in capsys.readouterr().err
    assert load_decisions(home).all == ()


def test_without_a_comparison_there_is_nothing_to_confirm(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    home = Home(tmp_path / "data").create()
    assert redrawn_areas.print_redrawn(home) == 0
    assert "neu zugeschnitten" in capsys.readouterr().out
    assert isinstance(redrawn.redrawn_versions(home), pd.DataFrame)
    assert warnings(home) == []
