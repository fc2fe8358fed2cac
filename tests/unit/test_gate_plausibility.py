"""What plausibility findings tell, and what they keep to themselves: they are published."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from orchestration.feeds.finding import Finding
from orchestration.gates.directory import FINDING_SCHEMA, write_parquet
from orchestration.gates.plausibility import SECRET, WITHHELD, judge_frame, merge_findings, write_findings
from orchestration.home import Home

AREA, TITLE = "05378008", "Kinder im SGB-II-Bezug"


def of_sums(whole: float, parts: float) -> Finding:
    row = {
        "area_id": AREA,
        "year": 2014,
        "measure_id": "sgb2_under_15",
        "feed": "sgb2",
        "whole": whole,
        "parts": parts,
        "difference": parts - whole,
        "beyond_rounding": abs(parts - whole),
        "n_parts": 8,
        "area_name": "Burscheid",
        "measure_title": TITLE,
        "smallest_count": min(whole, parts),
    }
    [finding] = [f for f in judge_frame("plausibilitaet_summen", pd.DataFrame([row])) if not f.passed]
    return finding


def of_a_jump(before: float, now: float) -> Finding:
    row = {
        "area_id": "05378008-01",
        "year": 2022,
        "year_before": 2021,
        "measure_id": "population",
        "feed": "einwohner",
        "value_before": before,
        "value": now,
        "area_name": "Burscheid 01",
        "smallest_count": min(before, now),
        "jump_in_sd": 9.0,
        "jump_percent": 100 * abs(now - before) / before,
    }
    [finding] = [f for f in judge_frame("plausibilitaet_spruenge", pd.DataFrame([row])) if not f.passed]
    return finding


def of_a_share(part: float, whole: float) -> Finding:
    row = {
        "area_id": AREA,
        "year": 2014,
        "feed": "sgb2",
        "indicator_title": "Anteil",
        "area_name": "Burscheid",
        "part": part,
        "whole": whole,
        "measure_id": "sgb2_under_15",
        "other_measure_id": "population_under_15",
        "part_title": TITLE,
        "whole_title": "Kinder",
    }
    [finding] = [f for f in judge_frame("plausibilitaet_anteile", pd.DataFrame([row])) if not f.passed]
    return finding


def of_the_not_located(rate: float, before: float, persons: float = 300) -> list[Finding]:
    row = {
        "area_id": "05378008-00",
        "year": 2022,
        "year_before": None if pd.isna(before) else 2021,
        "measure_id": "population",
        "feed": "einwohner",
        "area_name": "Burscheid",
        "smallest_count": persons,
        "rate_percent": rate,
        "rate_before_percent": before,
        "jump_points": rate - before,
    }
    return [f for f in judge_frame("plausibilitaet_verortung", pd.DataFrame([row])) if not f.passed]


@pytest.mark.parametrize(
    ("rate", "before", "rules"),
    [
        (0.4, 0.4, []),
        (1.0, 0.5, []),
        (1.1, 0.9, ["residents_are_located"]),
        (0.9, 0.3, ["located_share_is_steady"]),
        (0.3, 0.9, ["located_share_is_steady"]),
        (2.0, 0.4, ["residents_are_located", "located_share_is_steady"]),
        (0.4, float("nan"), []),
        (1.4, float("nan"), ["residents_are_located"]),
    ],
)
def test_many_who_cannot_be_located_and_a_jump_of_their_share_are_warnings(
    rate: float, before: float, rules: list[str]
) -> None:
    found = of_the_not_located(rate, before)
    assert [f.expectation for f in found] == rules and all(f.is_warning for f in found)
    assert {cell for f in found for cell in f.cells} <= {("05378008-00", y, "population") for y in (2021, 2022)}


def test_the_share_of_the_not_located_is_quoted_where_they_are_many() -> None:
    jump = of_the_not_located(0.9, 0.3)[0]
    assert jump.message.endswith("Er ändert sich von 0,3 % auf 0,9 %.")
    assert "0,9" not in of_the_not_located(0.9, 0.3, persons=60)[0].message


def test_register_and_official_figure_are_both_named_with_their_difference() -> None:
    row = {
        "area_id": AREA,
        "year": 2022,
        "feed": "einwohner",
        "measure_id": "population",
        "area_name": "Burscheid",
        "population": 18_500.0,
        "official": 18_720.0,
        "difference": -220.0,
        "smallest_count": 18_500.0,
        "deviation_percent": 1.2,
    }
    [finding] = [f for f in judge_frame("plausibilitaet_bevoelkerung", pd.DataFrame([row])) if not f.passed]
    assert finding.is_warning and (finding.found, finding.expected) == ("18.500", "18.720")
    assert finding.message.endswith("Gemeldet sind 18.500, amtlich 18.720: Unterschied -220.")
    row["deviation_percent"] = 2.1
    both = [f for f in judge_frame("plausibilitaet_bevoelkerung", pd.DataFrame([row])) if not f.passed]
    assert [f.is_error for f in both] == [False, True]


@pytest.mark.parametrize("finding", [of_sums, of_a_jump])
def test_large_counts_are_both_named(finding) -> None:
    told = finding(4240.0, 5241.0)
    assert "4.240" in told.message and "5.241" in told.message and WITHHELD not in told.message


@pytest.mark.parametrize(
    ("finding", "one", "other"), [(of_sums, 98.0, 97.0), (of_sums, 3714.0, 98.0), (of_a_jump, 98.0, 3714.0)]
)
def test_where_one_count_is_small_none_is_named_nor_what_gives_it_away(finding, one: float, other: float) -> None:
    told = finding(one, other)
    assert "Burscheid" in told.message and WITHHELD in told.message and told.found is None and told.expected is None
    assert not any(number in told.message for number in ("98", "97", "3.714", "%"))


def merged(
    tmp_path: Path, findings: list[Finding], secret: list[tuple[str, int, str]], delivered: pa.Table | None = None
) -> pd.DataFrame:
    """What would be published of these findings while these figures are kept secret."""
    home = Home(tmp_path / "data").create()
    write_findings(findings, home.control / "finding_plausibility.parquet")
    write_parquet(delivered or FINDING_SCHEMA.empty_table(), home.control / "finding_delivery.parquet")
    hidden = pd.DataFrame(secret, columns=["area_id", "year", "measure_id"])
    hidden.astype({"area_id": "string", "year": "int32", "measure_id": "string"}).to_parquet(
        home.control / "suppression_measure.parquet", index=False
    )
    return duckdb.sql(f"select * from '{merge_findings(home)}'").df()


@pytest.mark.parametrize(
    ("finding", "secret"),
    [
        (of_sums(4240.0, 4241.0), (AREA, 2014, "sgb2_under_15")),
        (of_a_jump(150.0, 400.0), ("05378008-01", 2021, "population")),
        (of_a_share(2.0, 1.0), (AREA, 2014, "sgb2_under_15")),
        (of_a_share(5.0, 2.0), (AREA, 2014, "population_under_15")),
    ],
)
def test_a_finding_about_a_secret_figure_is_counted_and_says_no_more(
    tmp_path: Path, finding: Finding, secret: tuple[str, int, str]
) -> None:
    [row] = merged(tmp_path, [finding], [secret]).to_dict("records")
    assert row["message"] == SECRET and row["severity"] == "warning" and not row["passed"]
    assert pd.isna(row["area_id"]) and pd.isna(row["found"]) and pd.isna(row["expected"])


@pytest.mark.parametrize("secret", [[], [(AREA, 2013, "sgb2_under_15"), ("05378", 2014, "sgb2_under_15")]])
def test_a_finding_about_a_published_figure_is_published_as_it_is(
    tmp_path: Path, secret: list[tuple[str, int, str]]
) -> None:
    finding = of_sums(4240.0, 4241.0)
    [row] = merged(tmp_path, [finding], secret).to_dict("records")
    assert row["message"] == finding.message and row["area_id"] == AREA


@pytest.mark.parametrize(
    ("secret", "is_told"),
    [
        (("05378008-05", 2022, "sgb2_persons"), False),
        (("05378008-05", 2021, "sgb2_persons"), False),
        (("05378008-05", 2018, "sgb2_persons"), True),
        (("05378008-04", 2022, "sgb2_persons"), True),
        (("05378008-05", 2022, "unemployed"), True),
        (("05378008", 2022, "sgb2_persons"), True),
    ],
)
def test_a_jump_of_a_feed_names_no_area_whose_figure_is_secret(tmp_path: Path, secret, is_told: bool) -> None:
    # From 33 down by more than five standard deviations: one or two.
    message = "Sprung gegenüber dem Vorjahr (gefunden: 05378008-05, 05378008-07)."
    row = dict.fromkeys(FINDING_SCHEMA.names) | {
        "gate": "delivery",
        "feed": "sgb2",
        "year": 2022,
        "expectation": "jump_is_plausible",
        "severity": "warning",
        "passed": False,
        "message": message,
        "n_rows": 2,
    }
    [told] = merged(tmp_path, [], [secret], pa.Table.from_pylist([row], schema=FINDING_SCHEMA)).to_dict("records")
    assert told["message"] == (message if is_told else SECRET)
