"""A delivered street list beside the address register: rules that mean no address, addresses with no or several rules.

Two tables in raw form go in, findings come out; the rules of the gate are the suite `strassenverzeichnis_adressen`.
Which register counts is decided by judgement.py; what becomes of the list is geography/street_areas.py's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from orchestration.feeds.finding import Finding
from orchestration.feeds.street_lists import MEANT, prepare
from orchestration.gates.suites import SEVERITIES, GateDefect, find, load_suite
from orchestration.sql import single_threaded

SUITE = "strassenverzeichnis_adressen"

# One row per rule, and one (zeile 0) per street with addresses that no rule means.
FRAME = f"""
    with meant as ({MEANT}),
    several as (select oid from meant group by oid having count(distinct sozialraum_id) > 1),
    rules_seen as (
        select r.zeile, r.strasse,
            case when count(m.oid) = 0 then r.strasse end as ohne_anschrift,
            case when count(s.oid) > 0 then r.strasse end as doppelt_zugeordnet,
            null as ohne_regel
        from rules as r
        left join meant as m on r.zeile = m.zeile
        left join several as s on m.oid = s.oid
        group by r.zeile, r.strasse
    ),
    streets_left as (
        select 0 as zeile, strasse, null as ohne_anschrift, null as doppelt_zugeordnet, strasse as ohne_regel
        from meant where sozialraum_id is null
        group by strasse
    )
    select * from (from rules_seen union all by name from streets_left)
    order by zeile, strasse
"""


def hold_against(delivered: pa.Table, registers: Sequence[Path], headers: Mapping[str, str]) -> list[Finding]:
    """Findings about a street list; passed rules too. `registers`: raw Parquet of the address register.

    Without a register one finding says that nothing could be compared. Raises GateDefect where the comparison itself
    is broken.
    """
    try:
        frame = _frame(delivered, registers)
    except duckdb.Error as error:
        raise GateDefect.of(SUITE, None, type(error).__name__) from None
    return find(SUITE, frame, gate="delivery", parameters={"register": len(registers) or None}, headers=headers)


def notes() -> list[tuple[str, str]]:
    """(severity, German note) of every rule."""
    return [(SEVERITIES[e["severity"]], e["meta"]["note"]) for e in load_suite(SUITE)["expectations"]]


def _frame(delivered: pa.Table, registers: Sequence[Path]) -> pd.DataFrame:
    """One row per rule and per street left, index zeile; without a register only the rules, about which nothing is
    known."""
    if not registers:
        columns = dict.fromkeys(("ohne_anschrift", "doppelt_zugeordnet", "ohne_regel"))
        return pd.DataFrame({"zeile": delivered["zeile"].to_pylist()}).assign(**columns).set_index("zeile")
    with single_threaded() as connection:
        prepare(connection, delivered, registers)
        return connection.execute(FRAME).df().set_index("zeile")
