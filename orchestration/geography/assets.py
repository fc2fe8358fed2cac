"""The Dagster assets that put people and services into Sozialräume, compare versions of these, and look around them."""

from collections.abc import Iterator

import dagster as dg

from orchestration.discreet import discreet
from orchestration.geography.address_match import write_anschrift
from orchestration.geography.address_shares import as_markdown, in_words, shares
from orchestration.geography.address_sums import write_sums
from orchestration.geography.crosswalk import write_crosswalk
from orchestration.geography.locate import write_verortung
from orchestration.geography.street_areas import write_street_areas
from orchestration.geography.surroundings import write_surroundings
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
@discreet
def area_versions(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[dg.MaterializeResult]:
    """What the versions of the Kommunen's Sozialräume have to do with each other."""
    table = write_crosswalk(home.folder())
    redrawn = table[table["is_next"]].groupby("ags")["new_valid_from"].nunique().sum()
    progress(context)(f"Verortung: {redrawn} Neuzuschnitte von Sozialräumen")
    for name in ("entsprechung", "fassung"):
        yield dg.MaterializeResult(asset_key=["raw", name])


@dg.asset(
    key=["raw", "summen"],
    deps=[dg.AssetKey(["raw", "verortung"])],
    group_name="2_verortung",
    description="Lieferungen nach Anschrift, je Sozialraum, Kommune und Kreis zusammengezählt; was nicht zu verorten"
    " ist, zählt zu „nicht verortbar“.",
)
@discreet
def summed_addresses(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
    """One row per list of addresses, area and count."""
    return dg.MaterializeResult(metadata={"Lieferarten": write_sums(home.folder())})


LOCATED = [dg.AssetKey(["staging", name]) for name in ("stg_kommunen__einwohner", "stg_kreis__angebote")]


@dg.multi_asset(
    name="umgebung",
    specs=[
        dg.AssetSpec(["control", name], deps=LOCATED, group_name="5_umgebung", description=description)
        for name, description in (
            ("neighbour", "Welche Sozialräume aneinander grenzen, je Stand der Grenzen."),
            ("area_centre", "Mittelpunkt der Bevölkerung je Sozialraum, so grob, dass er zu keiner Anschrift führt."),
            ("access", "Luftlinie zum nächsten Angebot und Anteil der Menschen in seiner Nähe, geschützt."),
        )
    ],
)
@discreet
def surroundings(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[dg.MaterializeResult]:
    """Neighbours, centres of the population and access to services, for the marts of the same names."""
    progress(context)("Umgebung: Nachbarn, Mittelpunkte und Erreichbarkeit der Angebote")
    for name, rows in write_surroundings(home.folder()).items():
        yield dg.MaterializeResult(asset_key=["control", name], metadata={"Zeilen": rows})
