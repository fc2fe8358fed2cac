"""One Dagster asset per feed: what has been delivered, judged at the delivery gate, in force as typed Parquet."""

from collections.abc import Iterator

import dagster as dg

from orchestration.discreet import discreet
from orchestration.feeds.declaration import Feed, load_feeds
from orchestration.feeds.finding import counted
from orchestration.feeds.intake import receive
from orchestration.feeds.names import in_markdown
from orchestration.gates.delivery import judge, judge_ahead, write_control
from orchestration.gates.directory import not_yet_replaced
from orchestration.gates.states import STATE_TITLES
from orchestration.gates.verdicts import REPORT, Verdict
from orchestration.home import Home
from orchestration.logging import progress
from orchestration.partitions import YEARS, selected_years
from orchestration.resources import HomeResource

GROUP = "1_lieferungen"
CHECK = "liefertor"
MOST_FINDINGS = 50


@dg.asset(
    key=["eingang", "lieferungen"],
    group_name=GROUP,
    partitions_def=YEARS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    description="Der Abgabeordner: jede Datei wird mit ihrem SHA-256 archiviert, bevor sie jemand liest.",
)
@discreet
def inbox(context: dg.AssetExecutionContext, home: HomeResource) -> dg.MaterializeResult:
    """Archive what the drop folder holds for the years of this run; other years wait there."""
    other_years = {int(key) for key in YEARS.get_partition_keys()} - selected_years(context)
    received = receive(home.folder(), leave_years=other_years, warn=progress(context))
    progress(context)(f"Eingang: {counted(len(received), 'neue Lieferung', 'neue Lieferungen')} archiviert")
    judge_ahead(home.folder(), load_feeds().values())
    return dg.MaterializeResult(metadata={"neue Lieferungen": len(received)})


def build_feed_asset(feed: Feed) -> dg.AssetsDefinition:
    """The asset `raw/<feed>` with its blocking delivery gate."""
    key = dg.AssetKey(["raw", feed.name])

    @dg.asset(
        key=key,
        deps=[inbox, *([dg.AssetKey(["raw", feed.compare_with])] if feed.compare_with else [])],
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
    @discreet
    def raw(
        context: dg.AssetExecutionContext, home: HomeResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        verdicts = judge(home.folder(), feed, progress=progress(context))
        yield dg.MaterializeResult(
            asset_key=key,
            metadata={
                "beurteilt": len(verdicts),
                "angenommen": sum(v.accepted for v in verdicts),
                "abgewiesen": sum(not v.accepted for v in verdicts),
                "Zeilen angenommen": sum(v.row_count for v in verdicts if v.accepted),
            },
        )
        yield gate_result(home.folder(), key, verdicts, not_yet_replaced(home.folder(), feed))

    return raw


def gate_result(
    home: Home, key: dg.AssetKey, verdicts: list[Verdict], open_rejections: list[Verdict]
) -> dg.AssetCheckResult:
    """A rejection is shown until it is replaced, but does not stop the run: what was in force stays so.

    What blocks is a gate that could not judge: then `judge` raises, and nothing downstream of it runs.
    """
    findings = [f for v in verdicts for f in v.findings if not f.passed]
    lines = [
        f"- **{v.delivery_id}**: {in_markdown(v.reason or '')} Rückmeldung: `{home.rejected / v.delivery_id / REPORT}`"
        for v in open_rejections[:MOST_FINDINGS]
    ]
    rows = [
        f"| {SEVERITIES[f.severity]} | {f.delivery_id} | `{f.expectation}` | {in_markdown(f.message)} |"
        for f in findings[:MOST_FINDINGS]
    ]
    head = ["| Schwere | Lieferung | Regel | Befund |", "|---|---|---|---|"]
    table = "\n".join([*head, *rows]) if rows else "keine"
    waived = [f"- **{f.delivery_id}**, `{f.expectation}`: {in_markdown(f.waiver)}" for f in findings if f.waiver]
    judged = f"{counted(len(verdicts), 'Lieferung', 'Lieferungen')} beurteilt"
    return dg.AssetCheckResult(
        asset_key=key,
        check_name=CHECK,
        passed=not open_rejections,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{judged}; {len(open_rejections)} abgewiesen und noch nicht ersetzt"
        if open_rejections
        else judged,
        metadata={
            "abgewiesen und noch nicht ersetzt": dg.MetadataValue.md("\n".join(lines) or "keine"),
            "Befunde dieses Laufs": dg.MetadataValue.md(table),
            "Ausnahmen": dg.MetadataValue.md("\n".join(waived[:MOST_FINDINGS]) or "keine"),
            "weitere Befunde": max(len(findings) - MOST_FINDINGS, 0),
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
    @discreet
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


SEVERITIES = {"error": "Fehler", "warning": "Hinweis"}
