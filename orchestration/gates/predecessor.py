"""A delivery beside the one of the year before: what changed more, or less, than years do.

For aggregated feeds. Two tables in raw form (orchestration/feeds/reader.py) go in, findings come out; the rules are the
suites `vergleich_vorjahr_werte` (one row per area and column) and `vergleich_vorjahr_spalten` (one row per column).
Which delivery is the predecessor is decided by the delivery gate.
"""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from orchestration.feeds.finding import MAX_ROWS, Finding, german_number, sentence
from orchestration.gates.suites import GateDefect, Outcome, run_suite
from orchestration.sql import single_threaded

COMPARISONS = ("vergleich_vorjahr_werte", "vergleich_vorjahr_spalten")
FEWEST_AREAS = 5
"""Fewer areas than that prove nothing about a column."""
SMALLEST_TOTAL = 200
"""Sums below it may well be ten times those of another year."""

PAIRS = """
    with now as (
        select gebiet, merkmal, any_value(spalte) as spalte, min(zeile) as zeile, any_value(wert) as wert
        from present group by gebiet, merkmal having count(*) = 1
    ),
    before as (
        select gebiet, merkmal, any_value(wert) as vorjahr
        from past group by gebiet, merkmal having count(*) = 1
    )
    select now.*, before.vorjahr
    from now join before using (gebiet, merkmal)
    where wert is not null and vorjahr is not null
"""
VALUES = f"""
    select zeile, gebiet, merkmal, spalte, wert, vorjahr,
        abs(wert - vorjahr) / sqrt(nullif(wert + vorjahr, 0)) as sprung_in_sd,
        100.0 * abs(wert - vorjahr) / nullif(vorjahr, 0) as sprung_percent,
        case when wert = 0 then vorjahr end as vorjahr_wo_jetzt_null
    from ({PAIRS})
    order by zeile, merkmal
"""
COLUMNS = f"""
    with pairs as ({PAIRS}),
    -- how well each column of this year fits each column of last year, over the areas where both are large enough
    fits as (
        select a.merkmal, any_value(a.spalte) as spalte, b.merkmal as other, count(*) as n_areas,
            avg((abs(a.wert - b.vorjahr) <= greatest(3, 0.1 * b.vorjahr))::int) as fit
        from pairs as a join pairs as b using (gebiet)
        where b.vorjahr >= 10 or a.wert >= 10
        group by a.merkmal, b.merkmal
    ),
    own as (select merkmal, fit from fits where merkmal = other),
    shifted as (
        select fits.merkmal, first(fits.other order by fits.fit desc, fits.other) as looks_like
        from fits join own using (merkmal)
        where fits.other != fits.merkmal and fits.fit >= 0.8 and own.fit <= 0.3 and n_areas >= {FEWEST_AREAS}
        group by fits.merkmal
    ),
    totals as (
        select merkmal, any_value(spalte) as spalte,
            count(*) filter (wert > 0 or vorjahr > 0) as n_areas,
            count(distinct wert) as n_values,
            count(*) filter (wert != vorjahr) as n_changed,
            sum(wert) as now_total, sum(vorjahr) as before_total
        from pairs group by merkmal
    )
    select totals.merkmal, totals.spalte,
        case when totals.n_areas >= {FEWEST_AREAS} and totals.n_values >= {FEWEST_AREAS} then totals.n_changed end
            as n_geaendert,
        case when totals.n_areas >= {FEWEST_AREAS} and totals.before_total > 0
                and greatest(totals.now_total, totals.before_total) >= {SMALLEST_TOTAL}
            then totals.now_total / totals.before_total end as verhaeltnis,
        case when totals.now_total > totals.before_total then 'mehr als das Zehnfache'
            else 'weniger als ein Zehntel' end as vielfaches,
        case when (select count(*) from shifted) >= 2 then titles.spalte end as sieht_aus_wie
    from totals
    left join shifted using (merkmal)
    left join totals as titles on titles.merkmal = shifted.looks_like
    order by totals.merkmal
"""


def compare(present: pa.Table, past: pa.Table) -> list[Finding]:
    """Findings about the present raw table of an aggregated feed; passed rules too.

    Raises GateDefect where something in here breaks: both tables have been read and typed.
    """
    try:
        with single_threaded() as connection:
            connection.register("present", present)
            connection.register("past", past)
            values = connection.execute(VALUES).df()
            columns = connection.execute(COLUMNS).df()
        return [
            finding
            for suite, frame in zip(COMPARISONS, (values, columns), strict=True)
            for finding in _judged(suite, frame)
        ]
    except GateDefect:
        raise
    except Exception as error:
        # Not the exception's text, which may quote a cell.
        raise GateDefect.of(" und ".join(COMPARISONS), None, type(error).__name__) from None


def _judged(suite: str, frame: pd.DataFrame) -> list[Finding]:
    if frame.empty:
        return []
    return [
        finding for outcome in run_suite(suite, frame, most_rows=len(frame)) for finding in _findings(outcome, frame)
    ]


def _findings(outcome: Outcome, frame: pd.DataFrame) -> list[Finding]:
    """One per column of the file that fails the rule."""
    meta = outcome.meta
    rule = Finding(
        expectation=outcome.expectation,
        message=meta["note"],
        severity=outcome.severity,
        passed=outcome.passed,
        expected=meta["expected"],
    )
    if outcome.passed:
        return [rule]
    failing = frame.iloc[outcome.positions]
    return [_finding(outcome, rule, str(column), rows) for column, rows in failing.groupby("spalte", sort=False)]


def _finding(outcome: Outcome, rule: Finding, column: str, rows: pd.DataFrame) -> Finding:
    meta = outcome.meta
    first = {str(name): _word(value) for name, value in rows.iloc[0].items()}
    lines = tuple(int(line) for line in rows["zeile"]) if "zeile" in rows else ()
    areas = ", ".join(rows["gebiet"].head(5)) + (", …" if len(rows) > 5 else "") if "gebiet" in rows else None
    found = meta["found"].format(**first) + (f" (gefunden: {areas})" if areas else "")
    hint = meta["hint"]
    return Finding(
        expectation=rule.expectation,
        message=sentence(found, rule.expected, hint, column, lines, len(lines)),
        severity=rule.severity,
        column_name=column,
        n_rows=len(lines),
        found=found,
        shown=_values(rows) if areas else None,
        expected=rule.expected,
        hint=hint,
        rows=lines[:MAX_ROWS],
    )


def _values(rows: pd.DataFrame) -> str:
    texts = [
        f"{gebiet}: {german_number(now)}, im Vorjahr {german_number(before)}"
        for gebiet, now, before in rows[["gebiet", "wert", "vorjahr"]].head(5).itertuples(index=False)
    ]
    return "; ".join(texts)


def _word(value: object) -> str:
    if isinstance(value, float):
        return german_number(round(value, 2))
    return str(value)
