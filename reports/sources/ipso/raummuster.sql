-- One row per indicator and year with a map: do similar Sozialräume lie beside each other?
select
    indicator_id,
    year,
    value_status,
    pattern,
    moran_i,
    p_value,
    n_areas
from fct_spatial
order by indicator_id, year
