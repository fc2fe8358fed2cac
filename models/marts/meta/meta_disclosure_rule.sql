select
    measure_id,
    feed,
    unit,
    minimum,
    zeros_shown,
    minimum_denominator,
    counted_by,
    dominance_percent
from {{ ref('stg_control__disclosure_rule') }}
order by measure_id
