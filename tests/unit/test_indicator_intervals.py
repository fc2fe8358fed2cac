"""The SQL of the intervals, beside scipy and published numbers; no dbt, the macros themselves in DuckDB."""

from __future__ import annotations

import jinja2
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from orchestration.home import REPOSITORY
from orchestration.sql import single_threaded

MACROS = jinja2.Environment().from_string(
    (REPOSITORY / "dbt_project" / "macros" / "intervals.sql").read_text(encoding="utf-8")
)


def bounds(macro: str, frame: pd.DataFrame, *columns: str) -> np.ndarray:
    """Shape (rows, 2): lower and upper bound as the models compute them; `frame` is read by DuckDB."""
    formula = getattr(MACROS.module, macro)
    with single_threaded() as connection:
        connection.register("cases", frame)
        rows = connection.execute(
            f"select {formula('lower', *columns)}, {formula('upper', *columns)} from cases"
        ).fetchall()
    return np.array(rows, dtype=float)


def test_wilson_equals_scipy() -> None:
    # none, one of one, all, the county's children of 2014, ties at a half, a whole Kreis
    cases = [(0, 10), (1, 1), (10, 10), (4240, 37988), (5, 10), (50, 100), (3, 87), (15350, 216628)]
    events, totals = (np.array(column, dtype=float) for column in zip(*cases, strict=True))
    frame = pd.DataFrame({"o": events, "n": totals})
    tests = [stats.binomtest(o, n).proportion_ci(method="wilson") for o, n in cases]
    expected = np.array([(test.low, test.high) for test in tests])
    # z is 1.959964 by the domain's convention, scipy's has more digits
    assert bounds("wilson", frame, "o", "n") == pytest.approx(expected, abs=1e-7)


def test_wilson_is_undefined_where_there_is_no_proportion() -> None:
    frame = pd.DataFrame({"o": [3.0, 5.0, np.nan, -1.0], "n": [0.0, 4.0, 10.0, 10.0]})
    assert np.isnan(bounds("wilson", frame, "o", "n")).all()


def test_byar_lies_at_the_exact_poisson_interval_and_at_its_published_values() -> None:
    events = np.array([0.0, 1, 2, 5, 10, 50, 100, 1000, 12391])
    found = bounds("byar", pd.DataFrame({"o": events}), "o")
    # Breslow & Day (1987), and the definition in Fingertips: 10 events, 4.787 to 18.391
    assert found[4] == pytest.approx([4.78745, 18.39146], abs=1e-5)
    assert found[0] == pytest.approx([0, 3.66801], abs=1e-5)
    exact = np.column_stack([stats.chi2.ppf(0.025, 2 * events) / 2, stats.chi2.ppf(0.975, 2 * (events + 1)) / 2])
    # Byar approximates; from five events on it is exact to a hundredth of the bound.
    assert found[3:] == pytest.approx(exact[3:], rel=0.011)
    assert np.isnan(bounds("byar", pd.DataFrame({"o": [np.nan, -1.0]}), "o")).all()
