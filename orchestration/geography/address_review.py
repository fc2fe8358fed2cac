"""Streets that the address register does not know, each with the register's street that is spelled most alike.

A proposal locates nobody: the steward confirms it once (`ipso adressen`), and the decision lies in the archive.
Compared are distinct street names within a Kommune, never addresses or persons.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from orchestration.home import Home

LIKENESS_PERCENT = 80.0
"""From so many percent on (Levenshtein: 100 · (1 - edits / length)) a street is proposed. Set by judgement: one wrong
letter in five, two in ten. A likeness alone locates nobody: a proposal too many costs a look, no figure."""
SCHEMA = pa.schema(
    [
        ("proposal_id", pa.string()),
        ("ags", pa.string()),
        ("strasse", pa.string()),
        ("street", pa.string()),
        ("addresses", pa.int64()),
        ("proposal", pa.string()),
        ("likeness_percent", pa.float64()),
        ("numbers_known_percent", pa.float64()),
    ]
)

UNKNOWN = """
    select ags, street, mode(strasse order by strasse) as strasse, count(*) as addresses
    from (select ags, strasse, street_key(strasse) as street from matched where missing = 'strasse')
    where street != ''
    group by ags, street
    order by ags, street
"""
KNOWN = """
    select ags, street, max(strasse) as strasse
    from (select distinct ags, strasse, street_key(strasse) as street from register)
    where street != '' and ags in (select ags from matched where missing = 'strasse')
    group by ags, street
    order by ags, street
"""
# How many of the house numbers exist in the proposed street: a street that is meant has most of them.
NUMBERS = """
    select p.ags, p.street,
        round(100.0 * count(*) filter (r.number is not null) / count(*), 0) as numbers_known_percent
    from proposed as p
    join matched as m on p.ags = m.ags and p.street = street_key(m.strasse)
    left join (
        select distinct ags, street_key(strasse) as street, full_number_key(hausnummer, hausnummer_zusatz) as number
        from register
    ) as r
        on p.ags = r.ags
        and p.register_street = r.street
        and full_number_key(m.hausnummer, m.hausnummer_zusatz) = r.number
    where p.register_street is not null
    group by p.ags, p.street
"""


def review(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    """One row per Kommune and street that the register does not know, ordered; `SCHEMA`.

    The connection is that of `address_match.match`, with its result as `matched`. `proposal` is null where nothing is
    like enough; `street` is the key of the spelling, under which a decision is remembered.
    """
    unknown = connection.execute(UNKNOWN).df()
    known = connection.execute(KNOWN).df()
    parts = [_nearest(rows, known[known["ags"] == ags]) for ags, rows in unknown.groupby("ags", sort=True)]
    proposed = pd.concat(parts, ignore_index=True) if parts else _nearest(unknown, known)
    connection.register("proposed", proposed)
    numbers = connection.execute(NUMBERS).df()
    table = proposed.merge(numbers, on=["ags", "street"], how="left").sort_values(["ags", "street"], ignore_index=True)
    table["proposal_id"] = [proposal_id(ags, street) for ags, street in zip(table["ags"], table["street"], strict=True)]
    return pa.Table.from_pandas(table[SCHEMA.names], schema=SCHEMA, preserve_index=False).replace_schema_metadata()


def _nearest(unknown: pd.DataFrame, known: pd.DataFrame) -> pd.DataFrame:
    """Add proposal (as the register spells it), register_street (its key), likeness_percent; of equals the first."""
    from rapidfuzz import process
    from rapidfuzz.distance import Levenshtein

    nothing = pd.Series([None] * len(unknown), index=unknown.index, dtype=object)
    if unknown.empty or known.empty:
        return unknown.assign(proposal=nothing, register_street=nothing, likeness_percent=np.nan)
    likeness = process.cdist(
        unknown["street"].tolist(), known["street"].tolist(), scorer=Levenshtein.normalized_similarity, workers=1
    )
    best = likeness.argmax(axis=1)
    percent = np.round(100.0 * likeness.max(axis=1).astype(float), 0)
    is_like = percent >= LIKENESS_PERCENT
    return unknown.assign(
        proposal=pd.Series(known["strasse"].to_numpy(object)[best], index=unknown.index).where(is_like, None),
        register_street=pd.Series(known["street"].to_numpy(object)[best], index=unknown.index).where(is_like, None),
        likeness_percent=np.where(is_like, percent, np.nan),
    )


def proposal_id(ags: str, street: str) -> str:
    """Short, the same in every run: `016-3f2a91`."""
    import hashlib

    return f"{ags[-3:]}-{hashlib.sha256(f'{ags}|{street}'.encode()).hexdigest()[:6]}"


def review_path(home: Home) -> Path:
    """Beside the located addresses, readable by the steward only."""
    return home.raw / "verortung" / "strassen.parquet"
