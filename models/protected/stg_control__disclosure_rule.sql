{{ config(materialized='view') }}

-- Read in the second call only: no decision on small counts, no marts.
select
    measure_id,
    feed,
    unit,
    cast(minimum as int) as minimum,
    zeros_shown,
    cast(minimum_denominator as int) as minimum_denominator,
    counted_by,
    cast(dominance_percent as double) as dominance_percent
from {{ source('control', 'disclosure_rule') }}
