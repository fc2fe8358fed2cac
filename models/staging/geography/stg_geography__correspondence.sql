select
    ags as kommune_id,
    old_valid_from,
    new_valid_from,
    old_area_id,
    new_area_id,
    kind,
    persons,
    population_share,
    population_share_back,
    area_share,
    area_share_back,
    is_next,
    is_newest
from {{ source('geography', 'entsprechung') }}
