"""The release gate: is a finished release complete, undamaged and free of small counts?

Reads the release folder only, as any reader would; whether something can be worked out from all its numbers together
is judged by `disclosure/audit.py`.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from orchestration.disclosure.audit import audit_release
from orchestration.disclosure.audit_files import undeclared, unequal_copies
from orchestration.disclosure.audit_history import earlier_releases
from orchestration.feeds.finding import Finding
from orchestration.gates.plausibility import judge_frame
from orchestration.gates.release_geometry import geometry_frame
from orchestration.release.geometry import GEOMETRY_FILES
from orchestration.release.write import CHECKSUMS, damaged_files
from orchestration.sql import identifier

CONTRACT = {
    "dim_area": "area_key area_id level name parent_area_id valid_from valid_to area_sqkm is_synthetic",
    "bridge_area_version": "old_area_id new_area_id valid_from kind population_share area_share",
    "dim_indicator": "indicator_id title theme_id kind unit polarity numerator_measure numerator_unit"
    " denominator_measure denominator_unit scale cadence finest_level source caveat is_core",
    "dim_theme": "theme_id",
    "dim_year": "year is_biennial_report population_basis",
    "fct_indicator": "area_id year indicator_id value value_status numerator denominator ci_lower ci_upper"
    " numerator_date denominator_date has_mixed_dates boundary conversion_method conversion_error"
    " benchmark_kreis vs_kreis benchmark_kommune vs_kommune goal_id benchmark_goal vs_goal"
    " value_rank value_rank_lower value_rank_upper n_ranked"
    " change_absolute change_percent trend",
    "fct_population": "boundary area_id year age_band sex nationality_group population value_status",
    "dim_index": "index_id title description minimum_population minimum_areas dynamics_years",
    "fct_index": "index_id comparison_area_id area_id year value_status status_sum status_index status_class"
    " status_certainty dynamics_value_status dynamics_sum dynamics_index dynamics_class dynamics_certainty"
    " combined_class combined_certainty n_areas",
    "fct_profile": "area_id year theme_id indicator_id value_status kind pattern pattern_title pattern_order vs_kreis"
    " development years_in_a_row value benchmark_kreis sentence",
    "dim_profile_pattern": "pattern kind title vs_kreis development minimum_years weight sort_order",
    "fct_priority": "kommune_id area_id year theme_id theme_weight value_status score mean_gap_percent priority"
    " n_weaknesses n_evaluated n_indicators sentence",
    "fct_smoothed": "area_id year indicator_id value_status value smoothed smoothed_lower smoothed_upper own_weight"
    " kommune_value method",
    "fct_spatial": "indicator_id year value_status moran_i expected_i p_value pattern n_areas",
    "fct_cluster": "area_id year indicator_id value_status cluster local_i p_value corrected_p own_z neighbours_z",
    "fct_projection": "area_id year variant projected_group value_status value base_year base_value change_percent"
    " expected_value expected_from_year expected_from_value expected_change_percent expected_printed_percent"
    " expected_source",
    "fct_service": "service_id year name provider theme_id target_group area_id kommune_id valid_from valid_to",
    "fct_access": "area_id year theme_id target_group distance_m value_status share_500m_percent share_1000m_percent"
    " share_2000m_percent share_status method",
    "fct_area_centre": "area_id valid_from east_m north_m centre_method",
    "bridge_neighbour": "year area_id neighbour_area_id border_m",
    "fct_goal": "goal_id year title goal_level area_id indicator_id baseline_year baseline_value target_year"
    " target_value decided_by decided_date",
    "fct_measure_programme": "programme_id year goal_id title provider target_group valid_from valid_to budget_eur"
    " status",
    "fct_feedback": "feedback_id year conference feedback_date participant_group area_id theme_id text",
    "meta_delivery": "delivery_id feed deliverer year received sha256 row_count state reason",
    "meta_lineage": "area_id year indicator_id delivery_id",
    "meta_release": "release_id created year code_version input_hash release_number",
    "meta_disclosure_rule": "measure_id feed unit minimum zeros_shown minimum_denominator",
    "meta_finding": "gate severity passed message",
}
"""The published contract: none of these tables and columns may vanish."""
MAY_BE_EMPTY = {
    "fct_service", "fct_access", "fct_goal", "fct_measure_programme", "fct_feedback", "bridge_area_version",
    "fct_index", "fct_profile", "fct_priority", "fct_smoothed", "fct_spatial", "fct_cluster", "fct_projection",
}  # fmt: skip
"""What a county may not have yet: it publishes figures before it has decided on goals or redrawn an area."""
WHOLE_FILES = {"ipso.duckdb", CHECKSUMS, *GEOMETRY_FILES}
"""Files that belong to no single table."""
DERIVED = "numerator, ci_lower, ci_upper, change_absolute, change_percent, conversion_error, value_rank"
MINIMUM = 3
"""Never shown, whatever a feed declares; a feed may declare more."""
COUNTED = ("persons", "households")
"""Units of measures that count people; burglaries, clubs and balances of moves may be one or two."""


def check_release(release: Path) -> list[Finding]:
    """Findings of the suites `freigabe_*`; any that failed with severity error forbids the switch."""
    tables = check_tables(release)
    if not has_all_tables(release):
        return tables
    return [*judge_frame("freigabe_geheimhaltung", disclosure_frame(release), gate="release"), *tables]


def has_all_tables(release: Path) -> bool:
    """Whether every table of the contract is there, with rows where it must have some."""
    with duckdb.connect(str(release / "ipso.duckdb"), read_only=True) as connection:
        return bool(table_frame(connection, [])["present"].all())


def check_tables(release: Path) -> list[Finding]:
    """Findings about tables, rows and geometry; what can be worked out from them is the audit's question."""
    with duckdb.connect(str(release / "ipso.duckdb"), read_only=True) as connection:
        tables = table_frame(connection, damaged_files(release))
        if not tables["present"].all():
            return judge_frame("freigabe_tabellen", tables, gate="release")
        indicators = connection.execute(
            f"""
            select f.area_id, f.year, f.indicator_id, f.boundary, f.value_status, f.value,
                coalesce({DERIVED}) as derived,
                case
                    when i.numerator_unit in {COUNTED} and f.numerator > 0
                        and f.numerator < greatest({MINIMUM}, n.minimum) then f.numerator
                    when i.denominator_unit in {COUNTED} and f.denominator > 0
                        and f.denominator < greatest({MINIMUM}, d.minimum) then f.denominator
                end as small_count
            from fct_indicator as f
            left join dim_indicator as i using (indicator_id)
            left join meta_disclosure_rule as n on n.measure_id = i.numerator_measure
            left join meta_disclosure_rule as d on d.measure_id = i.denominator_measure
            order by all
            """
        ).df()
        population = connection.execute(
            "select boundary, area_id, year, age_band, sex, nationality_group, population, value_status"
            " from fct_population order by all"
        ).df()
    return [
        *judge_frame("freigabe_tabellen", tables, gate="release"),
        *judge_frame("freigabe_fct_indicator", indicators, gate="release"),
        *judge_frame("freigabe_fct_population", population, gate="release"),
        *judge_frame("freigabe_geometrie", geometry_frame(release), gate="release"),
    ]


