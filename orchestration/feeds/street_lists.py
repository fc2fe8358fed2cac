"""Which addresses of the register a delivered street list means, as one SQL statement.

Used by the gate, which looks for what is wrong, and by geography, which makes areas of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa

from orchestration.feeds.street_names import create_macros
from orchestration.sql import literal

# Joins `rules` (a street list in raw form) to `addresses` (raw Parquet of the register), one row per address and rule;
# addresses of the Kommunen of the list that no rule means have null for it.
MEANT = """
    with streets as (
        select strasse, street_key(strasse) as street
        from (select strasse from rules union select strasse from addresses)
        where strasse is not null
    ),
    places as (
        select a.ags, a.strasse, s.street, a.ostwert, a.nordwert, a.oid,
            try_cast(regexp_extract(house_number_key(a.hausnummer), '^[0-9]+') as integer) as number
        from addresses as a join streets as s on a.strasse = s.strasse
        where a.ags in (select ags from rules)
    ),
    wanted as (
        select r.*, s.street from rules as r join streets as s on r.strasse = s.strasse
    )
    select p.ags, p.strasse, p.ostwert, p.nordwert, p.oid, w.zeile, w.sozialraum_id
    from places as p
    left join wanted as w
        on p.ags = w.ags and p.street = w.street
        and (w.hausnummer_von is null or p.number >= w.hausnummer_von)
        and (w.hausnummer_bis is null or p.number <= w.hausnummer_bis)
        and (coalesce(w.seite, 'alle') = 'alle' or (p.number % 2 = 0) = (w.seite = 'gerade'))
"""


def prepare(connection: duckdb.DuckDBPyConnection, rules: pa.Table, addresses: Sequence[Path]) -> None:
    """The views `rules` and `addresses` and the macros that `MEANT` needs."""
    create_macros(connection)
    connection.register("rules", rules)
    files = ", ".join(literal(path) for path in addresses)
    connection.execute(f"create or replace temp view addresses as from read_parquet([{files}])")
