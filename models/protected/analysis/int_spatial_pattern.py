from orchestration.analysis.spatial import spatial_pattern


def model(dbt, session):
    """Moran's I and local clusters on the borders of today; SQL has no permutations that return in a rebuild."""
    dbt.config(materialized="table")
    neighbours = dbt.ref("bridge_neighbour").df()
    today = neighbours[neighbours["year"] == neighbours["year"].max()]
    return spatial_pattern(dbt.ref("int_spatial_input").df(), today, whole=dbt.config.get("kreis_id"))
