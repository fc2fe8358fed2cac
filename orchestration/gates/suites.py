"""Runs a Great Expectations suite (data, `expectations/<name>.json`) on a data frame and returns findings.

Used by all three gates. What the rules are stands in the suites; which frame they see is the gates' business.
Great Expectations is imported inside the functions: its import alone costs more CPU seconds than most suites.

A suite's expectation carries in `meta`, in German for the steward: `note` (the rule), `found`, `expected`, `hint`;
optionally `column` (whose header to name), `requires` (a parameter without which it cannot be judged), `show`
(columns whose values may be told: never personal ones). Texts may hold `{parameter}` and `{observed}`.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from numbers import Real
from pathlib import Path
from typing import Any

import pandas as pd

from orchestration.feeds.finding import MAX_ROWS, Finding, german_number, sentence
from orchestration.gates.engine import great_expectations
from orchestration.home import REPOSITORY

EXPECTATIONS = REPOSITORY / "expectations"
FUND, SYMBOL, SPELLED = "__fund", "__zeichen", "__wortlaut"
MOST_ROWS = 10_000
"""So many failing rows of one expectation are told one by one."""
SEVERITIES = {"critical": "error", "warning": "warning", "info": "warning"}
Suite = dict[str, Any]


class GateDefect(RuntimeError):
    """An expectation could not be evaluated. That is a defect of the suite or of this software, never of a delivery.

    Its German text names suite, rule and kind of error, and quotes nothing of the delivery.
    """

    @staticmethod
    def of(suite: str, rule: str | None, cause: str) -> GateDefect:
        where = f"Suite „{suite}“" + (f", Regel „{rule}“" if rule else "")
        return GateDefect(
            f"Fehler in der Prüfung selbst, nicht in der Lieferung: {where}: {cause}. Bitte den Entwicklern melden."
        )


def load_suite(name: str) -> Suite:
    """The suite as data; raises FileNotFoundError where there is none."""
    suite: Suite = json.loads((EXPECTATIONS / f"{name}.json").read_text(encoding="utf-8"))
    return suite


@dataclass(frozen=True)
class Outcome:
    """What one expectation said about a frame.

    `positions`: 0-based positions of failing rows, ascending, at most `most_rows` of them; `n_rows` counts all.
    `judged` is False where the parameter that the expectation requires is None.
    """

    expectation: str
    severity: str
    passed: bool
    meta: dict[str, Any]
    kwargs: dict[str, Any]
    positions: list[int]
    n_rows: int = 0
    observed: Any = None
    judged: bool = True


def run_suite(
    suite: str | Suite,
    frame: pd.DataFrame,
    parameters: Mapping[str, Any] | None = None,
    most_rows: int = MOST_ROWS,
) -> list[Outcome]:
    """One outcome per expectation, in the suite's order.

    `parameters` fill `{"$PARAMETER": name}` in the kwargs. Raises GateDefect when an expectation raised instead of
    judging.
    """
    suite = load_suite(suite) if isinstance(suite, str) else suite
    parameters = dict(parameters or {})
    frame = frame.reset_index(drop=True)
    judged = [e for e in suite["expectations"] if not _unmet(e, parameters)]
    quick = _validate(frame, suite["name"], judged, parameters, "BOOLEAN_ONLY", most_rows)
    failed = [e for e, result in zip(judged, quick, strict=True) if not result["success"]]
    # Only what failed is asked again for its rows: most expectations hold, and a yes is cheap.
    details = iter(_validate(frame, suite["name"], failed, parameters, "SUMMARY", most_rows) if failed else [])
    results = iter(quick)
    outcomes = []
    for expectation in suite["expectations"]:
        if _unmet(expectation, parameters):
            outcomes.append(_outcome(expectation, passed=False, judged=False))
        elif next(results)["success"]:
            outcomes.append(_outcome(expectation, passed=True))
        else:
            result = next(details)["result"]
            outcomes.append(
                replace(
                    _outcome(expectation, passed=False),
                    positions=_positions(result)[:most_rows],
                    n_rows=int(result.get("unexpected_count") or 0),
                    observed=result.get("observed_value"),
                )
            )
    return outcomes


def find(
    suite: str | Suite,
    frame: pd.DataFrame,
    *,
    gate: str,
    parameters: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> list[Finding]:
    """One finding per expectation; its `rows` are index labels of `frame`.

    `parameters` also fill `{name}` in the texts. `headers`: column → how the deliverer calls it.
    """
    parameters, headers = dict(parameters or {}), dict(headers or {})
    suite = load_suite(suite) if isinstance(suite, str) else suite
    rule = None
    try:
        findings = []
        for outcome in run_suite(suite, frame, parameters, most_rows=MOST_ROWS):
            rule = outcome.expectation
            findings.append(_finding(outcome, frame, gate, parameters, headers))
        return findings
    except GateDefect:
        raise
    except Exception as error:
        # Not the exception itself, whose text may quote a cell: its class, and where in our code it was raised.
        raise GateDefect.of(suite["name"], rule, f"{type(error).__name__} ({_place(error)})") from None


def _place(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def expectation_name(expectation: dict[str, Any]) -> str:
    """How findings and waivers call an expectation."""
    return str(expectation.get("meta", {}).get("name") or expectation["type"])


# --- Great Expectations ----------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def _batch_definition() -> Any:
    gx = great_expectations()
    from great_expectations.data_context.types.base import ProgressBarsConfig

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    return asset.add_batch_definition_whole_dataframe("whole")


def _validate(
    frame: pd.DataFrame,
    name: str,
    expectations: list[dict[str, Any]],
    parameters: dict[str, Any],
    result_format: str,
    most_rows: int,
) -> list[dict[str, Any]]:
    """`success` and `result` per expectation, in order. Values of cells are never part of a result."""
    if not expectations:
        return []
    gx = great_expectations()
    definition = _batch_definition()
    suite = gx.ExpectationSuite(
        name=name,
        expectations=[
            {
                "type": e["type"],
                "kwargs": e["kwargs"],
                "severity": e.get("severity", "critical"),
                "meta": {"number": number},
            }
            for number, e in enumerate(expectations)
        ],
    )
    batch = definition.get_batch(batch_parameters={"dataframe": frame})
    validation = batch.validate(
        suite,
        expectation_parameters=parameters,
        result_format={
            "result_format": result_format,
            "partial_unexpected_count": most_rows,
            "exclude_unexpected_values": True,
            "include_unexpected_rows": False,
        },
    )
    results: dict[int, dict[str, Any]] = {}
    for result in validation.results:
        number = result.expectation_config.meta["number"]
        _raise_on_exception(result, expectations[number], name)
        results[number] = {"success": bool(result.success), "result": result.result or {}}
    return [results[number] for number in range(len(expectations))]


def _raise_on_exception(result: Any, expectation: dict[str, Any], suite: str) -> None:
    info = result.exception_info or {}
    entries = [info] if "raised_exception" in info else list(info.values())
    raised = [entry for entry in entries if isinstance(entry, dict) and entry.get("raised_exception")]
    if raised:
        # The exception's own text may quote a cell: only its type is passed on.
        kinds = {_exception_type(str(entry.get("exception_traceback") or "")) for entry in raised}
        kwargs = expectation["kwargs"]
        where = kwargs.get("column") or kwargs.get("column_A") or "table"
        cause = f"{expectation['type']} zu {where}: {', '.join(sorted(kinds))}"
        raise GateDefect.of(suite, expectation_name(expectation), cause)


def _exception_type(traceback: str) -> str:
    lines = [match[1] for match in re.finditer(r"^([A-Za-z_][\w.]*(?:Error|Exception|Warning))\b", traceback, re.M)]
    return lines[-1] if lines else "exception"


# --- outcomes and findings ---------------------------------------------------------------------------------


def _unmet(expectation: dict[str, Any], parameters: dict[str, Any]) -> bool:
    required = expectation.get("meta", {}).get("requires")
    return required is not None and parameters.get(required) is None


def _outcome(expectation: dict[str, Any], passed: bool, judged: bool = True) -> Outcome:
    meta = expectation.get("meta", {})
    return Outcome(
        expectation=expectation_name(expectation),
        severity=SEVERITIES[expectation.get("severity", "critical")] if judged else "warning",
        passed=passed,
        meta=meta,
        kwargs=expectation["kwargs"],
        positions=[],
        judged=judged,
    )


def _positions(result: dict[str, Any]) -> list[int]:
    """Row positions from either form in which Great Expectations lists them."""
    positions: list[int] = []
    for entry in result.get("partial_unexpected_index_list") or []:
        values = next(iter(entry.values())) if isinstance(entry, dict) else entry
        positions.extend(values if isinstance(values, (list, tuple)) else [values])
    return sorted(positions)


def _finding(
    outcome: Outcome,
    frame: pd.DataFrame,
    gate: str,
    parameters: Mapping[str, Any],
    headers: Mapping[str, str],
) -> Finding:
    meta = outcome.meta
    finding = Finding(
        expectation=outcome.expectation,
        message=_text(meta.get("note"), parameters) or outcome.expectation,
        severity=outcome.severity,
        passed=outcome.passed,
        column_name=_header(outcome, headers),
        expected=_text(meta.get("expected"), parameters),
        gate=gate,
    )
    if outcome.passed:
        return finding
    if not outcome.judged:
        found = f"Nicht prüfbar, es fehlt ein Vergleichswert: {meta['note']}"
        return replace(finding, found=found, message=sentence(found))
    show = meta.get("show", [])
    places = _records([c for c in show if not _tells_of_counts(c, frame)], frame, outcome.positions)
    what = _found(outcome, frame, parameters)
    found = f"{what} (gefunden: {places})" if places else what
    hint = _text(meta.get("hint"), parameters)
    # A rule on the share of rows (mostly) has no wrong rows to list.
    listed = () if outcome.kwargs.get("mostly") else tuple(int(frame.index[i]) for i in outcome.positions)
    n_rows = outcome.n_rows if listed else 0
    message = sentence(found, finding.expected, hint, finding.column_name, listed, n_rows)
    return replace(
        finding,
        message=message,
        found=found,
        shown=_records(_for_the_deliverer(outcome, frame), frame, outcome.positions),
        hint=hint,
        rows=listed[:MAX_ROWS],
        n_rows=outcome.n_rows,
        details=_details(outcome, frame, what) if listed else (),
    )


def _details(outcome: Outcome, frame: pd.DataFrame, what: str) -> tuple[tuple[int, str], ...]:
    """(row, what was found in it): the class of an unreadable cell, the values that may be shown, else `what`."""
    failing = frame.iloc[outcome.positions]
    column, shown = outcome.kwargs.get("column", ""), outcome.meta.get("show", [])
    if column.endswith(FUND):
        spelled = failing.get(column.removesuffix(FUND) + SPELLED, pd.Series(None, index=failing.index, dtype=object))
        texts = [
            f"{kind} („{text}“)" if isinstance(text, str) else str(kind)
            for kind, text in zip(failing[column], spelled, strict=True)
        ]
    elif shown:
        values = failing[shown].itertuples(index=False)
        texts = [f"{what} (gefunden: {' / '.join(_cell(value) for value in row)})" for row in values]
    else:
        texts = [what] * len(failing)
    return tuple(zip((int(row) for row in failing.index), texts, strict=True))


def _header(outcome: Outcome, headers: Mapping[str, str]) -> str | None:
    kwargs = outcome.kwargs
    # An empty `column` in the suite says that the finding is about the whole file.
    name = outcome.meta.get("column", kwargs.get("column") or kwargs.get("column_A"))
    if not name:
        return None
    name = name.removesuffix(FUND)
    return headers.get(name, name)


def _found(outcome: Outcome, frame: pd.DataFrame, parameters: Mapping[str, Any]) -> str:
    """What was found, in words: classes of unreadable cells, missing members of a set, or the suite's text."""
    column = outcome.kwargs.get("column", "")
    observed = outcome.observed
    if column.endswith(FUND):
        return _classes(frame[column])
    if outcome.expectation == "expect_column_distinct_values_to_contain_set" or "value_set" in outcome.kwargs:
        present = set(frame[column].dropna())
        wanted = _parameter(outcome.kwargs["value_set"], parameters)
        observed = [str(value) for value in wanted if value not in present]
    if isinstance(observed, float):
        observed = round(observed, 2)
    return _text(outcome.meta.get("found"), parameters, observed=observed) or outcome.meta.get(
        "note", outcome.expectation
    )


