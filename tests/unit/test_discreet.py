"""What a failed step and dbt's results may say: never a cell of a delivery, but enough to find the fault."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from orchestration.dbt import failures, forget_messages
from orchestration.discreet import discreet, without_values
from orchestration.gates.suites import GateDefect

CELL = "Musterfrau"


def convert() -> None:
    duckdb.sql(f"select cast('{CELL}' as date)").fetchall()


def everything_told(error: BaseException) -> str:
    """The text of an exception and of all that it rests on, as Dagster keeps it."""
    from dagster._utils.error import serializable_error_info_from_exc_info

    info = serializable_error_info_from_exc_info((type(error), error, error.__traceback__))
    metadata = {k: str(v.value) for k, v in error.metadata.items()} if isinstance(error, dg.Failure) else {}
    return info.to_string() + json.dumps(metadata)


def test_a_library_s_error_keeps_its_class_and_its_place_only() -> None:
    with pytest.raises(duckdb.ConversionException, match=CELL):
        convert()
    with pytest.raises(dg.Failure) as raised, without_values():
        convert()
    told = everything_told(raised.value)
    assert CELL not in told
    assert "ConversionException" in told


def test_the_cause_of_our_own_error_is_not_told_either() -> None:
    with pytest.raises(dg.Failure, match="vergleich_vorjahr") as raised, without_values():
        try:
            convert()
        except duckdb.Error as error:
            raise GateDefect.of("vergleich_vorjahr", None, type(error).__name__) from error
    assert CELL not in everything_told(raised.value)


def test_what_speaks_of_files_is_told() -> None:
    with pytest.raises(dg.Failure, match="No space left"), without_values():
        raise OSError(28, "No space left on device")


def test_a_failing_asset_leaves_no_cell_in_the_event_log() -> None:
    @dg.asset
    @discreet
    def plain() -> None:
        convert()

    @dg.multi_asset(specs=[dg.AssetSpec("several")])
    @discreet
    def several():  # type: ignore[no-untyped-def]
        yield dg.MaterializeResult(asset_key="several")
        convert()

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([plain, several], instance=instance, raise_on_error=False)
        events = [repr(entry) for entry in instance.all_logs(result.run_id)]
    assert len([e for e in result.all_events if e.is_step_failure]) == 2
    assert "ConversionException" in "".join(events)
    assert CELL not in "".join(events)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    path = tmp_path / "run_results.json"
    entries = [
        (
            "model.ipso.int_measure",
            "error",
            f"Runtime Error in model int_measure (a.sql)\n  Conversion Error: Could not convert string '{CELL}'",
        ),
        (
            "model.ipso.int_year",
            "error",
            'Runtime Error in model int_year (models/b.sql)\n  Binder Error: Referenced column "jahr" not found',
        ),
        ("test.ipso.unique_x.4711", "fail", "Got 3 results, configured to fail if != 0"),
        ("model.ipso.int_area", "success", "OK"),
        ("model.ipso.fct_goal", "skipped", None),
    ]
    path.write_text(
        json.dumps({"results": [{"unique_id": u, "status": s, "message": m} for u, s, m in entries]}), encoding="utf-8"
    )
    return path


def test_dbt_s_failures_are_named_without_the_cells_they_quote(results: Path) -> None:
    assert failures(results) == [
        "int_measure: Conversion Error",
        'int_year: Binder Error: Referenced column "jahr" not found',
        "unique_x: Got 3 results, configured to fail if != 0",
    ]
    forget_messages(results)
    assert CELL not in results.read_text(encoding="utf-8")
    assert failures(results)[0] == "int_measure: Conversion Error"


def test_a_dbt_that_did_not_begin_has_no_failures(tmp_path: Path) -> None:
    assert failures(tmp_path / "run_results.json") == []
