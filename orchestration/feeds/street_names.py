"""Street names and house numbers as deliverers spell them → one key per address, as SQL macros of DuckDB.

Exact matching after normalisation only; near misses and coordinates are the business of `orchestration/geography`.
"""

from __future__ import annotations

import duckdb

MACROS = (
    # `Ahorn-Straße`, `AHORNSTRASSE`, `Ahornstr.` → `ahornstr`; umlauts as in ASCII.
    """
    create or replace temp macro street_key(street) as regexp_replace(
        regexp_replace(
            replace(replace(replace(replace(
                lower(nfc_normalize(street)), 'ä', 'ae'), 'ö', 'oe'), 'ü', 'ue'), 'ß', 'ss'),
            '[^0-9a-z]', '', 'g'
        ),
        'strasse', 'str', 'g'
    )
    """,
    # `012 A`, `12-a`, `12/A` → `12a`, `12.0` (a number of a workbook) → `12`, `12 - 14` → `12-14`; null → ``.
    """
    create or replace temp macro house_number_key(number) as coalesce(
        regexp_replace(
            regexp_replace(
                regexp_replace(regexp_replace(lower(number), '\\.0+$', ''), '\\s', '', 'g'),
                '([0-9])[-/.]+([a-z])', '\\1\\2', 'g'
            ),
            '^0+', ''
        ),
        ''
    )
    """,
    # number and suffix in two columns: `12.0` + ` A` → `12a`
    """
    create or replace temp macro full_number_key(number, suffix) as
        house_number_key(house_number_key(number) || coalesce(suffix, ''))
    """,
)


def create_macros(connection: duckdb.DuckDBPyConnection) -> None:
    """`street_key(text)`, `house_number_key(text)`, `full_number_key(text, text)` for this connection."""
    for macro in MACROS:
        connection.execute(macro)
