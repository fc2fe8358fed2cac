"""The Dagster asset between `intermediate` and `marts`: what a release may not show."""

from collections.abc import Iterator

import dagster as dg

from orchestration.disclosure.cells import protect
from orchestration.discreet import discreet
from orchestration.gates.plausibility import merge_findings
from orchestration.logging import progress
from orchestration.release.identity import identify, write_identity
from orchestration.release.records import read_records
from orchestration.resources import HomeResource

INTERMEDIATE = [dg.AssetKey(["intermediate", name]) for name in ("int_measure", "int_population")]
TABLES = {
    "suppression_measure": "Kennzahlen, die geheim bleiben: zu klein, daraus errechenbar oder in keinem Indikator.",
    "suppression_population": "Bevölkerungszellen, die geheim bleiben.",
    "disclosure_rule": "Regeln der Geheimhaltung je Kennzahl, wie die Lieferungen sie vereinbaren.",
    "finding": "Alle Befunde von Liefertor und Plausibilitätstor, ohne Angaben zu Personen.",
    "release": "Kennung der Veröffentlichung aus Lieferungen, Programmstand und früheren Veröffentlichungen.",
}


@dg.multi_asset(
    name="geheimhaltung",
    specs=[
        dg.AssetSpec(
            ["control", name],
            deps=INTERMEDIATE,
            group_name="5_geheimhaltung",
            description=description,
        )
        for name, description in TABLES.items()
    ],
)
@discreet
def protection(context: dg.AssetExecutionContext, home: HomeResource) -> Iterator[dg.MaterializeResult]:
    """Suppression tables, merged findings and the identity of the release to come."""
    folder = home.folder()
    identity = identify(folder)
    if identity is None:
        raise dg.Failure("Es ist keine Lieferung in Kraft; es gibt nichts zu veröffentlichen.")
    result = protect(folder, read_records(identity.earlier))
    share = 100 * result.blank / max(result.cells, 1)
    progress(context)(
        f"Geheimhaltung: {result.blank} von {result.cells} Zellen geheim ({share:.1f} %)".replace(".", ",")
    )
    merge_findings(folder)
    write_identity(folder, identity)
    metadata = {
        "Zellen": result.cells,
        "geheim": result.blank,
        "schon geheim geliefert": result.arrived_blank,
    }
    for name in TABLES:
        yield dg.MaterializeResult(asset_key=["control", name], metadata=metadata if name.startswith("supp") else {})
