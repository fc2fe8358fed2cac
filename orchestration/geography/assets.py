"""The Dagster asset that puts registered people and services into Sozialräume."""

import dagster as dg

from orchestration.discreet import discreet
from orchestration.geography.locate import write_verortung
from orchestration.logging import progress
from orchestration.resources import HomeResource


@dg.asset(
    key=["raw", "verortung"],
    deps=[dg.AssetKey(["control", "delivery"])],
    group_name="2_verortung",
    description="Jede gelieferte Koordinate (Melderegister, Angebote) mit ihrem Sozialraum in jeder Fassung der"
    " Grenzen; was in keinem liegt, bleibt „nicht verortbar“.",
)
@discreet
def located_coordinates(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
    """One row per Kommune, distinct coordinate and version of its areas."""
    progress(context)("Verortung: Koordinaten den Sozialräumen zuordnen")
    write_verortung(home.folder())
    return dg.MaterializeResult()
