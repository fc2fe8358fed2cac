"""The plausibility gate: do the numbers of all deliveries together hold?

Reads `intermediate` and the Lieferverzeichnis, compares with what was delivered elsewhere, and writes
`control/finding_plausibility.parquet`. It changes no figure: a delivered figure is kept as delivered.
What a single delivery must be like is the delivery gate's business.

Findings are published. A frame's column `smallest_count` is the smallest count that an expectation's `row_values`
quotes: below `SMALLEST_QUOTED` no value is told. `measure_id`, `other_measure_id`, `year_before` say which figures of
the warehouse a row is about: where a release keeps one of them secret, it tells neither area nor values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa

from orchestration.feeds.declaration import load_feeds
from orchestration.feeds.finding import Finding, counted, german_number
from orchestration.gates import plausibility_indicators, workers
from orchestration.gates.plausibility_indicators import NAMES
from orchestration.gates.redrawn import redrawn_versions
from orchestration.gates.suites import run_suite
from orchestration.home import REPOSITORY, Home
from orchestration.sql import literal

SMALLEST_QUOTED = 100
WITHHELD = "Zahlen unter 100 nennt kein Befund; sie stehen nur im Warehouse."
SECRET = "Ein Befund zu Zahlen, die geheim gehalten werden; Gebiet und Werte kennt die Stelle Sozialplanung."
AREA_IDS = r"\d{5,}(?:-\d+)?"

FRAMES = {
    "plausibilitaet_bevoelkerung": f"""
        select p.area_id, p.year, p.population, p.official, n.area_name, 'einwohner' as feed,
            'population' as measure_id, least(p.population, p.official) as smallest_count,
            p.population - p.official as difference,
            100.0 * abs(p.population - p.official) / nullif(p.official, 0) as deviation_percent
        from intermediate.int_population_vs_official as p
        join ({NAMES}) as n using (area_id)
        where p.population is not null and p.official is not null
        order by p.area_id, p.year
    """,
    "plausibilitaet_gedruckte_werte": f"""
        select p.area_id, p.year, p.feed, p.item, p.printed, p.recomputed, n.area_name,
            replace(format('{{:.1f}}', p.printed), '.', ',') as printed_text,
            replace(format('{{:.1f}}', p.recomputed), '.', ',') as recomputed_text,
            case p.item
                when 'anteil_u15_percent' then 'Anteil der Kinder im SGB-II-Bezug in %'
                when 'veraenderung_sgb2_percent' then 'Veränderung der Kinder im SGB-II-Bezug in %'
                else p.item
            end as item_title
        from intermediate.int_printed_vs_recomputed as p
        join ({NAMES}) as n using (area_id)
        where p.printed is not null and p.recomputed is not null
        order by p.area_id, p.year, p.item
    """,
    "plausibilitaet_spruenge": f"""
        select m.area_id, m.year, m.feed, before.value as value_before, m.value, n.area_name, m.measure_id,
            before.year as year_before, least(m.value, before.value) as smallest_count,
            abs(m.value - before.value) / sqrt(nullif(m.value + before.value, 0)) as jump_in_sd,
            100.0 * abs(m.value - before.value) / nullif(before.value, 0) as jump_percent
        from intermediate.int_measure as m
        join intermediate.int_measure as before
            on m.area_id = before.area_id and m.measure_id = before.measure_id and m.year = before.year + 1
            and m.boundary = before.boundary
        join ({NAMES}) as n on m.area_id = n.area_id
        -- On today's areas: a border that was moved is no jump.
        where m.measure_id = 'population' and m.level = 'sozialraum' and m.boundary = 'current'
            and m.value is not null and before.value is not null
        order by m.area_id, m.year
    """,
    "plausibilitaet_verortung": """
        with rates as (
            select located.area_id, located.year, located.value as persons, whole.area_id as kommune_id,
                round(100.0 * located.value / nullif(whole.value, 0), 1) as rate_percent
            from intermediate.int_measure as located
            join intermediate.int_measure as whole
                on located.parent_area_id = whole.area_id
                and located.year = whole.year
                and located.measure_id = whole.measure_id
                and located.boundary = whole.boundary
            where located.measure_id = 'population' and located.level = 'nicht_verortbar'
                and located.feed = 'einwohner' and located.boundary = 'as_counted'
        )
        select r.area_id, r.year, r.rate_percent, n.name as area_name, 'einwohner' as feed, 'population' as measure_id,
            before.year as year_before, before.rate_percent as rate_before_percent,
            round(r.rate_percent - before.rate_percent, 1) as jump_points,
            least(r.persons, before.persons) as smallest_count
        from rates as r
        join (select distinct area_id, name from intermediate.int_area) as n on r.kommune_id = n.area_id
        left join rates as before on r.area_id = before.area_id and r.year = before.year + 1
        order by r.area_id, r.year
    """,
    **plausibility_indicators.FRAMES,
}


def check_plausibility(home: Home, progress: Callable[[str], None] = print) -> list[Finding]:
    """Run every plausibility suite, write the findings, give them back (passed ones too)."""
    with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
        frames = {name: warehouse.execute(query).df() for name, query in FRAMES.items()}
    frames["plausibilitaet_lieferungen"] = expected_deliveries(home)
    frames["plausibilitaet_gebietsstand"] = redrawn_versions(home)
    findings = [finding for name, frame in frames.items() for finding in judge_frame(name, frame)]
    write_findings(findings, home.control / "finding_plausibility.parquet")
    warnings = sum(f.is_warning for f in findings)
    errors = sum(f.is_error for f in findings)
    progress(f"Plausibilitätstor: {counted(warnings, 'Hinweis', 'Hinweise')}, {errors} Fehler")
    return findings


def not_located(home: Home) -> pd.DataFrame:
    """Percentage (one decimal) of the registered residents who lie in no Sozialraum: a row per Kommune, a column per
    year, null where there is no register."""
    with duckdb.connect(str(home.warehouse), read_only=True) as warehouse:
        rates = warehouse.execute(FRAMES["plausibilitaet_verortung"]).df()
    return rates.pivot(index="area_name", columns="year", values="rate_percent").sort_index()


def expected_deliveries(home: Home) -> pd.DataFrame:
    """One row per feed, deliverer and year that the declarations expect: state of what is there, or None."""
    states = duckdb.execute(
        "select feed, deliverer, year, min(state) as state from read_parquet(?)"
        " where state in ('accepted', 'rejected') group by all",
        [str(home.control / "delivery.parquet")],
    ).df()
    expected = pd.DataFrame(
        [
            (feed.name, feed.title, slug, deliverer.name, year)
            for feed in load_feeds().values()
            for slug, deliverer in feed.deliverers.items()
            if deliverer.expected
            for year in feed.years
        ],
        columns=["feed", "feed_title", "deliverer", "deliverer_name", "year"],
    )
    merged = expected.merge(states, on=["feed", "deliverer", "year"], how="left")
    return merged.assign(in_force=merged["state"].where(merged["state"] == "accepted"))


def judge_frame(suite: str, frame: pd.DataFrame, gate: str = "plausibility") -> list[Finding]:
    """One finding per failing row, in the words of the expectation's `row_message`; one if all rows pass.

    The texts `row_message`, `row_found`, `row_expected` of an expectation may name any column of `frame`.
    """
    frame = frame.reset_index(drop=True)
    findings = []
    arguments = (suite, frame, None, max(len(frame), 1))
    outcomes = workers.submit(run_suite, *arguments).result() if workers.are_running() else run_suite(*arguments)
    for outcome in outcomes:
        rule = Finding(
            expectation=outcome.expectation,
            message=outcome.meta["note"],
            severity=outcome.severity,
            passed=outcome.passed,
            gate=gate,
        )
        if outcome.passed:
            findings.append(rule)
        elif not outcome.positions:
            findings.append(replace(rule, message=outcome.meta["row_message"]))
        else:
            findings.extend(_row_finding(rule, outcome.meta, _as_dict(frame, n)) for n in outcome.positions)
    return findings


def _as_dict(frame: pd.DataFrame, position: int) -> dict[str, Any]:
    return {str(key): value for key, value in frame.iloc[position].to_dict().items()}


def _row_finding(rule: Finding, texts: dict[str, str], row: dict[str, Any]) -> Finding:
    words = {
        key: german_number(value) if isinstance(value, float) and pd.notna(value) else value
        for key, value in row.items()
    }

    def told(text: str) -> str | None:
        return texts[text].format(**words) if text in texts else None

    may_quote = not row.get("smallest_count", SMALLEST_QUOTED) < SMALLEST_QUOTED
    values = told("row_values") if may_quote else WITHHELD
    return replace(
        rule,
        message=" ".join(filter(None, (told("row_message") or rule.message, values))),
        found=told("row_found") if may_quote else None,
        expected=told("row_expected") if may_quote else None,
        column_name=row.get("measure_id") or row.get("item"),
        n_rows=1,
        feed=row.get("feed"),
        deliverer=row.get("deliverer"),
        year=int(row["year"]) if "year" in row else None,
        area_id=row.get("area_id"),
        cells=_cells(row),
    )


def _cells(row: dict[str, Any]) -> tuple[tuple[str, int, str], ...]:
    measures = [row[name] for name in ("measure_id", "other_measure_id") if row.get(name)]
    years = [int(row[name]) for name in ("year", "year_before") if pd.notna(row.get(name))]
    return tuple((str(row["area_id"]), year, str(measure)) for measure in measures for year in years)


FINDING_COLUMNS = (
    "gate", "delivery_id", "feed", "deliverer", "year", "area_id", "expectation", "column_name", "severity",
    "passed", "n_rows", "found", "expected", "message",
)  # fmt: skip


def write_findings(findings: list[Finding], target: Path) -> None:
    """The columns of control/finding and `cells` (`area|year|measure`), one row per finding, in the order given."""
    table = pd.DataFrame(
        [[getattr(f, column) for column in FINDING_COLUMNS] for f in findings], columns=list(FINDING_COLUMNS)
    )
    text = [c for c in FINDING_COLUMNS if c not in ("year", "passed", "n_rows")]
    table = table.astype({**dict.fromkeys(text, "string"), "year": "Int32", "passed": "bool", "n_rows": "int64"})
    cells = pd.Series([["|".join(map(str, cell)) for cell in f.cells] for f in findings], dtype=object)
    partial = target.with_suffix(".part")
    table.assign(cells=cells.astype(pd.ArrowDtype(pa.list_(pa.string())))).to_parquet(partial, index=False)
    partial.replace(target)


def merge_findings(home: Home) -> Path:
    """`control/finding.parquet`: what the delivery gate and the plausibility gate found, fit to be published.

    A finding about a figure that the release keeps secret (`control/suppression_measure.parquet`) loses area and
    values: a sum of parts, or one value above another, would give it away. So does one of the delivery gate that names
    an area of which the feed has a secret figure in that year or the two before: „Sprung“ beside last year's 33 says
    that there are now one or two (or many more).
    """
    target = home.control / "finding.parquet"
    partial = target.with_suffix(".part")
    columns = ", ".join(FINDING_COLUMNS)
    duckdb.execute(
        f"""
        copy (
            with feed_secret as (
                select distinct measures.feed, hidden.year + later.years as year, hidden.area_id
                from read_parquet({literal(home.control / "suppression_measure.parquet")}) as hidden
                join read_csv({literal(REPOSITORY / "seeds" / "delivered_measures.csv")}) as measures using (measure_id)
                cross join (values (0), (1), (2)) as later(years)
            ),
            delivery as (
                select f.*, exists (
                    select 1 from feed_secret as s
                    where s.feed = f.feed and s.year = f.year
                        and list_contains(regexp_extract_all(f.message, '{AREA_IDS}'), s.area_id)
                ) as is_secret
                from read_parquet({literal(home.control / "finding_delivery.parquet")}) as f
            ),
            secret as (
                select coalesce(list(area_id || '|' || year || '|' || measure_id), []) as cells
                from read_parquet({literal(home.control / "suppression_measure.parquet")})
            ),
            plausibility as (
                select f.* exclude (cells), list_has_any(f.cells, secret.cells) as is_secret
                from read_parquet({literal(home.control / "finding_plausibility.parquet")}) as f
                cross join secret
            )
            select * exclude (is_secret) replace (
                case when not is_secret then area_id end as area_id,
                case when not is_secret then found end as found,
                case when not is_secret then expected end as expected,
                case when is_secret then '{SECRET}' else message end as message
            )
            from (
                select {columns}, is_secret from delivery
                union all
                select {columns}, is_secret from plausibility
            )
            order by all
        ) to {literal(partial)} (format parquet)
        """
    )
    partial.replace(target)
    return target
