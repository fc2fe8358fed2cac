select
    area_id,
    valid_from,
    east_m,
    north_m,
    centre_method,
    population_year
from {{ ref('stg_control__area_centre') }}
order by area_id, valid_from
