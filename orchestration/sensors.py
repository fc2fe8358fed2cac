"""Starts the job when deliveries lie in the drop folder and have stopped growing."""

from __future__ import annotations

import hashlib
import re

import dagster as dg

from orchestration.home import Home
from orchestration.partitions import YEARS
from orchestration.resources import HomeResource

INTERVAL_SECONDS = 60
YEAR_IN_NAME = re.compile(r"_(\d{4})\.")


def waiting_files(home: Home) -> dict[str, tuple[int, int]]:
    """Relative name → (size, mtime) of the regular files in the drop folder, hidden and partial ones left out."""
    return {
        path.relative_to(home.landing).as_posix(): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in sorted(home.landing.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and not path.name.startswith(".")
        and path.suffix not in {".part", ".tmp"}
    }


def build_sensor(job: dg.UnresolvedAssetJobDefinition | dg.JobDefinition) -> dg.SensorDefinition:
    """One run over all the years that the waiting files name, once nothing has changed between two looks."""

    @dg.sensor(
        name="abgabeordner",
        job=job,
        minimum_interval_seconds=INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Schaut jede Minute in den Abgabeordner und startet die Verarbeitung,"
        " sobald neue Dateien vollständig da sind.",
    )
    def drop_folder(context: dg.SensorEvaluationContext, home: HomeResource) -> dg.RunRequest | dg.SkipReason:
        files = waiting_files(home.folder())
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
