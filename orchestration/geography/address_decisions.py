"""What the steward has decided about spellings of streets: which street of the register is meant.

Decisions lie in the archive (`gates/decisions.py`); of several about one spelling, the last one counts.
"""

from __future__ import annotations

import pyarrow as pa

from orchestration.feeds.street_names import create_macros
from orchestration.gates.decisions import STREET, STREET_REJECTION, Decision, Decisions, load_decisions
from orchestration.geography.address_match import CONFIRMED_SCHEMA
from orchestration.home import Home
from orchestration.sql import single_threaded

Spelling = tuple[str, str]
"""AGS and key of the street."""


def street_keys(texts: list[str]) -> list[str]:
    """The keys of spelled streets, in their order."""
    if not texts:
        return []
    with single_threaded() as connection:
        create_macros(connection)
        rows = connection.execute(
            "select street_key(t) from (select unnest(?) as t, unnest(?) as n) order by n",
            [texts, list(range(len(texts)))],
        ).fetchall()
    return [row[0] for row in rows]


def latest(decisions: Decisions) -> dict[Spelling, Decision]:
    """(AGS, key) → the decision that counts, confirmations and rejections."""
    about = [d for d in decisions.all if d.kind in (STREET, STREET_REJECTION)]
    keys = street_keys([str(d.spelled) for d in about])
    return {(str(d.ags), key): d for d, key in zip(about, keys, strict=True)}


def in_effect(decisions: Decisions) -> list[Decision]:
    """The confirmations that locate addresses, by Kommune and spelling."""
    return [decision for _, decision in sorted(latest(decisions).items()) if decision.kind == STREET]


def confirmed_streets(home: Home) -> pa.Table:
    """ags, street, register_street: keys, for `address_match.match`."""
    kept = {spelling: d for spelling, d in sorted(latest(load_decisions(home)).items()) if d.kind == STREET}
    meant = street_keys([str(d.street) for d in kept.values()])
    rows = [
        {"ags": ags, "street": key, "register_street": street} for (ags, key), street in zip(kept, meant, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema=CONFIRMED_SCHEMA)
