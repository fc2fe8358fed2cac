"""The plausibility gate as a blocking Dagster check on the finished measures."""

import dagster as dg
import pandas as pd

from orchestration.discreet import discreet
from orchestration.feeds.finding import counted, german_number
from orchestration.gates.plausibility import check_plausibility, not_located
from orchestration.logging import progress
from orchestration.resources import HomeResource

MOST_FINDINGS = 50


@dg.asset_check(
    asset=dg.AssetKey(["intermediate", "int_measure"]),
    name="plausibilitaetstor",
    blocking=True,
    additional_deps=[
        dg.AssetKey(["intermediate", name])
        for name in (
            "int_sum_of_parts",
            "int_population_vs_official",
            "int_printed_vs_recomputed",
            "int_indicator_vs_reference",
            "int_area",
        )
    ],
    description="Passen die Zahlen aller Lieferungen zusammen? Summen der Teile, amtliche Bevölkerung, gedruckte Werte,"
    " Referenzwerte anderer Stellen, fehlende Lieferungen, Sprünge, nicht verortbare Personen. Hinweise werden"
    " veröffentlicht, Fehler halten die Veröffentlichung an.",
)
@discreet
def plausibility_gate(context: dg.AssetCheckExecutionContext, home: HomeResource) -> dg.AssetCheckResult:
    """Warnings are recorded and published; errors stop everything downstream."""
    findings = check_plausibility(home.folder(), progress=progress(context))
    failed = [f for f in findings if not f.passed]
    errors = [f for f in failed if f.is_error]
    lines = [
        f"- {'**Fehler**' if f.is_error else 'Hinweis'}: {f.message}"
        for f in [*errors, *[f for f in failed if f.is_warning]]
    ]
    return dg.AssetCheckResult(
        passed=not errors,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"{len(errors)} Fehler, {counted(len(failed) - len(errors), 'Hinweis', 'Hinweise')}",
        metadata={
            "Befunde": dg.MetadataValue.md("\n".join(lines[:MOST_FINDINGS]) or "keine"),
            "weitere Befunde": max(len(lines) - MOST_FINDINGS, 0),
            "nicht verortbar in %": dg.MetadataValue.md(as_markdown(not_located(home.folder()))),
        },
    )


def as_markdown(rates: pd.DataFrame) -> str:
    """A table of percentages: a line per Kommune, a column per year."""
    lines = [["Kommune", *map(str, rates.columns)], ["---"] * (len(rates.columns) + 1)]
    for name, row in rates.iterrows():
        lines.append([str(name), *("–" if pd.isna(rate) else german_number(float(rate)) for rate in row)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) if len(rates) else "kein Melderegister in Kraft"
