"""One Dagster asset per feed: what has been delivered, judged at the delivery gate, in force as typed Parquet."""

from collections.abc import Iterator

import dagster as dg

from orchestration.feeds.declaration import Feed
from orchestration.feeds.intake import receive
from orchestration.gates.delivery import Verdict, judge, write_control
from orchestration.logging import progress
from orchestration.partitions import YEARS, selected_years
from orchestration.resources import HomeResource

GROUP = "1_lieferungen"
CHECK = "liefertor"
MOST_FINDINGS = 50


@dg.asset(
    key=["eingang", "lieferungen"],
    group_name=GROUP,
    description="Der Abgabeordner: jede Datei wird mit ihrem SHA-256 archiviert, bevor sie jemand liest.",
)
def inbox(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
    """Archive everything in the drop folder."""
    received = receive(home.folder())
    progress(context)(f"Eingang: {len(received)} neue Lieferungen archiviert")
    return dg.MaterializeResult(metadata={"neue Lieferungen": len(received)})


def build_feed_asset(feed: Feed) -> dg.AssetsDefinition:
    """The asset `raw/<feed>` with its blocking delivery gate."""
    key = dg.AssetKey(["raw", feed.name])

    @dg.asset(
        key=key,
        deps=[inbox],
        group_name=GROUP,
        partitions_def=YEARS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        description=f"{feed.title}: angenommene Lieferungen als typisiertes Parquet, eine Datei je Lieferung.",
        check_specs=[
            dg.AssetCheckSpec(
                CHECK,
                asset=key,
                blocking=True,
                description="Ist jede Datei, was vereinbart war? Was durchfällt, wird als Ganzes abgewiesen;"
                " die bisherige Lieferung bleibt in Kraft.",
            )
        ],
    )
    def raw(
        context: dg.AssetExecutionContext, home: HomeResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        verdicts = judge(home.folder(), feed, years=selected_years(context), progress=progress(context))
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                "beurteilt": len(verdicts),
                "angenommen": sum(v.accepted for v in verdicts),
                "abgewiesen": sum(not v.accepted for v in verdicts),
                "Zeilen angenommen": sum(v.row_count for v in verdicts if v.accepted),
            },
        )
        yield gate_result(key, verdicts)

    return raw


def gate_result(key: dg.AssetKey, verdicts: list[Verdict]) -> dg.AssetCheckResult:
    """A rejection is shown, but does not stop the run: the file is out, and what was in force stays so.

    What blocks is a gate that could not judge: then `judge` raises, and nothing downstream of it runs.
    """
    rejected = [v for v in verdicts if not v.accepted]
    findings = [f for v in verdicts for f in v.findings if not f.passed]
    lines = [f"- **{v.delivery_id}**: {v.reason}" for v in rejected]
    table = [f"| {f.severity} | {f.column_name or ''} | {f.message} |" for f in findings[:MOST_FINDINGS]]
    more = len(findings) - MOST_FINDINGS
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CHECK,
        passed=not rejected,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{len(rejected)} von {len(verdicts)} Lieferungen abgewiesen"
        if rejected
        else f"{len(verdicts)} Lieferungen angenommen",
        metadata={
            "abgewiesen": dg.MetadataValue.md("\n".join(lines) or "keine"),
            "Befunde": dg.MetadataValue.md(
                "\n".join(["| Schwere | Spalte | Befund |", "|---|---|---|", *table]) if table else "keine"
            ),
            "weitere Befunde": max(more, 0),
        },
    )


def build_directory_asset(feeds: list[Feed]) -> dg.AssetsDefinition:
    """`control/delivery`: which delivery is in force, superseded, rejected; the tables dbt reads."""

    @dg.multi_asset(
        specs=[
            dg.AssetSpec(
                ["control", "delivery"],
                deps=[dg.AssetKey(["raw", feed.name]) for feed in feeds],
                group_name=GROUP,
                description="Lieferverzeichnis: jede Lieferung mit Zustand, Prüfsumme und Grund einer Abweisung.",
            ),
        ],
        name="lieferverzeichnis",
    )
    def directory(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
        deliveries = write_control(home.folder())
        states = {str(state): int(count) for state, count in deliveries["state"].value_counts().items()}
        progress(context)(
            "Lieferverzeichnis: " + ", ".join(f"{count} {STATE_TITLES[state]}" for state, count in states.items())
        )
        return dg.MaterializeResult(
            asset_key=["control", "delivery"], metadata={STATE_TITLES[k]: int(v) for k, v in states.items()}
        )

    return directory


STATE_TITLES = {"accepted": "in Kraft", "superseded": "abgelöst", "rejected": "abgewiesen"}
