"""Assembly of the Dagster code location; nothing is decided here."""

from __future__ import annotations

import dagster as dg

from orchestration.disclosure.assets import protection
from orchestration.feeds.assets import build_directory_asset, build_feed_asset, inbox
from orchestration.feeds.declaration import load_feeds
from orchestration.gates.checks import plausibility_gate
from orchestration.geography.assets import (
    area_versions,
    located_addresses,
    located_coordinates,
    summed_addresses,
    surroundings,
)
from orchestration.home import Home, default_home
from orchestration.logging import terminal_logger
from orchestration.release.assets import build_release_assets
from orchestration.resources import HomeResource
from orchestration.schedules import build_schedules
from orchestration.sensors import build_sensor
from orchestration.warehouse import build_warehouse_assets, dbt_project, dbt_resource

JOB = "sozialmonitoring"


def build_defs(home: Home) -> dg.Definitions:
    """All assets, checks, the job, its schedules and its sensor for one installation."""
    feeds = list(load_feeds().values())
    project = dbt_project(home)
    preparation, publication = build_warehouse_assets(home, project)
    release_assets, release_checks = build_release_assets(
        sorted(key for key in publication.keys if key.path[0] == "marts")
    )
    job = dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.all(),
        executor_def=dg.in_process_executor,
        description="Von den Lieferungen bis zum Bericht: prüfen, aufbereiten, schützen, veröffentlichen.",
    )
    return dg.Definitions(
        assets=[
            inbox,
            *[build_feed_asset(feed) for feed in feeds],
            build_directory_asset(feeds),
            located_addresses,
            located_coordinates,
            area_versions,
            summed_addresses,
            preparation,
            surroundings,
            protection,
            publication,
            *release_assets,
        ],
        asset_checks=[plausibility_gate, *release_checks],
        jobs=[job],
        schedules=build_schedules(JOB),
        sensors=[build_sensor(JOB, home)],
        loggers={"terminal": terminal_logger},
        resources={"home": HomeResource(root=str(home.root)), "dbt": dbt_resource(project)},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What `dagster dev` and the daemon load."""
    return build_defs(default_home())
