"""The years of the Sozialmonitoring as Dagster partitions; a delivery belongs to the year in its file name."""

from __future__ import annotations

import dagster as dg

FIRST_YEAR = 2009

YEARS = dg.TimeWindowPartitionsDefinition(
    start=str(FIRST_YEAR), fmt="%Y", cron_schedule="0 0 1 1 *", end_offset=1, timezone="Europe/Berlin"
)


def selected_years(context: dg.AssetExecutionContext) -> set[int]:
    """The years that this run is about."""
    return {int(key) for key in context.partition_keys}
