from orchestration.analysis.index import certainty


def model(dbt, session):
    """Shares of random draws that give an area the same class; SQL has no random numbers that return in a rebuild."""
    dbt.config(materialized="table")
    return certainty(dbt.ref("int_index_input").df(), dbt.ref("indices").df())
