"""The Dagster assets that put registered people and services into Sozialräume, and that compare versions of these."""

from collections.abc import Iterator

import dagster as dg

from orchestration.geography.crosswalk import write_crosswalk
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
def located_coordinates(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
    """One row per Kommune, distinct coordinate and version of its areas."""
    progress(context)("Verortung: Koordinaten den Sozialräumen zuordnen")
    write_verortung(home.folder())
    return dg.MaterializeResult()


@dg.multi_asset(
    name="fassungen",
    specs=[
        dg.AssetSpec(
            ["raw", name],
            deps=[dg.AssetKey(["raw", "verortung"])],
            group_name="2_verortung",
            description=description,
        )
        for name, description in (
            (
                "entsprechung",
                "Was bei einem Neuzuschnitt aus jedem Sozialraum wurde.",
            ),
            ("fassung", "Seit wann jeder Sozialraum in seinem jetzigen Zuschnitt gilt."),
        )
    ],
)
def area_versions(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[dg.MaterializeResult]:
    """What the versions of the Kommunen's Sozialräume have to do with each other."""
    table = write_crosswalk(home.folder())
    redrawn = table[table["is_next"]].groupby("ags")["new_valid_from"].nunique().sum()
    progress(context)(f"Verortung: {redrawn} Neuzuschnitte von Sozialräumen")
    for name in ("entsprechung", "fassung"):
        yield dg.MaterializeResult(asset_key=["raw", name])
