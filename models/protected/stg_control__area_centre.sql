{{ config(materialized='view') }}

select
    area_id,
    valid_from,
    east_m,
    north_m,
    centre_method,
    cast(population_year as int) as population_year
from {{ source('control', 'area_centre') }}
