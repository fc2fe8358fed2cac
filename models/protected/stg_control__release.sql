{{ config(materialized='view') }}

select
    release_id,
    created,
    cast(year as int) as year,
    code_version,
    input_hash,
    cast(release_number as int) as release_number
from {{ source('control', 'release') }}
