from orchestration.analysis.projection_tables import projection


def model(dbt, session):
    """Cohort-component projection; a population carried forward year by year is work for arrays, not for SQL."""
    dbt.config(materialized="table")
    cells = dbt.ref("int_projection_cell").df()
    counts = dbt.ref("int_projection_count").df()
    variants = dbt.ref("projection_variants").df()
    years = dbt.ref("projection_years").df()
    care_rates = dbt.ref("care_rates").df()
    return projection(
        cells,
        counts,
        variants.sort_values("sort_order"),
        years["year"].tolist(),
        care_rates,
        kreis=dbt.config.get("kreis_id"),
    )
