"""Delivered addresses beside the population registers: where more persons receive benefits than are registered.

Two tables in raw form go in, findings come out; the rules are the suite `anschriften_melderegister`. Findings carry
row numbers, never a street or a count. Which registers count is decided by the delivery gate (judgement.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa

from orchestration.feeds.finding import Finding
from orchestration.feeds.street_names import create_macros
from orchestration.gates.suites import SEVERITIES, GateDefect, find, load_suite
from orchestration.sql import literal, single_threaded

SUITE = "anschriften_melderegister"
LIMITS = {"wenige": 5, "viele": 50, "vielfaches": 3, "unbekannt": 20}
"""For SQL, suite and texts: so few recipients prove nothing; from so many, and so many times the residents, on it is an
office; so many may live at an address that the register does not know. Set by judgement, not from a source."""
REGISTER_COLUMNS = ("ags", "strasse", "hausnummer", "hausnummer_zusatz")
NOBODY = pa.table({name: pa.array([], pa.string()) for name in REGISTER_COLUMNS})

FRAME = """
    with residents as (
        select ags, street_key(strasse) as street,
            full_number_key(hausnummer, hausnummer_zusatz) as number, count(*) as residents
        from register
        where strasse is not null
        group by all
    ),
    -- one address may stand in several rows, spelled differently
    addresses as (
        select zeile, ags, sum(personen) over (partition by ags, street, number) as recipients, street, number
        from (
            select zeile, ags, personen, street_key(strasse) as street, house_number_key(hausnummer) as number
            from delivered
            where ags is not null and strasse is not null and personen is not null
        )
    ),
    compared as (
        select zeile, ags, recipients, residents, recipients / residents as ratio,
            ags in (select ags from register) as has_register,
            recipients > $viele and ratio > $vielfaches as is_office
        from addresses left join residents using (ags, street, number)
    )
    select zeile, ags,
        case when not has_register then 1 end as ohne_register,
        case when recipients > $wenige and not is_office then ratio end as empfaenger_je_gemeldeten,
        case when is_office then ratio end as empfaenger_je_gemeldeten_behoerde,
        case when has_register and residents is null then recipients end as empfaenger_ohne_gemeldete
    from compared
    order by zeile
"""


def hold_against(delivered: pa.Table, registers: Sequence[Path], headers: Mapping[str, str]) -> list[Finding]:
    """Findings about addresses (zeile, ags, strasse, hausnummer, personen); passed rules too.

    `registers`: raw Parquet with one row per resident (`REGISTER_COLUMNS`), of one year. A Kommune without one is
    not compared, which a finding says. Raises GateDefect where the comparison itself is broken.
    """
    try:
        frame = _frame(delivered, registers)
    except duckdb.Error as error:
        # The error's text may quote a cell, its class does not.
        raise GateDefect.of(SUITE, None, type(error).__name__) from None
    if frame.empty:
        return []
    return find(SUITE, frame, gate="delivery", parameters=LIMITS, headers=headers)


def notes() -> list[tuple[str, str]]:
    """(severity, German note) of every rule."""
    expectations = load_suite(SUITE)["expectations"]
    return [(SEVERITIES[e["severity"]], e["meta"]["note"].format(**LIMITS)) for e in expectations]


def _frame(delivered: pa.Table, registers: Sequence[Path]) -> pd.DataFrame:
    """One row per address with everything known, index zeile: ratios and counts where a rule applies, else null."""
    with single_threaded() as connection:
        create_macros(connection)
        connection.register("delivered", delivered)
        if registers:
            files = ", ".join(literal(path) for path in registers)
            connection.execute(f"create temp view register as from read_parquet([{files}])")
        else:
            connection.register("register", NOBODY)
        used = {name: limit for name, limit in LIMITS.items() if f"${name}" in FRAME}
        return connection.execute(FRAME, used).df().set_index("zeile")
