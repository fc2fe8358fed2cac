"""Starts the job when deliveries lie in the drop folder and have stopped growing."""

import hashlib
import re

import dagster as dg

from orchestration.feeds.landing import waiting_files
from orchestration.home import Home
from orchestration.partitions import YEARS

INTERVAL_SECONDS = 60
YEAR_IN_NAME = re.compile(r"_(\d{4})\.")


def build_sensor(job_name: str, home: Home) -> dg.SensorDefinition:
    """One run over all the years that the waiting files name, once nothing has changed between two looks."""

    @dg.sensor(
        name="abgabeordner",
        job_name=job_name,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Schaut jede Minute in den Abgabeordner und startet die Verarbeitung,"
        " sobald neue Dateien vollständig da sind.",
    )
    def drop_folder(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        files = waiting_files(home)
        if not files:
            context.update_cursor("")
            return dg.SkipReason("Der Abgabeordner ist leer.")
        state = hashlib.sha256(repr(sorted(files.items())).encode()).hexdigest()
        if context.cursor != state:
            context.update_cursor(state)
            return dg.SkipReason(f"{len(files)} Dateien im Abgabeordner; ich warte, bis sie vollständig sind.")
        known = set(YEARS.get_partition_keys())
        years = sorted({m.group(1) for name in files if (m := YEAR_IN_NAME.search(name))} & known) or [max(known)]
        return dg.RunRequest(
            run_key=state,
            tags={
                "dagster/asset_partition_range_start": years[0],
                "dagster/asset_partition_range_end": years[-1],
                "ipso/anlass": "abgabeordner",
            },
        )

    return drop_folder
