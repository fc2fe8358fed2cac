"""The independent audit of a release: can a reader work out a small count from all that it prints together?

Shares no code with the suppressor and knows nothing of its decisions: it reads a release folder and `atoms.yml`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.sparse as sp

from orchestration.disclosure.audit_beside import beside_blanks
from orchestration.disclosure.audit_bounds import System, ranges, tighten, with_rows
from orchestration.disclosure.audit_history import together
from orchestration.disclosure.audit_read import KEY, Published, read_release
from orchestration.disclosure.audit_sums import (
    WITHOUT,
    Knowledge,
    build,
    item_of_rule,
    printed_rests,
    read_knowledge,
    shows_zeros,
)

MINIMUM = 3
EXACT, BELOW, NARROW, SAFE = "exact", "certainly_below", "too_narrow", "safe"
LEAKS = (EXACT, BELOW, NARROW)


@dataclass(frozen=True)
class Audit:
    """How many counts a release prints and what can be worked out of those that it does not."""

    cells: int
    verdicts: pd.Series
    """number of blanks per verdict, all four named"""
    hidden: pd.DataFrame
    """area, year, item, verdict of every blank; for the steward, never for a log"""
    contradictions: int
    beside: dict[str, int] = field(default_factory=dict)
    """rule of `audit_beside` -> rows that print beside a blank what rests on it"""

    @property
    def leaks(self) -> int:
        """Blanks that do not protect, and figures that must not stand beside one."""
        return int(self.verdicts[list(LEAKS)].sum()) + sum(self.beside.values())


def audit_release(release: Path, earlier: Sequence[Path] = (), minimum: int = MINIMUM) -> Audit:
    """The verdict on every blank of a release folder, with all that earlier releases told (oldest first).

    minimum: of measures for which the release names no other (`meta_disclosure_rule`).
    """
    knowledge = read_knowledge()
    newest = read_release(release)
    published, revealed = together(newest, [read_release(folder) for folder in earlier], knowledge)
    found = audit(published, knowledge, minimum)
    return replace(with_revealed(found, revealed), beside=beside_blanks(release, newest.cells))


def with_revealed(found: Audit, revealed: pd.DataFrame) -> Audit:
    """What an earlier release hid and this one prints is a blank that is known exactly."""
    return replace(
        found,
        verdicts=found.verdicts.add(pd.Series({EXACT: len(revealed)}), fill_value=0).astype(int)[[*LEAKS, SAFE]],
        hidden=pd.concat([found.hidden, revealed.assign(verdict=EXACT)], ignore_index=True),
    )


def audit(published: Published, knowledge: Knowledge, minimum: int = MINIMUM) -> Audit:
    """The verdict on every blank, over everything that is printed."""
    system, targets, hidden = build(published, knowledge)
    settled = settled_pairs(published, system, targets, hidden)
    system = with_rows(
        system, targets[settled], np.where(shows_zeros(hidden["item"][settled], published.rules), 1.0, 0.0)
    )
    is_blank = hidden["is_blank"].to_numpy(bool) | settled
    least = minimums(hidden["item"], published.rules, minimum)
    found = ranges(system, targets, lambda at, low, high: verdicts(low, high, least[at]) == SAFE)
    # Of a count that may be hidden for its partner's sake only, no more is protected than that it is small.
    is_small = (found.low >= 1) & (found.low < least)
    judged = (is_blank | is_small) & ~_is_free(hidden["item"], published.rules)
    verdict = np.where(judged, verdicts(found.low, found.high, least), SAFE)
    rests = printed_rests(published.cells, knowledge)
    limit = np.where(_is_free(rests["item"], published.rules), 0, minimums(rests["item"], published.rules, minimum))
    rests = rests[(rests["value"] > 0) & (rests["value"] < limit)]
    hidden = pd.concat([hidden[KEY], rests[KEY]], ignore_index=True)
    verdict = np.concatenate([verdict, np.full(len(rests), EXACT)])
    # A rest that tells nothing is no blank of the release.
    counts_as = ~hidden["item"].str.contains(WITHOUT, regex=False).to_numpy(bool) | (verdict != SAFE)
    hidden, verdict = hidden[counts_as].reset_index(drop=True), verdict[counts_as]
    counts = pd.Series(verdict, dtype=object).value_counts().reindex([*LEAKS, SAFE], fill_value=0)
    return Audit(len(published.cells), counts, hidden.assign(verdict=verdict), found.contradictions)


def _is_free(items: pd.Series, rules: pd.DataFrame) -> np.ndarray:
    """Shape of `items`: no rule protects them."""
    return item_of_rule(items).isin(rules.loc[~rules["is_judged"], "item"]).to_numpy(bool)


def settled_pairs(published: Published, system: System, targets: sp.csr_array, hidden: pd.DataFrame) -> np.ndarray:
    """Shape (targets,): counts that must be the blank of their row, since its other count is printed in another one or
    follows from other tables."""
    pairs = published.pairs
    is_blank = hidden["is_blank"].to_numpy(bool)
    if pairs.empty:
        return np.zeros(len(hidden), bool)
    lower, upper, _ = tighten(system)
    is_known = (targets @ (upper - lower > 0).astype(float) == 0) & ~is_blank
    keys = pd.MultiIndex.from_frame(hidden[KEY])
    printed = published.cells.loc[published.cells["is_printed"], KEY].astype({"year": hidden["year"].dtype})
    known = keys[is_known].union(pd.MultiIndex.from_frame(printed))
    must_be = np.zeros(len(hidden), bool)
    for own, other in (("numerator", "denominator"), ("denominator", "numerator")):
        follows = pd.MultiIndex.from_frame(pairs[["area", "year", other]]).isin(known)
        must_be |= keys.isin(pd.MultiIndex.from_frame(pairs.loc[follows, ["area", "year", own]]))
    return must_be & ~is_known & ~is_blank


def minimums(items: pd.Series, rules: pd.DataFrame, minimum: int) -> np.ndarray:
    """Shape of `items`: the smallest count of each that may be told."""
    named = dict(zip(rules["item"], rules["minimum"], strict=True))
    return item_of_rule(items).map(named).fillna(minimum).to_numpy(float)


def verdicts(low: np.ndarray, high: np.ndarray, minimum: float | np.ndarray) -> np.ndarray:
    """Shape of `low`: what the ranges of possible counts give away.

    exact: one value is possible. certainly_below: every possible value is below the minimum. too_narrow: it may be
    below the minimum, and fewer values are possible than the minimum's number (at 3: two).
    """
    return np.select(
        [low == high, high < minimum, (low < minimum) & (high - low + 1 < minimum)], [EXACT, BELOW, NARROW], SAFE
    )
