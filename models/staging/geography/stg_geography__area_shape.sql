select
    ags as kommune_id,
    sozialraum_id as area_id,
    valid_from,
    same_since
from {{ source('geography', 'fassung') }}
