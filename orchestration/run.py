"""Runs the Dagster job from the command line: one at a time, with progress, and not at all when nothing is new."""

from __future__ import annotations

import os
import sys
import time
import warnings
from typing import Any

import click

from orchestration.feeds.intake import deliveries
from orchestration.feeds.landing import waiting_files
from orchestration.gates import workers
from orchestration.gates.delivery import PARALLEL_FROM
from orchestration.gates.directory import knows_all_decisions
from orchestration.gates.verdicts import verdict_exists
from orchestration.home import REPOSITORY, Home
from orchestration.lock import AlreadyRunning, exclusive
from orchestration.release.identity import identify
from orchestration.release.records import is_recorded
from orchestration.release.site import site_id
from orchestration.release.write import current

REASON = "ipso run"
FAILED = 1
NOTHING_TO_RUN = 2


def is_up_to_date(home: Home) -> bool:
    """Nothing waits, nothing is unjudged or undecided; release, record and report fit deliveries, code and pages."""
    if waiting_files(home) or any(not verdict_exists(home, d) for d in deliveries(home)):
        return False
    if not knows_all_decisions(home):
        return False
    identity = identify(home)
    release = current(home.releases)
    has_site = os.environ.get("IPSO_REPORT") == "nein" or current(home.site) == site_id(home)
    if identity is None or release != identity.release_id:
        return False
    return has_site and is_recorded(home, identity.inputs)


def run_job(home: Home, year: int | None = None) -> int:
    """Exit status: 0 done or nothing to do, 1 the job failed, 2 it could not start."""
    try:
        with exclusive(home):
            if is_up_to_date(home):
                click.echo(f"Nichts Neues: Release {current(home.releases)} ist auf dem Stand aller Lieferungen.")
                say_where(home)
                return 0
    except AlreadyRunning as error:
        click.echo(str(error), err=True)
        return NOTHING_TO_RUN
    return _execute(home, year)


def _execute(home: Home, year: int | None) -> int:
    os.environ["IPSO_HOME"] = str(home.root)
    os.environ.setdefault("DAGSTER_HOME", str(REPOSITORY))
    started = time.monotonic()
    click.echo("Dagster, dbt und Great Expectations laden ...")
    if len(waiting_files(home)) >= PARALLEL_FROM:
        workers.warm_up()
    import dagster as dg

    warnings.simplefilter("ignore", category=dg.BetaWarning)
    from orchestration.definitions import JOB, build_defs
    from orchestration.partitions import YEARS

    keys = YEARS.get_partition_keys()
    first, last = (str(year), str(year)) if year else (keys[0], keys[-1])
    if not {first, last} <= set(keys):
        click.echo(f"Das Jahr {year} liegt außerhalb von {keys[0]} bis {keys[-1]}.", err=True)
        return NOTHING_TO_RUN
    job = build_defs(home).resolve_job_def(JOB)
    before = current(home.releases)
    with dg.DagsterInstance.get() as instance:
        _bury_killed_runs(instance)
        result = job.execute_in_process(
            instance=instance,
            raise_on_error=False,
            run_config={"loggers": {"terminal": {}}},
            tags={
                "dagster/asset_partition_range_start": first,
                "dagster/asset_partition_range_end": last,
                "ipso/anlass": REASON,
            },
        )
    for event in result.all_events:
        if event.is_step_failure:
            click.echo(f"FEHLER in {event.step_key}: {_cause(event.step_failure_data.error)}", err=True)
            click.echo("  Einzelheiten: `make up`, dann unter Runs der letzte Lauf.", err=True)
    blocked = [e for e in result.get_asset_check_evaluations() if not e.passed]
    for check in blocked:
        click.echo(f"Tor {check.check_name} bei {check.asset_key.to_user_string()}: {check.description}", err=True)
    took = f"{time.monotonic() - started:.0f} s"
    if not result.success:
        click.echo(
            f"Nicht fertig geworden ({took}). Gültig bleibt Release {before or '–'}; der nächste Lauf setzt fort.",
            err=True,
        )
        return FAILED
    click.echo(f"Fertig in {took}.")
    say_where(home)
    return 0


def _cause(error: Any) -> str:
    """Class and first line of what was raised in the step, without the frames of Dagster around it."""
    while error.cause is not None:
        error = error.cause
    return str(error.message).strip().splitlines()[0]


def _bury_killed_runs(instance: Any) -> None:
    """Runs that were killed cannot say so themselves; nobody else runs now, so they are over."""
    import dagster as dg

    unfinished = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags={"ipso/anlass": REASON})
    for run in instance.get_runs(filters=unfinished):
        instance.report_run_failed(run, "Dieser Lauf wurde abgebrochen; der nächste hat ihn fortgesetzt.")


def say_where(home: Home) -> None:
    """The three lines that end every successful run."""
    here = home.root
    click.echo(f"  Bericht:  {here}/site/current – öffnen mit `make up`, dann http://127.0.0.1:8080")
    click.echo(f"  Marts:    {here}/releases/current/ipso.duckdb (auch parquet/ und csv/), z. B. duckdb -readonly")
    click.echo("  Dagster:  `make up`, dann http://127.0.0.1:3000")
    sys.stdout.flush()