def _classes(classes: pd.Series) -> str:
    """`Buchstaben in einer Zahl, leer`, the most frequent first; not how often: it may be a count of persons."""
    counts = classes.dropna().value_counts()
    return ", ".join(sorted((str(name) for name in counts.index), key=lambda name: (-int(counts[name]), name)))


def _parameter(value: Any, parameters: Mapping[str, Any]) -> Any:
    return parameters[value["$PARAMETER"]] if isinstance(value, dict) and "$PARAMETER" in value else value


def _for_the_deliverer(outcome: Outcome, frame: pd.DataFrame) -> list[str]:
    """Columns whose values only the deliverer may see: what the suite shows of measures, and unreadable cells."""
    column, show = outcome.kwargs.get("column", ""), outcome.meta.get("show", [])
    spelled = column.removesuffix(FUND) + SPELLED
    if column.endswith(FUND) and spelled in frame:
        return [spelled]
    return show if any(_tells_of_counts(name, frame) for name in show) else []


def _tells_of_counts(column: str, frame: pd.DataFrame) -> bool:
    """A count, or a figure worked out from counts: 3.8 % beside a published whole gives the part away."""
    has_counts = any(str(name).endswith(SYMBOL) for name in frame)
    return column + SYMBOL in frame or (has_counts and pd.api.types.is_float_dtype(frame[column]))


def _records(columns: list[str], frame: pd.DataFrame, positions: list[int]) -> str | None:
    """Distinct values of these (never personal) columns in the failing rows: `05378 / 12; 05378004 / 3`."""
    if not columns or not positions:
        return None
    values = frame.iloc[positions][columns].drop_duplicates().head(5)
    texts = [" / ".join(_cell(value) for value in record) for record in values.itertuples(index=False)]
    return "; ".join(texts)


def _cell(value: Any) -> str:
    if pd.isna(value):
        return "leer"
    return _german(value.date() if isinstance(value, pd.Timestamp) else value)


def _text(template: str | None, parameters: Mapping[str, Any], **more: Any) -> str | None:
    if template is None:
        return None
    return template.format_map({name: _german(value) for name, value in {**parameters, **more}.items()})


def _german(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "ja" if value else "nein"
    if isinstance(value, (dt.date, dt.datetime)):
        return value.strftime("%d.%m.%Y")
    if isinstance(value, Real):
        return german_number(float(value))
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(_german(entry) for entry in value)
    return str(value)
