"""The Dagster assets that put registered people and services into Sozialräume."""

import dagster as dg

from orchestration.discreet import discreet
from orchestration.geography.address_match import write_anschrift
from orchestration.geography.address_shares import as_markdown, in_words, shares
from orchestration.geography.locate import write_verortung
from orchestration.geography.street_areas import write_street_areas
from orchestration.logging import progress
from orchestration.resources import HomeResource


@dg.asset(
    key=["raw", "anschrift"],
    deps=[dg.AssetKey(["control", "delivery"])],
    group_name="2_verortung",
    description="Anschriften aus Melderegistern ohne Koordinaten, im Adressverzeichnis des Kreises gesucht: exakt, nach"
    " Vereinheitlichung der Schreibweise, nach einer bestätigten Zuordnung der Straße. Was offen bleibt, zeigt"
    " `ipso adressen`.",
)
@discreet
def located_addresses(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
    """One row per Kommune and distinct address without delivered coordinates."""
    table = write_anschrift(home.folder())
    found = shares(table)
    progress(context)(f"Verortung: {in_words(found)}")
    return dg.MaterializeResult(metadata={"Anschriften ohne Koordinaten": dg.MetadataValue.md(as_markdown(found))})


@dg.asset(
    key=["raw", "verortung"],
    deps=[dg.AssetKey(["control", "delivery"]), dg.AssetKey(["raw", "anschrift"])],
    group_name="2_verortung",
    description="Jede gelieferte Koordinate (Melderegister, Angebote) mit ihrem Sozialraum in jeder Fassung der"
    " Grenzen; was in keinem liegt, bleibt „nicht verortbar“.",
)
@discreet
def located_coordinates(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
    """One row per Kommune, distinct coordinate and version of its areas."""
    for line in write_street_areas(home.folder()):
        progress(context)(line)
    progress(context)("Verortung: Koordinaten den Sozialräumen zuordnen")
    write_verortung(home.folder())
    return dg.MaterializeResult()
