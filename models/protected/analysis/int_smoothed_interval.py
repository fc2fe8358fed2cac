from orchestration.analysis.smoothing import intervals


def model(dbt, session):
    """Intervals of smoothed values; SQL has no quantiles of Beta and Gamma distributions."""
    dbt.config(materialized="table")
    return intervals(dbt.ref("int_smoothed").df())
