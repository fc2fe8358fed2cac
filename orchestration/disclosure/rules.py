"""Which rules hold for each measure: those of the feeds that deliver it, the strictest where there are several.

From the declarations (`orchestration/feeds/*.yml`) and the seeds to one table, which decides about blanks
(`cells.py`) and is published (`meta_disclosure_rule`), so that readers and the audit know what was promised.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from orchestration.disclosure.atoms import SEEDS
from orchestration.feeds.declaration import Feed, load_feeds

SCHEMA = pa.schema(
    [
        ("measure_id", pa.string()),
        ("feed", pa.string()),
        ("unit", pa.string()),
        ("minimum", pa.int32()),
        ("zeros_shown", pa.bool_()),
        ("minimum_denominator", pa.int32()),
        ("counted_by", pa.string()),
        ("dominance_percent", pa.float64()),
    ]
)
"""One row per measure; `minimum` 0: every count may be shown."""
CONTRIBUTIONS = ["dominance_feed", "largest", "second", "factor"]
"""Where the two largest contributions to an amount are delivered; not published."""


def load_rules() -> pd.DataFrame:
    """The rules of the present declarations and seeds, as `rules_of` gives them."""
    return rules_of(load_feeds(), pd.read_csv(SEEDS / "measures.csv"), pd.read_csv(SEEDS / "delivered_measures.csv"))


def rules_of(declared: dict[str, Feed], measures: pd.DataFrame, delivered: pd.DataFrame) -> pd.DataFrame:
    """Columns of SCHEMA and CONTRIBUTIONS, and is_protected: whether its cells take part in the protection at all.

    measures, delivered: the seeds of these names.
    """
    rows = []
    for measure, unit, of_persons, main in zip(
        *(measures[name].tolist() for name in ("measure_id", "unit", "counts_persons", "feed")), strict=True
    ):
        ways = delivered[delivered["measure_id"] == measure]
        secrets = [declared[name].confidentiality for name in sorted({main, *ways["feed"]}) if name in declared]
        row = {
            "measure_id": measure,
            "feed": main,
            "unit": unit,
            "minimum": max((s.minimum for s in secrets), default=3) if of_persons else 0,
            "zeros_shown": all(s.zeros_shown for s in secrets) or not of_persons,
            "minimum_denominator": max((s.minimum_denominator for s in secrets), default=0),
            "is_protected": bool(of_persons),
        }
        for feed, column, factor in zip(ways["feed"], ways["merkmal"], ways["factor"], strict=True):
            secret = declared[feed].confidentiality if feed in declared else None
            if secret and column in secret.counted_by:
                row["counted_by"] = _measure_of(delivered, feed, secret.counted_by[column])
            if secret and column in secret.dominance:
                rule = secret.dominance[column]
                row |= {"dominance_percent": rule.percent, "is_protected": True, "factor": float(factor)}
                row |= {"dominance_feed": feed, "largest": rule.largest, "second": rule.second}
        rows.append(row)
    texts = dict.fromkeys(["counted_by", "dominance_feed", "largest", "second"], "string")
    return pd.DataFrame(rows, columns=[*SCHEMA.names, *CONTRIBUTIONS, "is_protected"]).astype(texts)


def rule_table(rules: pd.DataFrame) -> pa.Table:
    """What is published of the rules, by measure."""
    return pa.Table.from_pandas(rules.sort_values("measure_id")[SCHEMA.names], SCHEMA, preserve_index=False)


def _measure_of(delivered: pd.DataFrame, feed: str, column: str) -> str:
    found = delivered.loc[(delivered["feed"] == feed) & (delivered["merkmal"] == column), "measure_id"]
    if found.empty:
        raise ValueError(f"declaration {feed}: {column} counts, but delivered_measures.csv makes no measure of it")
    return str(found.iloc[0])


def is_dominated(total: np.ndarray, largest: np.ndarray, second: np.ndarray, percent: np.ndarray) -> np.ndarray:
    """p % rule, all of one shape: whether the second contributor can estimate the largest one to within `percent`.

    She knows her own part, so total - second is her upper bound of the largest; it is too near if what all others
    give is less than p % of it (Hundepool et al., Statistical Disclosure Control, 2012, section 4.2.2). False where
    an amount is not known.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray((total > 0) & (total - largest - second < percent / 100 * largest))


def dominance_width(largest: np.ndarray, percent: np.ndarray) -> np.ndarray:
    """How far apart the possible totals of a dominated amount have to be: p % of the largest contribution, whole."""
    return np.ceil(percent / 100 * largest)
