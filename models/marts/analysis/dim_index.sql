select
    index_id,
    title,
    description,
    minimum_population,
    minimum_areas,
    dynamics_years
from {{ ref('indices') }}
order by index_id
