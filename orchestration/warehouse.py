"""The dbt project as Dagster assets, in two steps: up to `intermediate`, and the published `marts`.

Between the two lie the plausibility gate and the protection of small counts, so they are two dbt calls and no more
(each costs seconds before a model runs). Only dbt writes warehouse.duckdb.
"""

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import dagster as dg
import duckdb
from dagster_dbt import (
    DagsterDbtCliRuntimeError,
    DagsterDbtTranslator,
    DagsterDbtTranslatorSettings,
    DbtCliResource,
    DbtProject,
    dbt_assets,
)

from orchestration.dbt import DBT, RESULTS, failures, forget_messages, prepare_manifest
from orchestration.discreet import discreet
from orchestration.home import REPOSITORY, Home
from orchestration.logging import progress

LOCK_SECONDS = 120.0
EVERY_AGGREGATED_FEED = "aggregate"
SUMS = dg.AssetKey(["raw", "summen"])
"""The asset after which all that is told per area is there: it follows the directory, which follows every feed's."""
GROUPS = {
    "seeds": "3_aufbereitung",
    "staging": "3_aufbereitung",
    "intermediate": "4_kennzahlen",
    "protected": "5_geheimhaltung",
    "marts": "6_marts",
}


class Translator(DagsterDbtTranslator):
    """Asset keys `<schema>/<model>` and one group per stage; sources are the assets that write their files."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        if dbt_resource_props["resource_type"] == "source":
            if dbt_resource_props["name"] == EVERY_AGGREGATED_FEED:
                return SUMS
            return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])
        return dg.AssetKey([_stage(dbt_resource_props), dbt_resource_props["name"]])

    def get_description(self, dbt_resource_props: Mapping[str, Any]) -> str:
        """The German sentence for the steward; the yml's own description is for developers.

        Sources have none: the assets that write them describe themselves.
        """
        return str(dbt_resource_props["config"].get("meta", {}).get("beschreibung", ""))

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        return GROUPS.get(_stage(dbt_resource_props))


def _stage(props: Mapping[str, Any]) -> str:
    return "seeds" if props["resource_type"] == "seed" else str(props["schema"])


def dbt_project(home: Home) -> DbtProject:
    """The project with a manifest that fits the present files; artefacts lie in the state folder."""
    prepare_manifest(home)
    return DbtProject(project_dir=REPOSITORY, profiles_dir=REPOSITORY, target_path=home.dbt)


def dbt_resource(project: DbtProject) -> DbtCliResource:
    """What the dbt assets run."""
    return DbtCliResource(project_dir=project, dbt_executable=str(DBT))


def build_warehouse_assets(home: Home, project: DbtProject) -> list[dg.AssetsDefinition]:
    """Two multi-assets: everything up to `intermediate`, then `marts`."""
    translator = Translator(
        settings=DagsterDbtTranslatorSettings(
            enable_source_tests_as_checks=False, enable_duplicate_source_asset_keys=True
        )
    )

    @dbt_assets(
        manifest=project.manifest_path,
        project=project,
        name="aufbereitung",
        select="path:seeds path:models/staging path:models/intermediate",
        dagster_dbt_translator=translator,
    )
    @discreet
    def preparation(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        progress(context)("dbt: Lieferungen aufbereiten, Kennzahlen je Sozialraum und Jahr bilden")
        yield from _build(context, dbt, project, home)

    @dbt_assets(
        manifest=project.manifest_path,
        project=project,
        name="veroeffentlichung",
        select="path:models/protected path:models/marts",
        dagster_dbt_translator=translator,
    )
    @discreet
    def publication(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
        progress(context)("dbt: Indikatoren berechnen, Marts schreiben")
        yield from _build(context, dbt, project, home)

    return [preparation, publication]


def _wait_until_free(home: Home) -> None:
    """A dbt that a killed run has left behind may still be writing; it ends by itself. Raises duckdb.IOException."""
    deadline = time.monotonic() + LOCK_SECONDS
    while home.warehouse.exists():
        try:
            duckdb.connect(str(home.warehouse), read_only=True).close()
        except duckdb.IOException:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def _build(context: dg.AssetExecutionContext, dbt: DbtCliResource, project: DbtProject, home: Home) -> Iterator[Any]:
    # unit tests guard the code, not the data: they run in `make test`
    arguments = ["--log-level-file", "none", "build", "--exclude-resource-type", "unit_test"]
    arguments += ["--indirect-selection", "buildable"]
    _wait_until_free(home)
    (home.dbt / RESULTS).unlink(missing_ok=True)
    before = os.umask(0o077)
    invocation = dbt.cli(arguments, context=context, target_path=project.target_path)
    os.umask(before)
    try:
        # dagster-dbt repeats dbt's log on stdout, errors with the cells that they quote among it
        with redirect_stdout(StringIO()):
            yield from invocation.stream()
    except DagsterDbtCliRuntimeError:
        raise dg.Failure(f"dbt: {'; '.join(failures(home.dbt / RESULTS)) or 'hat nicht begonnen'}") from None
    finally:
        forget_messages(home.dbt / RESULTS)
