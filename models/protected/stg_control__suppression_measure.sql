{{ config(materialized='view') }}

-- Read in the second call only: no decision on small counts, no marts.
select distinct
    boundary,
    area_id,
    cast(year as int) as year,
    measure_id
from {{ source('control', 'suppression_measure') }}
