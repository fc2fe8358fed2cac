select
    area_id,
    year,
    age_band,
    sex,
    nationality_group
from {{ ref('fct_population') }}
where (value_status in ('ok', 'zero')) != (population is not null)