def disclosure_frame(release: Path) -> pd.DataFrame:
    """One row: what can be worked out of it and of the releases before it, what stands beside a blank, and what in it
    the audit does not know."""
    found = audit_release(release, earlier_releases(release), MINIMUM)
    unknown, copies = undeclared(release), unequal_copies(release)
    beside = {title: count for title, count in found.beside.items() if count}
    row = {
        "leaks": found.leaks - sum(beside.values()),
        **found.verdicts.to_dict(),
        "beside": sum(beside.values()),
        "beside_named": ", ".join(f"{title} ({count})" for title, count in beside.items()),
        "undeclared": len(unknown),
        "undeclared_named": ", ".join(unknown),
        "unequal": len(copies),
        "unequal_named": ", ".join(copies),
    }
    return pd.DataFrame([row])


def table_frame(connection: duckdb.DuckDBPyConnection, damaged: list[str]) -> pd.DataFrame:
    """One row per table of the contract: is it there with rows, are its columns there, do its files fit?"""
    columns = connection.execute(
        "select table_name, column_name from information_schema.columns where table_schema = 'main'"
    ).df()
    rows = []
    for table, wanted in CONTRACT.items():
        there = set(columns.loc[columns["table_name"] == table, "column_name"])
        missing = [name for name in wanted.split() if name not in there]
        filled = bool(there) and (table in MAY_BE_EMPTY or _has_rows(connection, table))
        rows.append(
            (
                table,
                filled,
                not missing,
                ", ".join(missing),
                not any(table in name or name in WHOLE_FILES for name in damaged),
            )
        )
    return pd.DataFrame(rows, columns=["table", "present", "columns_present", "missing_columns", "undamaged"])


def _has_rows(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    return connection.execute(f"select 1 from {identifier(table)} limit 1").fetchone() is not None
